"""Scheduling and unscheduling a summary as changes: plan, apply, verify, undo, after a crash."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.schedules.fleet import scheduling_world
from tests.support import FakeClock, RecordingAct, carry_out
from tools.contract import Change, Happened, Outcome, Plan
from tools.errors import BadArguments, Refused
from tools.schedules.base import schedules
from tools.schedules.listing import list_schedules
from tools.schedules.scheduling import ScheduleSummary
from tools.schedules.unscheduling import UnscheduleSummary
from tools.world import World


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()  # Monday 2026-11-23 03:00 UTC, 04:00 in Berlin


@pytest.fixture
def world(tmp_path: Path, clock: FakeClock) -> World:
    return scheduling_world(tmp_path, clock)


def plan(world: World, when: str = "0 9 * * *", channel: str = "team") -> Plan:
    change: Change[object] | None = ScheduleSummary.change
    assert change is not None
    return change.plan(world, ScheduleSummary.bind({"when": when, "channel": channel}))


def test_the_plan_shows_the_next_three_runs_and_who_posts(world: World) -> None:
    shown = plan(world)
    assert shown.title == "Post a status summary to team every day at 09:00 (Europe/Berlin)"
    assert shown.diff == "+ daily-team: 0 9 * * * (Europe/Berlin) to team (file)"
    for run in ("Mon 2026-11-23 09:00 CET", "Tue 2026-11-24 09:00 CET", "Wed 2026-11-25 09:00"):
        assert run in shown.blast_radius
    assert "steward serve" in shown.warnings[0]


def test_the_plan_is_the_same_later_if_nothing_changed(world: World, clock: FakeClock) -> None:
    first = plan(world)
    clock.time += timedelta(days=1, hours=5)
    again = plan(world)
    assert (first.target, first.diff, first.details) == (again.target, again.diff, again.details)


def test_scheduled_verified_and_listed(world: World) -> None:
    _, outcome, verdict = carry_out(world, ScheduleSummary, when="0 9 * * 1-5", channel="Team")
    assert outcome.summary == "scheduled as weekdays-team"
    assert verdict.ok
    assert verdict.evidence == "weekdays-team runs next Mon 2026-11-23 09:00 CET"
    assert list_schedules.read is not None
    said = list_schedules.read(world).say("en")
    assert said.splitlines()[0] == (
        "1 summary is scheduled; the next comes Mon 2026-11-23 09:00 CET (weekdays-team)."
    )
    assert "每个工作日 09:00" in list_schedules.read(world).say("zh")


def test_applying_twice_under_one_id_schedules_once(world: World) -> None:
    shown = plan(world)
    assert ScheduleSummary.change is not None
    for _ in range(2):
        ScheduleSummary.change.apply(world, shown, RecordingAct("a-1"))
    assert [s.uid for s in schedules(world).all()] == ["a-1"]


def test_happened_answers_a_crash(world: World) -> None:
    shown, change = plan(world), ScheduleSummary.change
    assert change is not None
    assert change.happened(world, shown, "a-1") is Happened.NO
    change.apply(world, shown, RecordingAct("a-1"))
    assert change.happened(world, shown, "a-1") is Happened.YES


def test_a_second_racer_for_the_name_is_refused(world: World) -> None:
    shown, change = plan(world), ScheduleSummary.change
    assert change is not None
    change.apply(world, shown, RecordingAct("a-1"))
    with pytest.raises(Refused, match="daily-team already"):
        change.apply(world, shown, RecordingAct("a-2"))


def test_undo_and_undo_of_the_undo(world: World) -> None:
    shown, outcome, _ = carry_out(world, ScheduleSummary, "a-1", when="0 9 * * *", channel="team")
    assert ScheduleSummary.change is not None
    assert UnscheduleSummary.change is not None
    call = ScheduleSummary.change.undo(world, shown, outcome)
    assert (call.tool, call.args) == ("unschedule_summary", {"name": "daily-team"})
    gone, ended, verdict = carry_out(world, UnscheduleSummary, "a-2", **call.args)
    assert verdict.ok
    assert schedules(world).all() == ()
    assert UnscheduleSummary.change.happened(world, gone, "a-2") is Happened.YES
    back = UnscheduleSummary.change.undo(world, gone, ended)
    assert (back.tool, back.args) == ("schedule_summary", {"when": "0 9 * * *", "channel": "team"})
    _, _, again = carry_out(world, ScheduleSummary, "a-3", **back.args)
    assert again.ok


def test_undo_keeps_a_zone_that_is_not_the_fleets(world: World) -> None:
    when = "CRON_TZ=Asia/Tokyo 0 9 * * *"
    carry_out(world, ScheduleSummary, "a-1", when=when, channel="team")
    assert UnscheduleSummary.change is not None
    gone, ended, _ = carry_out(world, UnscheduleSummary, "a-2", name="daily-team")
    assert UnscheduleSummary.change.undo(world, gone, ended).args["when"] == when


def test_the_same_summary_twice_is_refused_with_its_name(world: World) -> None:
    carry_out(world, ScheduleSummary, when="0 9 * * *", channel="team")
    with pytest.raises(BadArguments, match="already, as daily-team"):
        plan(world)
    assert "+ daily-team-2:" in plan(world, "0 10 * * *").diff


def test_an_unknown_channel_names_the_nearest(world: World) -> None:
    with pytest.raises(BadArguments, match="Did you mean team"):
        plan(world, channel="teem")


def test_a_very_frequent_summary_is_warned_about(world: World) -> None:
    assert any("every 5 minutes" in w for w in plan(world, "*/5 * * * *").warnings)


def test_one_from_the_file_cannot_be_stopped_here(tmp_path: Path, clock: FakeClock) -> None:
    morning = {"when": "0 9 * * *", "channel": "team"}
    world = scheduling_world(tmp_path, clock, summaries={"morning": morning})
    assert UnscheduleSummary.change is not None
    with pytest.raises(Refused, match=r"steward\.yaml"):
        UnscheduleSummary.change.plan(world, UnscheduleSummary.bind({"name": "morning"}))


def test_a_lost_row_fails_verification(world: World) -> None:
    assert ScheduleSummary.change is not None
    verdict = ScheduleSummary.change.verify(world, plan(world), Outcome(""), RecordingAct("a-9"))
    assert not verdict.ok
    assert verdict.cause == "not stored"


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ({"summaries": {"m": {"when": "0 9 * * *"}}}, "summaries.m.channel"),
        ({"summaries": {"m": {"when": "nine", "channel": "team"}}}, "not a cron line"),
        ({"summaries": {"m": {"when": "0 9 * * *", "channel": "team", "x": 1}}}, "summaries.m.x"),
        ({"missed": "twice"}, "catch_up or skip"),
        ({"grace": "long"}, "grace should be a duration"),
        ({"timezone": "Mars"}, "Mars"),
        ({"daily": {}}, "schedules.daily"),
    ],
)
def test_a_wrong_section_is_named(
    tmp_path: Path, clock: FakeClock, section: dict[str, object], fault: str
) -> None:
    wrong = {"summaries": {"m": {"when": "0 9 * * *", "channel": "team"}}, **section}
    world = scheduling_world(tmp_path, clock, **wrong)  # type: ignore[arg-type]
    with pytest.raises(BadArguments, match=fault):
        schedules(world).all()
