"""Alert rules as plain JSON, for the plans and undo calls of the tools that change them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tools.contract import Call, Json
from tools.observe.rules import Rule


def definition(rule: Rule) -> dict[str, Json]:
    """A rule as plain JSON."""
    return asdict(rule)


def rule_of(value: Json) -> Rule:
    """A rule from :func:`definition`."""
    assert isinstance(value, dict)
    fields: dict[str, Any] = dict(value)
    return Rule(**fields)


def restore(rule: Rule) -> Call:
    """The call that sets exactly this rule."""
    args: dict[str, Json] = {
        "metric": rule.metric,
        "op": rule.op,
        "threshold": rule.threshold,
        "duration": f"{rule.duration:g}s",
        "name": rule.name,
        "kind": rule.kind,
        "severity": rule.severity,
        "enabled": rule.enabled,
    }
    return Call("set_alert_rule", args)
