"""The next moves of a roll-out on this machine. Pure: what is wanted and seen in, moves out.

Invariants (property-tested): the replicas that take traffic never fall below the smaller of what
was wanted and what there was; surge is bounded; every strategy comes to rest at the target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tools.platforms.local_records import Desired, Observed, ReplicaRow


@dataclass(frozen=True, slots=True)
class Start:
    """Start a replica of a revision."""

    revision: int
    held: bool = False
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Drain:
    """Ask a replica to leave gracefully."""

    id: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Accept:
    """Let a held replica take traffic."""

    id: str


@dataclass(frozen=True, slots=True)
class Forget:
    """Drop a crashed replica from view: an edit after its crash settles it."""

    id: str


@dataclass(frozen=True, slots=True)
class Judge:
    """The canary's step stands as planned: judge it."""


Move: TypeAlias = Start | Drain | Accept | Forget | Judge


@dataclass(frozen=True, slots=True)
class Picture:
    """The replicas sorted by what they are to the present goal."""

    new: tuple[ReplicaRow, ...]
    old: tuple[ReplicaRow, ...]
    crashed: tuple[ReplicaRow, ...]
    """Crashed replicas of the goal that nobody has settled yet: each holds its place."""

    @property
    def new_ready(self) -> int:
        """New replicas able to serve."""
        return sum(r.state == "ready" for r in self.new)

    @property
    def serving(self) -> int:
        """Replicas of any kind that take traffic."""
        return sum(r.state == "ready" and not r.held for r in (*self.new, *self.old))


def goal(desired: Desired, observed: Observed) -> int:
    """The revision to head for: the target, or the stable one after a failed roll-out."""
    if observed.failed == desired.generation and observed.stable:
        return observed.stable
    return desired.target


def picture(desired: Desired, observed: Observed) -> Picture:
    """Sort the replicas."""
    aim = goal(desired, observed)
    # After a failed roll-out the stable replicas keep their own epoch: they are not replaced.
    fallen_back = aim != desired.target

    def matches(r: ReplicaRow) -> bool:
        return r.revision == aim and (fallen_back or r.epoch == desired.epoch)

    living = [r for r in observed.replicas if r.state not in ("crashed", "draining")]
    crashed = [r for r in observed.replicas if r.state == "crashed"]
    return Picture(
        tuple(r for r in living if matches(r)),
        tuple(r for r in living if not matches(r)),
        tuple(r for r in crashed if matches(r) and r.generation >= desired.generation),
    )


def converged(desired: Desired, observed: Observed) -> bool:
    """Whether the world is as wanted and nothing is leaving."""
    seen = picture(desired, observed)
    taking = sum(not r.held for r in seen.new if r.state == "ready")
    leaving = any(r.state == "draining" for r in observed.replicas)
    return taking == len(seen.new) == desired.replicas and not seen.old and not leaving


def at_rest(desired: Desired, observed: Observed) -> bool:
    """Whether a generation is over: as wanted, or failed with nothing left to put back."""
    if converged(desired, observed):
        return True
    failed = observed.failed == desired.generation
    waiting = any(r.state in ("starting", "draining") for r in observed.replicas)
    return failed and not waiting and not moves(desired, observed)


def moves(desired: Desired, observed: Observed) -> list[Move]:
    """What to do now; empty when all is well or there is something to wait for."""
    seen = picture(desired, observed)
    settled: list[Move] = [
        Forget(r.id)
        for r in observed.replicas
        if r.state == "crashed" and r.generation < desired.generation
    ]
    failed = observed.failed == desired.generation
    if desired.paused and not failed:
        return settled
    if failed and (not observed.stable or observed.stable == desired.target):
        return settled  # a first roll-out or a restart: nothing to return to, the rest goes on
    aim = goal(desired, observed)
    if not seen.old:
        return settled + _fill(desired, seen, aim)
    if failed:
        return settled + _retreat(desired, seen, aim)
    match desired.strategy.kind:
        case "blue_green":
            return settled + _blue_green(desired, seen)
        case "canary" if observed.step < len(desired.strategy.steps) - 1:
            return settled + _canary(desired, observed, seen)
        case _:
            return settled + _rolling(desired, seen)


