"""The contract of ``tools/platforms/base.py``, kept by every platform."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.contract.platforms import Bench, load
from tests.support import RecordingAct
from tools.contract import Happened
from tools.errors import BadArguments, Cancelled, Refused, ToolError
from tools.platforms.base import (
    Edit,
    Pause,
    Restart,
    Resume,
    RollBack,
    RollOut,
    Scale,
    Status,
    StrategyName,
)

pytestmark = pytest.mark.timeout(290)
HOUR = timedelta(hours=1)


def _platforms() -> list[object]:
    return [
        pytest.param(name, marks=pytest.mark.skip(reason=skip)) if skip else name
        for name, (_, skip) in load().items()
    ]


@pytest.fixture(params=_platforms())
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    maker, _ = load()[request.param]
    with maker(tmp_path) as made:
        yield made


_ids = itertools.count(1)


def do(bench: Bench, edit: Edit, id: str = "") -> str:
    id = id or f"act-{next(_ids)}"
    bench.platform.edit(bench.ref, edit, RecordingAct(id))
    return id


def rolled_out(bench: Bench, version: int = 1, replicas: int = 2) -> Status:
    do(bench, RollOut(bench.release(version), replicas))
    status = bench.until(lambda s: s.phase == "complete" and s.release.version == str(version))
    assert (status.ready, status.wanted, status.updated) == (replicas, replicas, replicas)
    return status


def ids(status: Status) -> set[str]:
    return {r.id for r in status.replicas}


def test_before_the_first_roll_out_there_is_nothing(bench: Bench) -> None:
    status = bench.platform.status(bench.ref)
    assert (status.ready, status.wanted, status.replicas) == (0, 0, ())
    assert status.release.version is None
    assert list(bench.platform.history(bench.ref)) == []
    assert bench.ref in [s.ref for s in bench.platform.deployments()]


def test_an_unknown_deployment_is_named_with_its_neighbour(bench: Bench) -> None:
    with pytest.raises(BadArguments, match="digits"):
        bench.platform.status("digit")


def test_a_roll_out_becomes_complete_and_carries_its_action(bench: Bench) -> None:
    act = do(bench, RollOut(bench.release(1), 2))
    status = bench.until(lambda s: s.phase == "complete" and s.ready == 2)
    assert status.release.version == "1"
    assert status.action_id == act
    assert {r.version for r in status.replicas} == {"1"}
    assert all(r.ready for r in status.replicas)
    assert bench.platform.happened(bench.ref, act) is Happened.YES
    assert bench.platform.happened(bench.ref, "never") is Happened.NO


@pytest.mark.parametrize("strategy", ["rolling", "blue_green", "canary"])
def test_every_strategy_replaces_all_and_never_serves_less(
    bench: Bench, strategy: StrategyName
) -> None:
    rolled_out(bench, 1, 2)
    edit = RollOut(bench.release(2), 2, strategy, steps=(0.5, 1.0), pause=timedelta(seconds=0.1))
    do(bench, edit)
    least = 2

    def done(status: Status) -> bool:
        nonlocal least
        least = min(least, status.ready)
        return status.phase == "complete" and status.release.version == "2"

    status = bench.until(done)
    assert {r.version for r in status.replicas} == {"2"}
    assert least >= 2


def test_history_is_newest_first_and_says_what_is_current(bench: Bench) -> None:
    rolled_out(bench, 1)
    status = rolled_out(bench, 2)
    history = list(bench.platform.history(bench.ref))
    assert [r.release.version for r in history] == ["2", "1"]
    assert [r.current for r in history] == [True, False]
    assert history[0].number == status.revision > history[1].number
    assert all(r.action_id for r in history)


def test_a_roll_back_restores_weights_and_configuration(bench: Bench) -> None:
    first = rolled_out(bench, 1)
    rolled_out(bench, 2)
    do(bench, RollBack(first.revision))
    status = bench.until(lambda s: s.phase == "complete" and s.release.version == "1")
    assert status.release == first.release
    assert {r.version for r in status.replicas} == {"1"}


def test_rolling_back_to_a_revision_that_never_was_is_refused(bench: Bench) -> None:
    rolled_out(bench)
    with pytest.raises(BadArguments, match="99"):
        bench.platform.preview(bench.ref, RollBack(99))
    with pytest.raises(BadArguments, match="99"):
        do(bench, RollBack(99))


def test_scaling_up_and_down_and_to_nothing(bench: Bench) -> None:
    rolled_out(bench, 1, 2)
    for count in (3, 1, 0, 1):
        do(bench, Scale(count))
        status = bench.until(lambda s, n=count: s.phase == "complete" and s.ready == n)
        assert status.wanted == count
        assert status.release.version == "1"


def test_scaling_does_not_make_a_revision(bench: Bench) -> None:
    rolled_out(bench, 1, 1)
    do(bench, Scale(2))
    bench.until(lambda s: s.phase == "complete" and s.ready == 2)
    assert len(bench.platform.history(bench.ref)) == 1


def test_too_many_replicas_are_refused_with_the_reason(bench: Bench) -> None:
    if not bench.too_many:
        pytest.skip("this platform takes any number")
    rolled_out(bench, 1, 1)
    for attempt in (bench.platform.preview, lambda ref, edit: do(bench, edit)):
        with pytest.raises(Refused, match=str(bench.too_many)):
            attempt(bench.ref, Scale(bench.too_many))
    assert bench.platform.status(bench.ref).wanted == 1


def test_a_restart_replaces_every_replica_with_the_same_release(bench: Bench) -> None:
    before = rolled_out(bench)
    do(bench, Restart())
    status = bench.until(lambda s: s.phase == "complete" and not ids(before) & ids(s))
    assert status.release == before.release
    assert status.ready == 2


def test_the_same_action_takes_effect_once(bench: Bench) -> None:
    rolled_out(bench)
    act = do(bench, Restart())
    status = bench.until(lambda s: s.phase == "complete" and s.ready == 2)
    do(bench, Restart(), id=act)
    again = bench.until(lambda s: s.phase == "complete")
    assert ids(again) == ids(status)
    assert again.generation == status.generation


def test_the_generation_changes_with_edits_only(bench: Bench) -> None:
    before = rolled_out(bench)
    assert bench.platform.status(bench.ref).generation == before.generation
    do(bench, Scale(1))
    after = bench.until(lambda s: s.phase == "complete" and s.ready == 1)
    assert after.generation != before.generation
    assert after.uid == before.uid


def test_a_preview_changes_nothing(bench: Bench) -> None:
    before = rolled_out(bench)
    for edit in (RollOut(bench.release(2), 3), Scale(1), Restart(), RollBack(before.revision)):
        assert bench.platform.preview(bench.ref, edit).diff.strip()
        assert bench.platform.preview(bench.ref, edit) == bench.platform.preview(bench.ref, edit)
    after = bench.platform.status(bench.ref)
    assert (after.generation, ids(after)) == (before.generation, ids(before))


def test_a_roll_out_previews_both_versions(bench: Bench) -> None:
    rolled_out(bench)
    diff = bench.platform.preview(bench.ref, RollOut(bench.release(2), 2)).diff
    assert any(line.startswith("-") and "1" in line for line in diff.splitlines())
    assert any(line.startswith("+") and "2" in line for line in diff.splitlines())


def test_a_broken_release_fails_with_its_cause_and_the_old_one_serves_on(bench: Bench) -> None:
    rolled_out(bench, 1, 2)
    do(bench, RollOut(bench.broken, 2))
    status = bench.until(lambda s: s.phase == "failed")
    assert bench.broken_cause in status.message
    assert status.ready >= 2
    assert {r.version for r in status.replicas if r.ready} == {"1"}
    assert any(e.kind == "warning" for e in bench.platform.events(bench.ref, since=HOUR))


def test_after_a_failed_roll_out_a_roll_back_is_complete(bench: Bench) -> None:
    first = rolled_out(bench, 1, 2)
    do(bench, RollOut(bench.broken, 2))
    bench.until(lambda s: s.phase == "failed")
    do(bench, RollBack(first.revision))
    status = bench.until(lambda s: s.phase == "complete")
    assert (status.release.version, status.ready) == ("1", 2)


def test_a_first_roll_out_that_fails_can_be_scaled_away(bench: Bench) -> None:
    do(bench, RollOut(bench.broken, 1))
    status = bench.until(lambda s: s.phase == "failed")
    assert bench.broken_cause in status.message
    do(bench, Scale(0))
    assert bench.until(lambda s: s.phase == "complete").ready == 0


def test_pause_holds_and_resume_completes(bench: Bench) -> None:
    rolled_out(bench, 1, 3)
    bench.slow()
    do(bench, RollOut(bench.release(2), 3))
    do(bench, Pause())
    status = bench.until(lambda s: s.phase == "paused" and s.ready >= 3)
    assert {r.version for r in status.replicas if r.ready} != {"2"}
    do(bench, Resume())
    status = bench.until(lambda s: s.phase == "complete")
    assert {r.version for r in status.replicas} == {"2"}


def test_a_paused_roll_out_can_be_aborted(bench: Bench) -> None:
    rolled_out(bench, 1, 2)
    bench.slow()
    do(bench, RollOut(bench.release(2), 2))
    do(bench, Pause())
    act = RecordingAct("abort-1")
    bench.platform.abort(bench.ref, act)
    status = bench.until(lambda s: s.phase == "complete")
    assert (status.release.version, status.ready) == ("1", 2)
    assert bench.platform.happened(bench.ref, "abort-1") is Happened.YES


def test_nothing_to_pause_resume_or_abort_is_refused(bench: Bench) -> None:
    rolled_out(bench)
    for edit in (Pause(), Resume()):
        with pytest.raises(Refused):
            do(bench, edit)
    with pytest.raises(Refused):
        bench.platform.abort(bench.ref, RecordingAct())


def test_a_second_change_does_not_overrun_the_first(bench: Bench) -> None:
    rolled_out(bench, 1, 2)
    bench.slow()
    do(bench, RollOut(bench.release(2), 2))
    with pytest.raises(Refused, match=bench.ref):
        do(bench, RollOut(bench.release(3), 2))
    status = bench.until(lambda s: s.phase == "complete")
    assert status.release.version == "2"


def test_a_cancelled_act_changes_nothing(bench: Bench) -> None:
    before = rolled_out(bench)
    act = RecordingAct("cancelled")
    act.cancelled = True
    with pytest.raises(Cancelled):
        bench.platform.edit(bench.ref, Scale(1), act)
    assert bench.platform.happened(bench.ref, "cancelled") is Happened.NO
    assert bench.platform.status(bench.ref).generation == before.generation


def test_a_dead_replica_shows_with_its_cause(bench: Bench) -> None:
    if bench.kill is None:
        pytest.skip("this platform replaces a dead replica at once")
    rolled_out(bench, 1, 2)
    bench.kill()
    status = bench.until(lambda s: s.ready == 1)
    status = bench.until(lambda s: s.phase == "degraded")
    assert "killed" in status.message
    assert any(r.state == "crashed" and r.message for r in status.replicas)
    do(bench, Restart())
    assert bench.until(lambda s: s.phase == "complete").ready == 2


def test_another_process_sees_the_same(bench: Bench) -> None:
    if bench.again is None:
        pytest.skip("this platform is seen through one object only")
    status = rolled_out(bench)
    other = bench.again().status(bench.ref)
    assert (other.uid, other.generation, ids(other)) == (status.uid, status.generation, ids(status))


def test_logs_and_events_have_times_and_sources(bench: Bench) -> None:
    status = rolled_out(bench)
    lines = bench.platform.logs(bench.ref, since=HOUR)
    assert {line.source for line in lines} & ids(status)
    assert any(line.at is not None for line in lines)
    assert len(bench.platform.logs(bench.ref, since=HOUR, limit=1)) <= 1
    events = list(bench.platform.events(None, since=HOUR))
    assert events == sorted(events, key=lambda e: e.at)


def test_errors_speak_two_languages(bench: Bench) -> None:
    with pytest.raises(ToolError) as caught:
        bench.platform.status("nothing-like-it")
    assert caught.value.say("en") != caught.value.say("zh")
