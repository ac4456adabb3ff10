"""The moves of a roll-out, without processes: never below what is wanted, and always an end."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from tools.platforms.base import Release
from tools.platforms.local_plan import (
    Accept,
    Drain,
    Forget,
    Judge,
    Start,
    at_rest,
    canary_counts,
    converged,
    moves,
    picture,
)
from tools.platforms.local_records import (
    Desired,
    Observed,
    ReplicaRow,
    RevisionRow,
    Strategy,
)

KINDS = st.sampled_from(["rolling", "canary", "blue_green"])
RELEASES = tuple(RevisionRow(n, Release("m", str(n), None, "/m.onnx"), 0.0, "a") for n in (1, 2, 3))


def replica(id: str, revision: int, state: str = "ready", epoch: int = 0) -> ReplicaRow:
    return ReplicaRow(id, revision, epoch, 1, "a", 1, 1.0, 0.0, state, was_ready=True)  # type: ignore[arg-type]


class World:
    """A keeper's rules without processes: every start succeeds or fails as told."""

    def __init__(self, desired: Desired, observed: Observed, broken: bool = False) -> None:
        self.desired, self.seen, self.broken = desired, observed, broken
        self.serial = 0
        self.least = self.most = picture(desired, observed).serving

    def step(self) -> bool:
        """Make the moves there are, then let starts and drains end; false when there are none."""
        todo = moves(self.desired, self.seen)
        for move in todo:
            self._make(move)
            self._count()
        rows = [r for r in self.seen.replicas if r.state != "draining"]
        changed = len(rows) != len(self.seen.replicas) or any(r.state == "starting" for r in rows)
        after = tuple(self._started(r) for r in rows)
        self.seen = replace(self.seen, replicas=after)
        self._count()
        return bool(todo) or changed

    def _started(self, row: ReplicaRow) -> ReplicaRow:
        if row.state != "starting":
            return row
        if self.broken and row.revision == self.desired.target:
            self.seen = replace(self.seen, failed=self.desired.generation)
            return replace(row, state="crashed", generation=self.desired.generation)
        return replace(row, state="ready")

    def _make(self, move: object) -> None:
        rows = list(self.seen.replicas)
        match move:
            case Start(revision, held):
                self.serial += 1
                row = replica(f"n{self.serial}", revision, "starting", self.desired.epoch)
                row = replace(row, held=held, generation=self.desired.generation)
                rows.append(row)
            case Drain(id):
                rows = [replace(r, state="draining") if r.id == id else r for r in rows]
            case Accept(id):
                rows = [replace(r, held=False) if r.id == id else r for r in rows]
            case Forget(id):
                rows = [r for r in rows if r.id != id]
            case Judge():
                self.seen = replace(self.seen, step=self.seen.step + 1)
            case _:
                raise AssertionError(move)
        self.seen = replace(self.seen, replicas=tuple(rows))

    def _count(self) -> None:
        serving = sum(r.state == "ready" and not r.held for r in self.seen.replicas)
        living = sum(r.state in ("ready", "starting") for r in self.seen.replicas)
        self.least, self.most = min(self.least, serving), max(self.most, living)


def start_of(
    kind: Literal["rolling", "canary", "blue_green"],
    have: int,
    want: int,
    restart: bool,
    silent: int = 0,
) -> World:
    desired = Desired(
        "u",
        1,
        generation=2,
        target=1 if restart else 2,
        epoch=1 if restart else 0,
        replicas=want,
        strategy=Strategy(kind, (0.25, 0.5, 1.0)),
        revisions=RELEASES,
    )
    observed = Observed(
        generation=2,
        complete=1,
        stable=1,
        replicas=tuple(
            replica(f"o{n}", 1, "not ready" if n >= have else "ready") for n in range(have + silent)
        ),
    )
    return World(desired, observed)


@given(KINDS, st.integers(0, 8), st.integers(0, 8), st.booleans(), st.integers(0, 3))
@settings(max_examples=300, deadline=None)
def test_every_roll_out_ends_at_the_target_and_serves_all_the_way(
    kind: Literal["rolling", "canary", "blue_green"],
    have: int,
    want: int,
    restart: bool,
    silent: int,
) -> None:
    world = start_of(kind, have, want, restart, silent)
    for _ in range(200):
        if not world.step():
            break
    assert converged(world.desired, world.seen)
    assert at_rest(world.desired, world.seen)
    assert world.least >= min(have, want)
    assert {r.revision for r in world.seen.replicas} <= {world.desired.target}
    ceiling = have + want if kind == "blue_green" else max(have, want) + 1
    assert world.most <= ceiling + silent


@given(KINDS, st.integers(1, 8), st.integers(1, 8))
@settings(max_examples=200, deadline=None)
def test_a_broken_release_leaves_the_stable_one_at_strength(
    kind: Literal["rolling", "canary", "blue_green"], have: int, want: int
) -> None:
    world = start_of(kind, have, want, restart=False)
    world.broken = True
    for _ in range(200):
        if not world.step():
            break
    assert at_rest(world.desired, world.seen)
    serving = [r for r in world.seen.replicas if r.state == "ready"]
    assert {r.revision for r in serving} == {1}
    assert len(serving) == want
    assert world.least >= min(have, want)


@given(KINDS, st.integers(1, 6), st.integers(1, 6), st.integers(0, 5))
@settings(max_examples=200, deadline=None)
def test_paused_means_no_move(
    kind: Literal["rolling", "canary", "blue_green"], have: int, want: int, steps: int
) -> None:
    world = start_of(kind, have, want, restart=False)
    for _ in range(steps):
        world.step()
    world.desired = replace(world.desired, paused=True)
    assert moves(world.desired, world.seen) == []


@given(st.integers(1, 50), st.floats(0.01, 0.99), st.integers(0, 50))
def test_canary_counts_keep_capacity(wanted: int, share: float, old: int) -> None:
    new, kept = canary_counts(wanted, share, old)
    assert 1 <= new <= wanted
    assert kept <= old
    assert new + kept >= min(wanted, new + old)


def test_a_crashed_replica_keeps_its_place_until_an_edit() -> None:
    desired = Desired("u", 1, generation=1, target=1, replicas=2, revisions=RELEASES)
    seen = Observed(
        generation=1,
        complete=1,
        stable=1,
        replicas=(replica("a", 1), replica("b", 1, "crashed")),
    )
    assert moves(desired, seen) == []
    again = replace(desired, generation=2)
    assert Forget("b") in moves(again, seen)
