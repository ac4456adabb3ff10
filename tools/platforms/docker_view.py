"""Containers, states and events of a Docker host in the words of the contract."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tools.platforms.base import (
    LogLine,
    Phase,
    PlatformEvent,
    Replica,
    Status,
)
from tools.platforms.docker_peers import Seen
from tools.platforms.docker_plan import Peer
from tools.platforms.docker_setup import Setup

DRIVER_STARTS = 20.0
"""Seconds after an edit in which its driver may still be on its way."""


def status_of(platform: str, setup: Setup, seen: Seen, peers: Sequence[Peer]) -> Status:
    """The status of a deployment."""
    state, by_id = seen.state, {p.id: p for p in peers}
    phase, message = _phase(seen, peers)
    # A container that left in order may still be listed for a moment.
    left = {b.id for b in seen.boxes if b.state == "exited" and not by_id[b.id].weight}
    boxes = [b for b in seen.boxes if b.id not in left]
    total = sum(p.weight for p in peers if p.ready) or 1.0
    shares: dict[int, float] = {}
    for peer in peers:
        if peer.ready:
            shares[peer.revision] = round(shares.get(peer.revision, 0) + peer.weight / total, 4)
    return Status(
        name=setup.name,
        namespace=None,
        platform=platform,
        uid=seen.gateway.id[:12] if seen.gateway else "new",
        generation=str(state.generation),
        revision=state.target,
        release=state.release(state.target),
        wanted=state.replicas,
        ready=sum(p.ready for p in peers),
        updated=sum(p.ready for p in peers if (p.revision, p.epoch) == (state.target, state.epoch)),
        phase=phase,
        replicas=tuple(
            Replica(
                id=b.name,
                ready=by_id[b.id].ready,
                revision=by_id[b.id].revision,
                version=b.labels.get("steward.version") or None,
                started_at=b.created,
                restarts=b.restarts,
                state=_word(by_id[b.id]),
                message=by_id[b.id].why,
            )
            for b in boxes
        ),
        message=message,
        action_id=state.actions[0] if state.actions else None,
        traffic=shares if len(shares) > 1 else {},
        endpoint=f"http://{setup.address}:{setup.port}",
    )


def _word(peer: Peer) -> str:
    if peer.crashed or peer.restarts:
        return "running" if peer.ready else "crashed"
    return "running" if peer.ready else "starting"


def _phase(seen: Seen, peers: Sequence[Peer]) -> tuple[Phase, str]:
    state = seen.state
    if not state.target:
        return "complete", "nothing was rolled out yet"
    if seen.gateway is not None and seen.gateway.state != "running":
        return "degraded", f"its gateway is {seen.gateway.state}: the port does not answer"
    if state.failed == state.generation:
        return "failed", state.cause
    if state.paused:
        return "paused", f"{sum(p.ready for p in peers)} replicas serve while it is paused"
    if state.done == state.generation:
        ill = [p for p in peers if not p.ready]
        if ill or len(peers) != state.replicas:
            why = next((p.why for p in ill if p.why), "")
            return (
                "degraded",
                why or f"{len(peers) - len(ill)} of {state.replicas} replicas are ready",
            )
        return "complete", ""
    new = sum(p.ready for p in peers if (p.revision, p.epoch) == (state.target, state.epoch))
    fresh = seen.driven or time.time() - state.edited < DRIVER_STARTS
    idle = "" if fresh else "; nobody drives it: resume the roll-out to go on"
    return "progressing", f"{new} of {state.replicas} new replicas are ready{idle}"


def read_line(source: str, row: str) -> LogLine:
    """A log line with its time."""
    stamp, _, text = row.partition(" ")
    try:
        return LogLine(
            datetime.fromisoformat(stamp[:26].rstrip("Z")).replace(tzinfo=UTC), source, text
        )
    except ValueError:
        return LogLine(None, source, row)


def read_event(row: Mapping[str, Any]) -> PlatformEvent:
    """An engine event as the contract words it."""
    about = row["Actor"]["Attributes"]
    action, code = str(row["Action"]), str(about.get("exitCode", ""))
    bad = action == "oom" or (action == "die" and code not in ("", "0", "143"))
    detail = f"{action} with exit code {code}" if code else action
    return PlatformEvent(
        at=datetime.fromtimestamp(row["timeNano"] / 1e9, UTC),
        target=f"container/{about.get('name', '')}",
        kind="warning" if bad else "normal",
        reason=action,
        message=f"{about.get('name', 'a container')}: {detail}",
    )
