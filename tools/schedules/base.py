"""Schedules as values, and the port that keeps them.

A *slot* is one due time of one schedule. Of any number of processes exactly one takes a slot; if
that process dies, another takes it over when the lease lapses, as long as the grace period lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from tools.world import World

Missed = Literal["catch_up", "skip"]
RunState = Literal["running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A recurring summary."""

    uid: str
    """The id of the action that made it, or ``file:NAME:…`` for one written in steward.yaml."""
    name: str
    cron: str
    """Five fields; 0 and 7 are Sunday."""
    timezone: str
    """IANA name in which the cron line is read."""
    channel: str
    window: str
    """What the summary looks back on: ``24h``."""
    since: datetime
    """Slots before this are not its own."""
    missed: Missed = "catch_up"
    """A slot that passed while nothing ran: post it once, or let it go."""
    grace: timedelta = timedelta(hours=1)
    """How late a caught-up summary may still be."""
    source: Literal["file", "action"] = "action"


@dataclass(frozen=True, slots=True)
class Due:
    """A slot this process has taken and must now serve."""

    schedule: Schedule
    at: datetime
    attempt: int = 1
    """Above 1 when a process died while serving it."""
    missed: int = 0
    """Earlier slots since the last served one that nobody served."""

    @property
    def key(self) -> str:
        """Names the slot for ever: what is posted for it carries this, so that it posts once."""
        return f"summary:{self.schedule.uid}:{self.at:%Y%m%dT%H%M%SZ}"


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a slot."""

    at: datetime
    state: RunState
    attempts: int
    note: str


class Schedules(Protocol):
    """Durable schedules and their slots, shared by every process on the same database."""

    def all(self) -> Sequence[Schedule]:
        """Those in force, by name: steward.yaml's and those added through actions."""
        ...

    def named(self, name: str) -> Schedule:
        """Raises ``BadArguments`` with the nearest names."""
        ...

    def add(self, schedule: Schedule) -> None:
        """Put it in force; the same ``uid`` does so once. ``Refused`` when the name is taken."""
        ...

    def end(self, uid: str, action_id: str) -> bool:
        """Take it out of force; false when it was out already."""
        ...

    def made_by(self, action_id: str) -> bool:
        """Whether this action put a schedule in force (even if it ended since)."""
        ...

    def ended_by(self, action_id: str) -> bool:
        """Whether this action ended one."""
        ...

    def claim(self, owner: str) -> Sequence[Due]:
        """Slots due now that nobody serves; the caller holds each until its lease lapses."""
        ...

    def renew(self, due: Due, owner: str) -> bool:
        """Say that ``owner`` still serves it; false when another took it over."""
        ...

    def finish(self, due: Due, owner: str, state: Literal["done", "failed"], note: str) -> bool:
        """Record how it went; false when another took it over."""
        ...

    def last_run(self, uid: str) -> Run | None:
        """The newest slot anybody took."""
        ...


def schedules(world: World) -> Schedules:
    """The schedules of a world."""
    port: Schedules = world.port("schedules")
    return port
