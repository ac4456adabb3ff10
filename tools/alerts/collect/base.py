"""What a collector is given and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from tools.alerts.base import AlertRecord
from tools.alerts.facts import Fact
from tools.alerts.xids import Words

if TYPE_CHECKING:
    from tools.contract import Json
    from tools.world import World

WINDOW = timedelta(hours=2)
"""How far back logs, metrics and changes are looked at."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is diagnosed."""

    kind: str
    """``deployment``, ``job``, ``host``, ``gpu``, ``node`` or ``alert``."""
    name: str
    began: datetime
    """When the symptom began, as far as known."""
    alert: AlertRecord | None = None
    deployment: str | None = None
    job: str | None = None
    node: str | None = None
    gpu: str | None = None
    """Index on this machine, or UUID."""
    local: bool = True
    """It runs on this machine, so that its kernel log, host and GPUs may be looked at."""


@dataclass(slots=True)
class Collected:
    """Facts of one source, what was checked, and what later steps need to know."""

    facts: list[Fact] = field(default_factory=list[Fact])
    looked: tuple[str, ...] = ()
    """Names of facts that this source would have shown."""
    checked: list[Words] = field(default_factory=list[Words])
    """What a person reads under "what I checked"."""
    context: dict[str, Json] = field(default_factory=dict[str, "Json"])
    began: datetime | None = None
    """When this source says that the trouble began."""
    missing: list[Words] = field(default_factory=list[Words])
    """Parts of this source that did not answer, each with its reason."""

    def note(self, en: str, zh: str) -> None:
        """Say what was checked."""
        self.checked.append(Words(en, zh))

    def gap(self, en: str, zh: str) -> None:
        """Say what could not be collected, and why."""
        self.missing.append(Words(en, zh))


Collector: TypeAlias = "Callable[[World, Subject], Collected]"


def yes(value: bool | None) -> str | None:
    """``yes``, ``no`` or unknown."""
    return None if value is None else "yes" if value else "no"
