"""Waiting for a change: what counts as progress, and what as a fall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from tests.deployments.shelf import double_world
from tests.support import FakeClock, RecordingAct
from tools.contract import Verdict
from tools.deployments.checking import Check
from tools.deployments.judging import complete
from tools.platforms.base import Platform, Release, Replica, Status

BEGAN = datetime(2026, 11, 23, tzinfo=UTC)


def seen(revision: int, *replicas: tuple[int, bool], phase: str = "progressing") -> Status:
    """A status of two wanted replicas; each of ``replicas`` is a revision and whether it is ready."""
    made = [
        Replica(id=f"r{i}", ready=ready, revision=rev, version=str(rev), started_at=BEGAN)
        for i, (rev, ready) in enumerate(replicas)
    ]
    up = sum(r.ready for r in made)
    return replace(
        Status(
            name="digits",
            namespace=None,
            platform="kube",
            uid="u",
            generation="1",
            revision=revision,
            release=Release("digits", str(revision), None, None),
            wanted=2,
            ready=up,
            updated=sum(r.revision == revision for r in made),
            phase=cast("Any", phase),
            replicas=tuple(made),
        ),
        message="crash loop" if phase == "degraded" else "",
    )


class Course:
    """A platform that shows each status from its second on."""

    def __init__(self, clock: FakeClock, course: Sequence[tuple[float, Status]]) -> None:
        self._clock, self._began, self._course = clock, clock.now(), course

    def status(self, ref: str) -> Status:
        gone = (self._clock.now() - self._began).total_seconds()
        return [status for at, status in self._course if at <= gone][-1]


def settled(tmp_path: Path, *course: tuple[float, Status], heals: bool = False) -> Status | Verdict:
    clock = FakeClock()
    world, _, _ = double_world(tmp_path, clock=clock)
    check = Check(
        world,
        cast("Platform", Course(clock, course)),
        "digits",
        RecordingAct("a"),
        clock.now() + timedelta(seconds=720),
        timedelta(seconds=180),
        heals=heals,
    )
    return check.settled(complete)


OLD = seen(1, (1, True), (1, True))
ONE = seen(2, (1, True), (1, True), (2, True))
BOTH = seen(2, (2, True), (2, True), phase="complete")


def test_a_controller_that_had_not_looked_yet_does_not_hide_the_progress(tmp_path: Path) -> None:
    found = settled(tmp_path, (0, OLD), (100, ONE), (250, BOTH))
    assert isinstance(found, Status), found


def test_standing_still_ends_it(tmp_path: Path) -> None:
    found = settled(tmp_path, (0, OLD), (100, ONE), (300, BOTH))
    assert isinstance(found, Verdict)
    assert "did not get there in time" in found.evidence


def test_new_replicas_that_fall_again_end_it_after_a_minute(tmp_path: Path) -> None:
    fallen = seen(2, (2, True), (2, False), phase="degraded")
    found = settled(tmp_path, (0, OLD), (10, fallen), (60, BOTH))
    assert isinstance(found, Status), found
    found = settled(tmp_path, (0, OLD), (10, fallen), (100, BOTH))
    assert isinstance(found, Verdict)
    assert "does not hold: crash loop" in found.evidence


def test_old_replicas_may_take_the_time_that_they_were_given_to_leave(tmp_path: Path) -> None:
    leaving = seen(2, (2, True), (2, True), (1, False))
    last = replace(leaving.replicas[2], state="draining")
    leaving = replace(leaving, replicas=(*leaving.replicas[:2], last))
    found = settled(tmp_path, (0, OLD), (10, ONE), (20, leaving), (300, BOTH))
    assert isinstance(found, Status), found
    stuck = replace(leaving, phase="degraded", message="stuck terminating")
    found = settled(tmp_path, (0, OLD), (10, ONE), (20, stuck), (300, BOTH))
    assert isinstance(found, Verdict)


def test_a_roll_back_waits_until_a_lost_nodes_replicas_are_replaced(tmp_path: Path) -> None:
    lost = seen(2, (2, True), (2, False), phase="failed")
    lost = replace(lost, message="node lost: node-3: Kubelet stopped posting node status.")
    course = ((0, OLD), (10, lost), (320, BOTH))
    assert isinstance(settled(tmp_path, *course, heals=True), Status)
    assert isinstance(settled(tmp_path, *course), Verdict)
    assert isinstance(settled(tmp_path, (0, OLD), (10, lost), (500, BOTH), heals=True), Verdict)
