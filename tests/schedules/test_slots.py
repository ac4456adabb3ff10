"""Slots: each is served once, whatever dies, restarts or arrives late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.schedules.fleet import scheduling_world
from tests.support import FakeClock
from tools.schedules.base import Due, Schedules, schedules
from tools.schedules.rows import SqlSchedules
from tools.world import World

MORNING = {"when": "0 9 * * *", "channel": "team", "timezone": "UTC"}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 11, 23, 8, 59, tzinfo=UTC))


@pytest.fixture
def world(tmp_path: Path, clock: FakeClock) -> World:
    return scheduling_world(tmp_path, clock, summaries={"morning": MORNING})


def meet(world: World) -> Schedules:
    """The port, having met the schedules of the file now."""
    port = schedules(world)
    assert port.claim("first") == []
    return port


def serve(port: Schedules, owner: str = "one") -> list[Due]:
    taken = list(port.claim(owner))
    for due in taken:
        assert port.finish(due, owner, "done", "")
    return taken


def test_a_slot_is_served_once_and_the_next_one_again(world: World, clock: FakeClock) -> None:
    port = meet(world)
    clock.time += timedelta(minutes=1)
    assert [d.at.hour for d in serve(port)] == [9]
    assert serve(port) == []
    clock.time += timedelta(hours=23, minutes=59)
    assert serve(port) == []
    clock.time += timedelta(minutes=1)
    assert len(serve(port)) == 1


def test_nothing_is_served_that_was_due_before_anybody_met_it(
    tmp_path: Path, clock: FakeClock
) -> None:
    clock.time += timedelta(minutes=11)  # 09:10
    world = scheduling_world(tmp_path, clock, summaries={"morning": MORNING})
    assert serve(schedules(world)) == []
    clock.time += timedelta(days=1)
    assert len(serve(schedules(world))) == 1


def test_a_missed_slot_is_caught_up_once_within_grace(world: World, clock: FakeClock) -> None:
    meet(world)
    clock.time += timedelta(minutes=50)  # nobody was there at 09:00
    port = SqlSchedules(world)
    assert [d.at.minute for d in serve(port)] == [0]
    assert serve(port) == []


def test_a_slot_beyond_grace_is_let_go_and_counted(world: World, clock: FakeClock) -> None:
    port = meet(world)
    clock.time += timedelta(minutes=1)
    assert len(serve(port)) == 1
    clock.time += timedelta(days=3, hours=12)
    assert serve(SqlSchedules(world)) == []
    clock.time += timedelta(hours=12)
    (due,) = serve(SqlSchedules(world))
    assert due.missed == 3


def test_the_policy_skip_lets_late_slots_go(tmp_path: Path, clock: FakeClock) -> None:
    skip = {**MORNING, "missed": "skip"}
    world = scheduling_world(tmp_path, clock, summaries={"morning": skip})
    meet(world)
    clock.time += timedelta(minutes=10)
    assert serve(SqlSchedules(world)) == []
    clock.time += timedelta(days=1, minutes=-8)
    assert len(serve(SqlSchedules(world))) == 1


def test_many_missed_slots_of_an_hourly_summary_make_one(tmp_path: Path, clock: FakeClock) -> None:
    hourly = {**MORNING, "when": "*/10 * * * *"}
    world = scheduling_world(tmp_path, clock, summaries={"often": hourly})
    meet(world)
    clock.time += timedelta(hours=5)
    (due,) = serve(SqlSchedules(world))
    assert due.at == datetime(2026, 11, 23, 13, 50, tzinfo=UTC)
    assert due.missed == 29
    assert serve(SqlSchedules(world)) == []


def test_a_dead_holder_is_replaced_after_its_lease_and_cannot_finish(
    world: World, clock: FakeClock
) -> None:
    port = meet(world)
    clock.time += timedelta(minutes=1)
    (due,) = port.claim("dead")
    other = SqlSchedules(world)
    assert other.claim("two") == []
    clock.time += timedelta(seconds=61)
    (again,) = other.claim("two")
    assert (again.at, again.attempt, again.key) == (due.at, 2, due.key)
    assert not port.finish(due, "dead", "done", "")
    assert not port.renew(due, "dead")
    assert other.finish(again, "two", "done", "")


def test_a_renewed_lease_holds(world: World, clock: FakeClock) -> None:
    port = meet(world)
    clock.time += timedelta(minutes=1)
    (due,) = port.claim("one")
    for _ in range(5):
        clock.time += timedelta(seconds=50)
        assert port.renew(due, "one")
        assert SqlSchedules(world).claim("two") == []


def test_a_slot_that_kills_its_holders_is_given_up(world: World, clock: FakeClock) -> None:
    port = meet(world)
    clock.time += timedelta(minutes=1)
    served = []
    for attempt in range(5):
        served += SqlSchedules(world).claim(f"dead-{attempt}")
        clock.time += timedelta(seconds=61)
    assert [d.attempt for d in served] == [1, 2, 3]
    last = port.last_run(served[0].schedule.uid)
    assert last is not None
    assert (last.state, last.note) == ("failed", "given up: 3 processes died over it")


def test_a_changed_line_is_a_new_schedule(tmp_path: Path, clock: FakeClock) -> None:
    world = scheduling_world(tmp_path, clock, summaries={"morning": MORNING})
    meet(world)
    clock.time += timedelta(minutes=1)
    assert len(serve(schedules(world))) == 1
    later = {**MORNING, "when": "30 9 * * *"}
    changed = scheduling_world(tmp_path, clock, summaries={"morning": later})
    assert serve(schedules(changed)) == []
    clock.time += timedelta(minutes=30)
    assert len(serve(schedules(changed))) == 1
