"""What the composition root hands to the service beside the assistant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent.fronts.notes import IncidentDesk, IncidentNote, Post
from tools.contract import Json

DRAIN_SECONDS = 25.0


@dataclass(frozen=True, slots=True)
class Job:
    """Something done again and again, in a thread: a scheduler tick, an outbox, alert rules."""

    name: str
    every: float
    """Seconds between the end of one run and the start of the next."""
    run: Callable[[Post], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the composition root hands to the service beside the assistant."""

    gone: Callable[[str], bool]
    """Whether the process behind an owner string certainly no longer runs."""
    receive_alerts: Callable[[Mapping[str, Json]], object] | None = None
    """Stores an Alertmanager delivery; returns only after the commit."""
    incident_notes: Callable[[], Sequence[IncidentNote]] | None = None
    """What happened to incidents lately; each note is told once, so repeats are fine."""
    acknowledge: Callable[[str, str], bool] | None = None
    """``(thread, who)``: a person has an incident; nobody further is called."""
    incidents: IncidentDesk | None = None
    """The same for the HTTP API, by number."""
    warm: Callable[[], None] | None = None
    """Loads what the first question needs; run in a thread once the service listens."""
    jobs: tuple[Job, ...] = ()
    drain: float = DRAIN_SECONDS
