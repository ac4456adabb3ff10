"""What is wanted and what is there, of one deployment on this machine, as values.

As on Kubernetes the two are apart: people edit :class:`Desired`, the keeper alone writes
:class:`Observed`. Times are seconds since 1970, UTC.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal

from tools.contract import Json
from tools.platforms.base import Release, RollOut, StrategyName

State = Literal["starting", "ready", "not ready", "draining", "crashed"]


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """One release this deployment was told to run. Times are seconds since 1970, UTC."""

    number: int
    release: Release
    created_at: float
    action_id: str


@dataclass(frozen=True, slots=True)
class EditRow:
    """One accepted edit."""

    action_id: str
    kind: str
    generation: int
    said: str


@dataclass(frozen=True, slots=True)
class Strategy:
    """How the running roll-out proceeds."""

    kind: StrategyName = "rolling"
    steps: tuple[float, ...] = (1.0,)
    pause: float = 10.0
    min_requests: int = 20
    max_error_rate: float = 0.02
    max_slowdown: float = 1.5

    @classmethod
    def of(cls, edit: RollOut) -> Strategy:
        """The strategy an edit asks for."""
        return cls(
            edit.strategy,
            edit.steps,
            edit.pause.total_seconds(),
            edit.min_requests,
            edit.max_error_rate,
            edit.max_slowdown,
        )

    def judged(self, release: Release) -> RollOut:
        """As the canary's judge reads it."""
        return RollOut(
            release,
            1,
            self.kind,
            self.steps,
            timedelta(seconds=self.pause),
            self.min_requests,
            self.max_error_rate,
            self.max_slowdown,
        )


@dataclass(frozen=True, slots=True)
class Desired:
    """What people said yes to."""

    uid: str
    port: int
    generation: int = 0
    target: int = 0
    """Revision to run."""
    epoch: int = 0
    """Grows with each restart: replicas of an older epoch are replaced."""
    replicas: int = 0
    paused: bool = False
    strategy: Strategy = field(default_factory=Strategy)
    action_id: str = ""
    """The last action that edited this."""
    rollout_by: str = ""
    """The action of the last roll-out, roll-back or restart: new replicas carry it."""
    changed_at: float = 0.0
    revisions: tuple[RevisionRow, ...] = ()
    edits: tuple[EditRow, ...] = ()
    options: Mapping[str, Json] = field(default_factory=dict[str, Json])

    def release(self, number: int) -> Release:
        """The release of a revision."""
        return next(r.release for r in self.revisions if r.number == number)


@dataclass(frozen=True, slots=True)
class ReplicaRow:
    """One server process: known by pid **and** start time, since pids are used again."""

    id: str
    revision: int
    epoch: int
    generation: int
    """Generation of the desired state that started it."""
    action_id: str
    pid: int
    start: float
    """Start time of the process as the kernel knows it."""
    started_at: float
    state: State = "starting"
    held: bool = False
    """Ready, but takes no traffic yet (blue/green)."""
    admin_port: int = 0
    was_ready: bool = False
    since: float = 0.0
    """When it entered its state."""
    restarts: int = 0
    message: str = ""

    def become(self, state: State, message: str = "", **changes: Any) -> ReplicaRow:
        """The replica in another state."""
        since = self.since if state == self.state else time.time()
        return replace(self, state=state, message=message, since=since, **changes)


@dataclass(frozen=True, slots=True)
class EventRow:
    """Something that happened to a replica or a roll-out."""

    at: float
    kind: Literal["normal", "warning"]
    reason: str
    message: str
    target: str


@dataclass(frozen=True, slots=True)
class Observed:
    """What the keeper last saw and decided."""

    keeper_pid: int = 0
    keeper_start: float = 0.0
    generation: int = 0
    """The desired generation it has taken up."""
    complete: int = 0
    """The last generation that was fully carried out."""
    stable: int = 0
    """The revision last known to run fully; 0 before the first."""
    failed: int = 0
    """The generation whose roll-out failed, with ``message`` why."""
    step: int = 0
    """Canary step in progress."""
    step_since: float = 0.0
    attempts: int = 0
    """Failed starts of this generation."""
    message: str = ""
    replicas: tuple[ReplicaRow, ...] = ()
    events: tuple[EventRow, ...] = ()
