"""The next moves of a roll-out on a Docker host. Pure: state and replicas in, moves out.

Replicas that take traffic never fall below the smaller of what was wanted and what there was: an
old one leaves only when the ready new ones make up for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tools.platforms.docker_state import State

CRASHES = 2
"""So many crashes of new replicas fail a roll-out; one may be bad luck."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A replica's container as the plan sees it."""

    id: str
    revision: int
    epoch: int
    generation: int
    """Of the edit it was started for."""
    ready: bool
    crashed: bool
    leaving: bool
    begun: bool = True
    """Whether its container was ever started: a driver killed in between leaves one that was not."""
    restarts: int = 0
    late: bool = False
    """Not ready for longer than a start may take."""
    why: str = ""
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Start:
    """Start a replica of a revision; a held one gets no traffic yet."""

    revision: int
    epoch: int
    held: bool = False


@dataclass(frozen=True, slots=True)
class Begin:
    """Start the container of a replica that was made and never started."""

    id: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Take no more requests, end those in flight, stop."""

    id: str


@dataclass(frozen=True, slots=True)
class Weigh:
    """Give each replica its share of the traffic."""

    weights: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Judge:
    """The canary's step stands as planned."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The roll-out failed; says why."""

    cause: str


@dataclass(frozen=True, slots=True)
class Done:
    """Everything is as wanted."""


Move: TypeAlias = Start | Begin | Leave | Weigh | Judge | Fail | Done


def moves(state: State, peers: Sequence[Peer]) -> list[Move]:
    """What to do now; empty when there is something to wait for."""
    failed = state.failed == state.generation
    target, epoch = state.target, state.epoch
    if failed:
        target, epoch = state.stable, state.stable_epoch
    present = [p for p in peers if not p.leaving]
    new = [p for p in present if (p.revision, p.epoch) == (target, epoch)]
    old = [p for p in present if (p.revision, p.epoch) != (target, epoch)]
    if unbegun := [p for p in present if not p.begun]:
        return [Begin(p.id) if p in new else Leave(p.id) for p in unbegun]
    if failed:
        return _retreat(state, new, old) if target else []
    ill = _ill(state, new)
    if ill and state.done != state.generation:
        return [Fail(ill)]
    if state.paused:
        return []
    if not old:
        return _fill(state, new, peers)
    match state.way.kind:
        case "blue_green":
            return _blue_green(state, new, old)
        case "canary" if state.step < len(state.way.steps) - 1:
            return _canary(state, new, old)
        case _:
            return _rolling(state, new, old)


def _ill(state: State, new: Sequence[Peer]) -> str:
    fresh = [p for p in new if p.generation >= state.since]
    crashes = [p for p in fresh if p.crashed or p.restarts >= CRASHES]
    late = [p for p in fresh if p.late]
    return next((p.why for p in (*crashes, *late)), "")


def _alive(peers: Sequence[Peer]) -> list[Peer]:
    return [p for p in peers if not p.crashed]


def _fill(state: State, new: Sequence[Peer], peers: Sequence[Peer]) -> list[Move]:
    """Nothing old is left: the right number, all with traffic."""
    # A replica that crashed after its roll-out keeps its place: the next edit settles it.
    settled = [p for p in new if p.crashed and p.generation < state.since]
    found: list[Move] = [Leave(p.id) for p in settled]
    kept = [p for p in new if p not in settled]
    missing = state.replicas - len(kept)
    if missing > 0:
        return [*found, *([Start(state.target, state.epoch)] * missing)]
    order = sorted(kept, key=lambda p: (not p.crashed, p.ready, p.id))
    surplus = order[: len(kept) - state.replicas]
    found += [Leave(p.id) for p in surplus]
    rest = [p for p in kept if p not in surplus]
    found += _even(rest)
    gone = not any(p.leaving for p in peers)
    if not found and gone and all(p.ready for p in rest):
        return [Done()]
    return found


def _even(peers: Sequence[Peer]) -> list[Move]:
    if all(p.weight == 1.0 for p in peers):
        return []
    return [Weigh(tuple((p.id, 1.0) for p in peers))]


def _retreat(state: State, new: Sequence[Peer], old: Sequence[Peer]) -> list[Move]:
    """Back to the stable revision, at strength, before what failed is let go."""
    working = _alive(new)
    missing = state.replicas - len(working)
    if missing > 0:
        return [Start(state.stable, state.stable_epoch)] * missing
    idle = [p for p in old if not p.ready or p.weight == 0]
    if all(p.ready for p in working):
        idle = list(old)
    return [*_even(working), *(Leave(p.id) for p in idle)]


def _rolling(state: State, new: Sequence[Peer], old: Sequence[Peer]) -> list[Move]:
    found: list[Move] = _even([*new, *old])
    wanted, ready = state.replicas, sum(p.ready for p in new)
    serving = [p for p in old if p.ready]
    found += [Leave(p.id) for p in old if not p.ready]
    starting = len(new) - ready
    surge = max(1, wanted // 4)
    room = min(wanted - len(new), surge - starting)
    found += [Start(state.target, state.epoch)] * max(0, room)
    spare = max(0, ready + len(serving) - wanted) if ready < wanted else len(serving)
    found += [Leave(p.id) for p in sorted(serving, key=lambda p: p.id)[:spare]]
    return found


def _blue_green(state: State, new: Sequence[Peer], old: Sequence[Peer]) -> list[Move]:
    missing = state.replicas - len(new)
    if missing > 0:
        return [Start(state.target, state.epoch, held=True)] * missing
    if sum(p.ready for p in new) < state.replicas:
        return []
    if any(p.weight == 0 for p in new):
        return [Weigh((*((p.id, 1.0) for p in new), *((p.id, 0.0) for p in old)))]
    return [Leave(p.id) for p in old]


def _canary(state: State, new: Sequence[Peer], old: Sequence[Peer]) -> list[Move]:
    """The exact share of the traffic by weight; every old replica stays until the last step."""
    share = state.way.steps[state.step]
    wanted = min(max(1, round(share * state.replicas)), state.replicas)
    missing = wanted - len(new)
    if missing > 0:
        return [Start(state.target, state.epoch, held=True)] * missing
    if not all(p.ready for p in new):
        return []
    weights = {p.id: round(share / len(new), 6) for p in new}
    weights |= {p.id: round((1 - share) / len(old), 6) for p in old}
    if any(abs(p.weight - weights[p.id]) > 1e-9 for p in (*new, *old)):
        return [Weigh(tuple(weights.items()))]
    return [Judge()]
