"""Routing by severity, quiet hours, and escalation until somebody acknowledges."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.notices.world import notifying_world
from tests.support import FakeClock
from tools.notices.base import Notices, notices
from tools.notices.outbox import SqlNotices
from tools.notices.quiet import earliest
from tools.notices.written import Quiet

BERLIN = ZoneInfo("Europe/Berlin")
SECTION: dict[str, Any] = {
    "targets": {name: {"file": f"{name}.log"} for name in ("team", "pager", "boss", "ceo")},
    "routes": {"critical": ["pager", "team"], "warning": ["team"]},
    "quiet": {"start": "22:00", "end": "07:00", "except": ["critical"]},
    "escalation": {"critical": {"after": "10m", "to": ["boss", "ceo"]}},
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 11, 23, 23, 0, tzinfo=UTC))


@pytest.fixture
def port(tmp_path: Path, clock: FakeClock) -> Notices:
    return notices(notifying_world(tmp_path, SECTION, clock))


def said(home: Path, target: str) -> int:
    path = home / f"{target}.log"
    return path.read_text().count("--- end of notice") if path.exists() else 0


def test_each_severity_goes_where_the_routes_say(tmp_path: Path, port: Notices) -> None:
    sent = port.publish("a1", "critical", "all is lost", subject="lost")
    assert [n.target for n in sent] == ["pager", "team"]
    assert port.publish("a2", "info", "fyi", subject="fyi") == []
    port.publish("a1", "critical", "all is lost", subject="lost")
    assert port.drain() == 2
    assert (said(tmp_path, "pager"), said(tmp_path, "team")) == (1, 1)


def test_quiet_hours_hold_all_but_the_excepted(
    tmp_path: Path, port: Notices, clock: FakeClock
) -> None:
    port.publish("a1", "warning", "disk is filling", subject="disk")
    assert port.drain() == 0
    clock.time += timedelta(hours=7, minutes=59)
    assert port.drain() == 0
    clock.time += timedelta(minutes=1)
    assert port.drain() == 1
    assert said(tmp_path, "team") == 1


@given(st.integers(0, 366 * 24 * 60), st.integers(0, 1439), st.integers(0, 1439))
def test_nothing_goes_out_within_quiet_hours(minutes: int, start: int, end: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    quiet = Quiet(time(start // 60, start % 60), time(end // 60, end % 60), ("critical",))
    when = earliest(quiet, "info", now, BERLIN)
    assert earliest(quiet, "critical", now, BERLIN) == now
    assert now <= when <= now + timedelta(hours=25)
    if when > now:
        assert when.astimezone(BERLIN).time() == quiet.end
        assert earliest(quiet, "info", when, BERLIN) == when


def test_an_unacknowledged_thread_climbs_step_by_step_and_stops(
    tmp_path: Path, port: Notices, clock: FakeClock
) -> None:
    port.publish("a1", "critical", "all is lost", subject="lost", thread="incident-1")
    steps = []
    for _ in range(6):
        clock.time += timedelta(minutes=10)
        port.escalate()
        port.drain()
        steps.append((said(tmp_path, "boss"), said(tmp_path, "ceo")))
    assert steps == [(1, 0), (1, 1), (1, 1), (1, 1), (1, 1), (1, 1)]
    assert "Nobody has acknowledged this yet" in (tmp_path / "boss.log").read_text()


def test_an_acknowledgement_ends_it_once(tmp_path: Path, port: Notices, clock: FakeClock) -> None:
    port.publish("a1", "critical", "all is lost", subject="lost", thread="incident-1")
    clock.time += timedelta(minutes=10)
    assert port.escalate() == 1
    assert port.acknowledge("incident-1", "ana")
    assert not port.acknowledge("incident-1", "bob")
    assert not port.acknowledge("incident-2", "ana")
    clock.time += timedelta(hours=1)
    assert port.escalate() == 0
    port.drain()
    assert (said(tmp_path, "pager"), said(tmp_path, "boss"), said(tmp_path, "ceo")) == (1, 0, 0)


def test_two_processes_climb_a_step_once(tmp_path: Path, clock: FakeClock) -> None:
    world = notifying_world(tmp_path, SECTION, clock)
    one, two = SqlNotices(world), SqlNotices(world)
    one.publish("a1", "critical", "all is lost", subject="lost", thread="incident-1")
    clock.time += timedelta(minutes=10)
    assert one.escalate() + two.escalate() == 1
    assert one.drain() + two.drain() == 3
    assert said(tmp_path, "boss") == 1


def test_a_shortened_escalation_list_repeats_nobody(
    tmp_path: Path, port: Notices, clock: FakeClock
) -> None:
    port.publish("a1", "critical", "x", subject="x", thread="incident-1")
    clock.time += timedelta(minutes=10)
    port.escalate()
    shorter = {**SECTION, "escalation": {"critical": {"after": "10m", "to": ["boss"]}}}
    later = notices(notifying_world(tmp_path, shorter, clock))
    clock.time += timedelta(minutes=10)
    assert later.escalate() == 0
    later.drain()
    assert (said(tmp_path, "boss"), said(tmp_path, "ceo")) == (1, 0)


def test_without_an_escalation_a_thread_is_only_a_name(tmp_path: Path, clock: FakeClock) -> None:
    plain = {k: v for k, v in SECTION.items() if k != "escalation"}
    port = notices(notifying_world(tmp_path, plain, clock))
    port.publish("a1", "critical", "x", subject="x", thread="incident-1")
    clock.time += timedelta(hours=5)
    assert port.escalate() == 0