def _fill(desired: Desired, seen: Picture, aim: int) -> list[Move]:
    """Nothing old is left: the right number, no more, no less."""
    missing = desired.replicas - len(seen.new) - len(seen.crashed)
    if missing > 0:
        return [Start(aim)] * missing
    accepts: list[Move] = [Accept(r.id) for r in seen.new if r.held and r.state == "ready"]
    surplus = len(seen.new) - desired.replicas
    if surplus <= 0:
        return accepts
    order = sorted(seen.new, key=lambda r: (r.state == "ready", -r.started_at))
    return [Drain(r.id, "scaled down") for r in order[:surplus]]


def _retreat(desired: Desired, seen: Picture, aim: int) -> list[Move]:
    """A roll-out failed: bring the stable revision back to strength, then let the new one go."""
    missing = desired.replicas - len(seen.new) - len(seen.crashed)
    restored = missing <= 0 and all(r.state == "ready" for r in seen.new)
    leaving = [r for r in seen.old if restored or r.state != "ready" or r.held]
    drains: list[Move] = [Drain(r.id, "roll-out failed") for r in leaving]
    return [Start(aim)] * max(0, missing) + drains


def _rolling(desired: Desired, seen: Picture, surge: int = 1) -> list[Move]:
    wanted = desired.replicas
    found: list[Move] = [Drain(r.id, "never served") for r in seen.old if r.state == "starting"]
    found += [Accept(r.id) for r in seen.new if r.held and r.state == "ready"]
    working = [r for r in seen.old if r.state != "starting"]
    missing = wanted - len(seen.new) - len(seen.crashed)
    able = sum(r.state == "ready" for r in working)
    # A silent replica gives no capacity, so it takes no room either: else nothing would move.
    room = max(wanted, able) + surge - able - (wanted - missing)
    found += [Start(desired.target)] * max(0, min(missing, room))
    spare = seen.new_ready + able - wanted
    if seen.new_ready >= wanted:
        spare = len(working)
    order = sorted(working, key=lambda r: (r.state == "ready", r.started_at))
    return found + [Drain(r.id, "replaced") for r in order[: max(0, spare)]]


def _blue_green(desired: Desired, seen: Picture) -> list[Move]:
    missing = desired.replicas - len(seen.new) - len(seen.crashed)
    if missing > 0:
        return [Start(desired.target, held=True)] * missing
    if seen.new_ready < desired.replicas:
        return []
    switch: list[Move] = [Accept(r.id) for r in seen.new if r.held]
    return switch or [Drain(r.id, "replaced") for r in seen.old]


def canary_counts(wanted: int, share: float, old: int) -> tuple[int, int]:
    """How many new and old replicas give the new version ``share`` of the traffic.

    Connections spread evenly over the replicas, so shares are counts. Capacity never falls
    below ``wanted``, and one more at most runs; within that, the share is the nearest there is.
    """
    new = min(max(1, round(share * wanted)), wanted)
    ideal = round(new * (1 - share) / share) if share > 0 else old
    return new, min(old, wanted - new + 1, max(wanted - new, ideal, 1))


def _canary(desired: Desired, observed: Observed, seen: Picture) -> list[Move]:
    share = desired.strategy.steps[observed.step]
    new, old = canary_counts(desired.replicas, share, len(seen.old))
    if seen.crashed:
        return [Judge()]
    missing, surplus = new - len(seen.new), len(seen.old) - old
    order = sorted(seen.old, key=lambda r: (r.state == "ready", r.started_at))
    silent = sum(r.state != "ready" for r in seen.old)
    spare = max(0, seen.serving - desired.replicas) + silent
    leaving: list[Move] = [Drain(r.id, "replaced") for r in order[: max(0, min(spare, surplus))]]
    if leaving:
        return leaving
    if missing > 0:
        able = len(seen.new) + len(seen.old) - silent
        return [Start(desired.target)] * min(missing, max(desired.replicas + 1, new + old) - able)
    if seen.new_ready < new:
        return [Judge()] if any(r.state == "not ready" for r in seen.new) else []
    return [Judge()]
