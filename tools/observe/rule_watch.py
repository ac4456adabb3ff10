"""Evaluating every rule against the telemetry and handing alerts to the alerts port."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tools.errors import ToolError
from tools.observe.base import telemetry
from tools.observe.metrics import unit_of
from tools.observe.rule_store import RuleStore
from tools.observe.rules import Rule, Transition, evaluate, window_of
from tools.observe.wording import number, quantity

if TYPE_CHECKING:
    from tools.world import World

_NEVER = "0001-01-01T00:00:00Z"


class RuleWatch:
    """Looks at every rule when called; give :meth:`look` to a sampler as ``after``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rules = RuleStore(world)
        self.troubles: tuple[str, ...] = ()
        """Rules that could not be evaluated the last time, a sentence each."""

    def look(self, now: datetime) -> Sequence[Transition]:
        """Evaluate every rule, deliver what fires or resolved, then remember the states.

        A delivery that fails raises ``Unavailable``; the states are then as before, so that the
        next look delivers again.
        """
        changes: list[Transition] = []
        troubles: list[str] = []
        for rule in self._rules.rules().values():
            try:
                series = telemetry(self._world).series(rule.metric, window_of(rule))
            except ToolError as error:
                troubles.append(f"{rule.name}: {error.en}")
                continue
            before = self._rules.states(rule.name)
            if not series and not before:
                continue
            result = evaluate(rule, series, before, now)
            told = [t for t in result.transitions if t.to != "pending"]
            if told:
                self._deliver(rule, told)
            if result.states != before:
                self._rules.keep(rule.name, result.states)
            changes += result.transitions
        self.troubles = tuple(troubles)
        return changes

    def _deliver(self, rule: Rule, transitions: Sequence[Transition]) -> None:
        from tools.alerts.base import alerts

        payload = {
            "version": "4",
            "status": "firing",
            "receiver": "steward",
            "groupKey": f"rules:{rule.name}",
            "groupLabels": {"alertname": rule.name},
            "alerts": [document(t) for t in transitions],
        }
        alerts(self._world).receive(payload, source="rules")


def document(change: Transition) -> Mapping[str, Any]:
    """One alert as Alertmanager's webhook writes it."""
    rule = change.rule
    unit = unit_of(rule.metric)
    shown = (
        f"{number(round(change.value, 1))} deviations"
        if rule.kind in ("anomaly", "peer")
        else quantity(change.value, unit)
    )
    where = ", ".join(f"{k} {v}" for k, v in sorted(change.labels.items())) or "this machine"
    resolved = change.to == "resolved"
    return {
        "status": "resolved" if resolved else "firing",
        "labels": {
            "alertname": rule.name,
            "severity": rule.severity,
            "metric": rule.metric,
            "instance": socket.gethostname(),
            **change.labels,
        },
        "annotations": {
            "summary": f"{rule.metric} of {where} is {shown}",
            "description": rule.says(unit),
            "description_zh": rule.says(unit, "zh"),
            "value": f"{change.value:.6g}",
        },
        "startsAt": _rfc3339(change.since),
        "endsAt": _rfc3339(change.at) if resolved else _NEVER,
    }


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
