"""1,000 slots, several processes, one winner each: on SQLite and on a real Postgres."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import database, postgres_url  # noqa: F401
from tests.schedules.fleet import scheduling_world
from tests.support import FakeClock
from tools.schedules.base import Schedule, schedules
from tools.store import Store

START = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
SLOTS = 1000
RACERS = 3


def _race(home: str, url: str, name: str, ready: Barrier, won: Any) -> None:
    clock = FakeClock(START)
    world = scheduling_world(Path(home), clock, url=url)
    port = schedules(world)
    mine: list[str] = []
    ready.wait(60)
    for number in range(SLOTS):
        clock.time = START + timedelta(minutes=number + 1)
        for due in port.claim(name):
            assert port.finish(due, name, "done", "")
            mine.append(due.key)
    won.put((name, mine))


def race(home: Path, url: str) -> dict[str, list[str]]:
    clock = FakeClock(START)
    world = scheduling_world(home, clock, url=url)
    often = Schedule("act-1", "often", "* * * * *", "UTC", "team", "1h", START)
    schedules(world).add(often)
    world.store.close()
    context = multiprocessing.get_context("spawn")
    ready, won = context.Barrier(RACERS), context.Queue()
    racers = [
        context.Process(target=_race, args=(str(home), url, f"racer-{n}", ready, won))
        for n in range(RACERS)
    ]
    for racer in racers:
        racer.start()
    results = dict(won.get(timeout=110) for _ in racers)
    for racer in racers:
        racer.join(10)
        assert racer.exitcode == 0
    return results


def check(results: dict[str, list[str]]) -> None:
    counted = Counter(key for keys in results.values() for key in keys)
    assert len(counted) == SLOTS
    assert set(counted.values()) == {1}
    assert sum(bool(keys) for keys in results.values()) > 1


def test_sqlite(tmp_path: Path) -> None:
    check(race(tmp_path, Store.at_home(tmp_path).url))


@pytest.mark.timeout(180)
def test_postgres(tmp_path: Path, database: str) -> None:  # noqa: F811
    check(race(tmp_path, database))
