"""Replicas as the plan sees them: from containers, their routes and what their gateway counted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.platforms.docker_engine import Engine
from tools.platforms.docker_plan import Peer
from tools.platforms.docker_setup import EPOCH, GENERATION, REVISION, Setup
from tools.platforms.docker_state import State
from tools.platforms.docker_values import Box


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at a deployment."""

    state: State
    version: int
    """Of the gateway's document; a write must name it."""
    gateway: Box | None
    boxes: tuple[Box, ...]
    routes: Mapping[str, Any]
    counters: Mapping[str, Any]
    """Container id → what its gateway saw; empty while the gateway is down."""
    driven: bool = False
    """Whether somebody drives its roll-out at present."""


def peers_of(
    engine: Engine, setup: Setup, seen: Seen, leaving: frozenset[str] = frozenset()
) -> list[Peer]:
    """The replicas of a deployment; those in ``leaving`` have been told to go."""
    return [_peer(engine, setup, seen, box, box.id in leaving) for box in seen.boxes]


def _peer(engine: Engine, setup: Setup, seen: Seen, box: Box, leaving: bool) -> Peer:
    sight = seen.counters.get(box.id, {})
    ready = box.state == "running" and bool(sight.get("ready"))
    crashed = box.state in ("exited", "dead")
    age = time.time() - box.created.timestamp()
    late = not ready and not crashed and age > setup.start_seconds
    return Peer(
        id=box.id,
        revision=int(box.labels.get(REVISION, 0)),
        epoch=int(box.labels.get(EPOCH, 0)),
        generation=int(box.labels.get(GENERATION, 0)),
        ready=ready,
        crashed=crashed,
        leaving=leaving,
        begun=box.state != "created" or bool(box.error),
        restarts=box.restarts,
        late=late,
        why="" if ready else _why(engine, box, late, str(sight.get("why", ""))),
        weight=float(seen.routes.get(box.id, {}).get("weight", 1.0)),
    )


def _why(engine: Engine, box: Box, late: bool, probe: str) -> str:
    """The named cause of a replica that does not serve."""
    if box.error:
        return f"container cannot start: {box.error[:160]}"
    if box.oom:
        return f"out of memory (OOM): {box.name} exceeded its memory limit"
    if box.state in ("exited", "dead") or box.restarts:
        said = _last_words(engine, box)
        killed = box.exit_code in (137, 143)
        word = "killed" if killed and not box.restarts else "crash loop"
        return f"{word}: {box.name} exited with {box.exit_code}{f': {said}' if said else ''}"
    if late:
        return f"probe failing: {box.name} is not ready: {probe or 'no answer'}"
    return ""


def _last_words(engine: Engine, box: Box) -> str:
    lines = [line for line in engine.logs(box.id, None, 5).splitlines() if line.strip()]
    return lines[-1].partition(" ")[2][:160] if lines else ""
