"""Cron lines: what is accepted, when they fall due, how they are said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.errors import BadArguments
from tools.schedules.cron import count, following, newest, parse, rhythm, shortest_gap, spoken

BERLIN = ZoneInfo("Europe/Berlin")
PLAIN = ZoneInfo("UTC")
LINES = ("0 9 * * *", "30 2 * * *", "*/15 * * * *", "0 * * * *", "0 8 * * 1", "0 9 1 * *")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "line", "zone"),
    [
        ("0 9 * * 1-5", "0 9 * * 1-5", "UTC"),
        ("  0   9 * * * ", "0 9 * * *", "UTC"),
        ("CRON_TZ=Asia/Shanghai 0 9 * * *", "0 9 * * *", "Asia/Shanghai"),
        ("@hourly", "0 * * * *", "UTC"),
        ("@weekly", "0 9 * * 1", "UTC"),
    ],
)
def test_accepted(text: str, line: str, zone: str) -> None:
    assert parse(text, PLAIN) == (line, ZoneInfo(zone))


@pytest.mark.parametrize(
    "text",
    [
        "every day",
        "9",
        "0 9 * *",
        "0 25 * * *",
        "61 * * * *",
        "0 0 30 2 *",
        "* * * * * *",
        "",
        "@x",
    ],
)
def test_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadArguments, match="for example 0 9"):
        parse(text, PLAIN)


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(BadArguments, match="Mars/Olympus"):
        parse("CRON_TZ=Mars/Olympus 0 9 * * *", PLAIN)


def test_monday_is_one() -> None:
    slot = following("0 8 * * 1", PLAIN, at("2026-11-24T00:00"), 1)[0]
    assert slot == at("2026-11-30T08:00")
    assert slot.weekday() == 0


def test_the_skipped_hour_of_spring_runs_once_right_after() -> None:
    found = following("30 2 * * *", BERLIN, at("2026-03-28T12:00"), 2)
    assert found == [at("2026-03-29T01:00"), at("2026-03-30T00:30")]


def test_the_repeated_hour_of_autumn_runs_once() -> None:
    found = following("30 2 * * *", BERLIN, at("2026-10-24T12:00"), 2)
    assert found == [at("2026-10-25T00:30"), at("2026-10-26T01:30")]


def test_nine_stays_nine_on_the_wall() -> None:
    slots = following("0 9 * * *", BERLIN, at("2026-10-23T12:00"), 5)
    assert {s.astimezone(BERLIN).hour for s in slots} == {9}


moments = st.integers(0, 2 * 365 * 86400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@given(st.sampled_from(LINES), st.sampled_from(ZONES), moments, st.integers(1, 3000))
def test_the_newest_slot_is_the_last_one_in_the_window(
    line: str, name: str, until: datetime, minutes: int
) -> None:
    zone, after = ZoneInfo(name), until - timedelta(minutes=minutes)
    slot = newest(line, zone, after, until)
    if slot is None:
        assert following(line, zone, after, 1)[0] > until
    else:
        assert after < slot <= until
        assert following(line, zone, slot, 1)[0] > until


@given(st.sampled_from(LINES), st.sampled_from(ZONES), moments)
def test_slots_only_go_forward(line: str, name: str, after: datetime) -> None:
    found = following(line, ZoneInfo(name), after, 6)
    assert found == sorted(set(found))
    assert found[0] > after
    assert count(line, ZoneInfo(name), after, found[5]) == 5


@pytest.mark.parametrize(
    ("line", "en", "zh", "word"),
    [
        ("0 9 * * *", "every day at 09:00", "每天 09:00", "daily"),
        ("30 18 * * 1-5", "every weekday at 18:30", "每个工作日 18:30", "weekdays"),
        ("0 8 * * 1", "every Monday at 08:00", "每周一 08:00", "weekly"),
        ("0 8 * * 1,4", "every Monday and Thursday at 08:00", "每周一、四 08:00", "weekly"),
        ("0 9 1 * *", "on day 1 of every month at 09:00", "每月 1 日 09:00", "monthly"),
        ("0 * * * *", "every hour at :00", "每小时第 0 分", "hourly"),
        ("*/15 * * * *", "every 15 minutes", "每 15 分钟", "frequent"),
        ("0 9 1 1 *", "0 9 1 1 *", "0 9 1 1 *", "yearly"),
    ],
)
def test_said(line: str, en: str, zh: str, word: str) -> None:
    assert (spoken(line, "en"), spoken(line, "zh"), rhythm(line)) == (en, zh, word)


def test_the_shortest_gap() -> None:
    assert shortest_gap("*/15 * * * *") == timedelta(minutes=15)
    assert shortest_gap("0 9 * * *") == timedelta(days=1)
