"""What is wanted of a deployment on a Docker host; kept by its gateway, edited by generation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tools.platforms.base import Release, RollOut

KEPT = 50
"""Revisions and actions remembered."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One revision."""

    number: int
    release: Mapping[str, Any]
    created: float
    action: str


@dataclass(frozen=True, slots=True)
class Way:
    """How the present roll-out replaces replicas."""

    kind: str = "rolling"
    steps: tuple[float, ...] = ()
    pause: float = 10.0
    min_requests: int = 20
    max_error_rate: float = 0.02
    max_slowdown: float = 1.5


@dataclass(frozen=True, slots=True)
class State:
    """The desired state, and how far its roll-out came. ``target`` 0 is nothing yet."""

    generation: int = 0
    """Counts edits; the driver's own notes do not move it."""
    since: int = 0
    """The generation that set what is to be reached; pausing does not move it."""
    replicas: int = 0
    target: int = 0
    epoch: int = 0
    """Counts restarts: replicas of an older epoch are replaced."""
    stable: int = 0
    """The last revision that was complete."""
    stable_epoch: int = 0
    way: Way = field(default_factory=Way)
    paused: bool = False
    step: int = 0
    step_since: float = 0.0
    done: int = 0
    """The generation that was reached."""
    failed: int = 0
    """The generation whose roll-out failed."""
    cause: str = ""
    revisions: tuple[Entry, ...] = ()
    actions: tuple[str, ...] = ()
    """Newest first."""
    edited: float = 0.0
    """When, in seconds since 1970."""

    def release(self, number: int) -> Release:
        """The release of a revision."""
        entry = next((e for e in self.revisions if e.number == number), None)
        return Release(**entry.release) if entry else Release(None, None, None, None)

    @property
    def plan(self) -> RollOut:
        """The roll-out as the canary's judge reads it."""
        from datetime import timedelta

        way = self.way
        return RollOut(
            self.release(self.target),
            self.replicas,
            "canary",
            way.steps,
            timedelta(seconds=way.pause),
            way.min_requests,
            way.max_error_rate,
            way.max_slowdown,
        )

    @property
    def at_rest(self) -> bool:
        """Whether nothing is left to do (or the last roll-out failed)."""
        return self.generation in (self.done, self.failed)

    def acted(self, action: str, **changes: Any) -> State:
        """A new desired state by an action: whatever failed before is forgotten."""
        kept = (action, *(a for a in self.actions if a != action))[:KEPT]
        following = self.generation + 1
        if "paused" not in changes or len(changes) > 1:
            changes["since"] = following
        return replace(
            self,
            generation=following,
            actions=kept,
            failed=0,
            cause="",
            edited=time.time(),
            **changes,
        )

    def revised(self, release: Release, action: str, now: float, edit: RollOut | None) -> State:
        """A new revision of ``release``, to be reached as ``edit`` says (or rolling)."""
        number = max((e.number for e in self.revisions), default=0) + 1
        entry = Entry(number, asdict(release), now, action)
        way = Way()
        if edit is not None:
            way = Way(
                edit.strategy,
                tuple(edit.steps),
                edit.pause.total_seconds(),
                edit.min_requests,
                edit.max_error_rate,
                edit.max_slowdown,
            )
        return self.acted(
            action,
            revisions=(entry, *self.revisions)[:KEPT],
            target=number,
            replicas=edit.replicas if edit is not None else self.replicas,
            way=way,
            paused=False,
            step=0,
            step_since=0.0,
        )

    def json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def read(raw: Mapping[str, Any]) -> State:
    """The state of a gateway's document; fields a newer version wrote are ignored."""
    known = {k: v for k, v in raw.items() if k in State.__dataclass_fields__}
    known["revisions"] = tuple(Entry(**entry) for entry in known.get("revisions", ()))
    known["actions"] = tuple(known.get("actions", ()))
    way: dict[str, Any] = known.get("way") or asdict(Way())
    way["steps"] = tuple(way["steps"])
    known["way"] = Way(**way)
    return State(**known)
