"""The registry of log signatures: data in ``data/signatures/*.yaml``, read in the files' order.

The first rule that fits a line names it. A rule fits when one of its ``any`` strings occurs in the
line (lower case) and one of its ``match`` expressions, if it has any, is found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from tools.alerts.signatures.base import Line, Role, Signature
from tools.alerts.signatures.xid import find_xid

_APPENDED = "advice"
"""The rule of texts that accompany errors."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One signature as the data files declare it."""

    id: str
    family: str
    role: Role
    literals: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]
    weak: bool
    en: str
    zh: str

    def fits(self, lower: str, body: str) -> bool:
        """Whether the line carries this signature."""
        if not any(literal in lower for literal in self.literals):
            return False
        return not self.patterns or any(p.search(body) for p in self.patterns)


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, in order."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    folder = files("tools.alerts").joinpath("data", "signatures")
    found: list[Rule] = []
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".yaml"):
            loaded: list[dict[str, Any]] = yaml.load(entry.read_text("utf-8"), Loader=loader)
            found += [_rule(raw) for raw in loaded]
    return tuple(found)


def _rule(raw: dict[str, Any]) -> Rule:
    return Rule(
        raw["id"],
        raw["family"],
        Role(raw.get("role", "root")),
        tuple(raw["any"]),
        tuple(re.compile(p, re.IGNORECASE) for p in raw.get("match", ())),
        bool(raw.get("weak", False)),
        raw["en"],
        raw["zh"],
    )


@cache
def categories() -> frozenset[str]:
    """Every category a line can get."""
    return frozenset(r.id for r in rules()) | {"xid", "sxid"}


@cache
def describe(category: str) -> tuple[str, str]:
    """The meaning of a category in English and Chinese."""
    found = next((r for r in rules() if r.id == category), None)
    return (found.en, found.zh) if found else (category, category)


def recognise(line: Line) -> Signature | None:
    """What a line means, or ``None`` for an ordinary one."""
    if found := find_xid(line):
        return found
    lower = line.body.lower()
    advice: Rule | None = None
    for rule in rules():
        if not rule.fits(lower, line.body):
            continue
        if rule.id == _APPENDED:
            advice = rule  # many programs print it in the same line as the error itself
        elif advice is None or not rule.weak:
            return _signature(rule, line)
    return _signature(advice, line) if advice else None


def _signature(rule: Rule, line: Line) -> Signature:
    return Signature(rule.id, rule.family, rule.role, line, rule.en, rule.zh, weak=rule.weak)
