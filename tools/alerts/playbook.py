"""Playbooks: alerts and targets, their possible causes, and what speaks for each. Data, checked.

One YAML file per family under ``playbooks/``; a team adds its own folder in steward.yaml::

    playbooks: [ops / playbooks]

See docs/diagnosis.md for the form. Log-odds: a sign multiplies a cause's odds by its weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.alerts.facts import Sign
from tools.alerts.xids import Words

WEIGHTS: Mapping[str, float] = {
    "decisive": 20.0,
    "strong": 6.0,
    "moderate": 3.0,
    "weak": 1.5,
    "against": 0.2,
}
SCOPES = ("gpu", "node", "rack", "job", "fleet")
EVIDENCE = (
    "alert",
    "alerts",
    "changes",
    "deployment",
    "events",
    "gpu",
    "history",
    "host",
    "job",
    "kernel_log",
    "logs",
    "metrics",
    "node",
    "siblings",
)
RISKS = ("none", "low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do, how risky it is, and the tool call that does it where there is one."""

    words: Words
    risk: str
    tool: str = ""
    args: Mapping[str, str] = field(default_factory=dict[str, str])
    """Values may hold ``{deployment}``, ``{node}``, ``{job}``, ``{more_replicas}``."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that may be wrong."""

    id: str
    family: str
    words: Words
    signs: tuple[tuple[Sign, float], ...]
    next_check: Words
    remedy: Remedy
    scope: str = ""
    change: bool = False
    """It can only be if something was changed not long before."""


@dataclass(frozen=True, slots=True)
class Playbook:
    """How to diagnose one alert, or one kind of target (``target/deployment``)."""

    name: str
    family: str
    words: Words
    evidence: tuple[str, ...]
    priors: Mapping[str, float]
    symptoms: tuple[Sign, ...] = ()
    """For targets: without any of these, it is healthy."""


class Playbooks:
    """Every playbook that was loaded."""

    def __init__(self, causes: Mapping[str, Cause], books: Mapping[str, Playbook]) -> None:
        self.causes = causes
        self._books = books
        self._lower = {name.lower(): book for name, book in books.items()}

    def of(self, name: str) -> Playbook | None:
        """The playbook of an alert or target kind, case ignored."""
        return self._lower.get(name.lower())

    def names(self) -> tuple[str, ...]:
        """Alerts that have a playbook."""
        return tuple(sorted(n for n in self._books if not n.startswith("target/")))

    def all(self) -> tuple[Playbook, ...]:
        """All of them."""
        return tuple(self._books.values())
