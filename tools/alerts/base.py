"""Alerts as values, and the one port of this room: what was received, and what people made of it.

An alert is identified as Alertmanager does it: a fingerprint of its labels, the time it started,
and whether it fires or is resolved. Repeats of the same triple are not new alerts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import Field

from tools.errors import Unavailable
from tools.words import Word

if TYPE_CHECKING:
    from tools.world import World

Firing = Literal["firing", "resolved"]
AlertState = Annotated[
    Literal["firing", "resolved", "silenced"],
    Word("alert_state"),
    Field(description="firing, resolved or silenced"),
]


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One alert as it stands now."""

    fingerprint: str
    name: str
    state: Firing
    severity: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None
    received_at: datetime
    source: str = "alertmanager"
    """``alertmanager`` (webhook or its API), ``rules`` (evaluated by Steward), or a team's word."""
    silenced_by: str | None = None
    incident: int | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """Alerts that share one cause, as far as the cause edges tell."""

    number: int
    root: str
    """Fingerprint of the alert that explains the others."""
    title: str
    opened_at: datetime
    updated_at: datetime
    firing: int
    resolved: int
    entities: tuple[str, ...] = ()
    """``kind:name`` of what is affected, the most fundamental first."""
    cause: str | None = None
    """Identifier of the cause a person confirmed, once somebody did."""
    confirmed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """A promise not to notify about matching alerts until ``ends_at``."""

    id: str
    matchers: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    action_id: str | None = None
    source: str = "steward"
    """``steward`` (kept here) or ``alertmanager``."""


@dataclass(frozen=True, slots=True)
class Received:
    """What one delivery contained; the caller acknowledges only after it has this value."""

    new: tuple[AlertRecord, ...]
    repeated: int
    rejected: tuple[str, ...] = ()
    """Reasons for entries that are no alerts; they are kept verbatim for a person to look at."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """A person's verdict: the cause behind an alert was this one."""

    alert: str
    playbook: str
    cause: str
    who: str
    at: datetime
    incident: int | None = None
    action_id: str | None = None
    weight: float = 1.0


class Alerts(Protocol):
    """Alerts received, the incidents they form, silences and feedback. Durable, process-safe."""

    @property
    def trouble(self) -> Unavailable | None:
        """Why Alertmanager could not be asked the last time; ``None`` when all is well."""
        ...

    def receive(self, payload: Mapping[str, Any], source: str = "alertmanager") -> Received:
        """Store a webhook v4 payload; returns only after the commit.

        Raises ``BadArguments`` when the payload is no webhook v4 document (answer 400) and
        ``Unavailable`` when it cannot be stored (answer 503, so that the sender tries again).
        """
        ...

    def alerts(self, state: str | None = None, *, limit: int = 500) -> Sequence[AlertRecord]:
        """Newest first; ``silenced`` means firing and silenced. Includes Alertmanager's own."""
        ...

    def named(self, name: str) -> Sequence[AlertRecord]:
        """Alerts whose name or fingerprint is ``name`` (case ignored), firing first."""
        ...

    def incidents(self, *, open_only: bool = True, limit: int = 100) -> Sequence[Incident]:
        """Newest first."""
        ...

    def members(self, incident: int) -> Sequence[AlertRecord]:
        """Alerts of an incident, oldest first."""
        ...

    def silences(self) -> Sequence[Silence]:
        """Those in force or still to come."""
        ...

    def silence(self, silence: Silence) -> str:
        """Put a silence in force and return its id; the same ``action_id`` does so once."""
        ...

    def lift(self, silence_id: str) -> None:
        """End a silence now; ending an ended one is no error."""
        ...

    def feedback(self, playbook: str | None = None) -> Sequence[Feedback]:
        """What people confirmed, oldest first."""
        ...

    def remember(self, feedback: Feedback) -> None:
        """Keep a verdict; the same ``action_id`` is kept once. A negative weight withdraws one."""
        ...


def alerts(world: World) -> Alerts:
    """The alerts port of this world."""
    port: Alerts = world.port("alerts")
    return port
