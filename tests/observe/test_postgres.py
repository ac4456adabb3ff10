"""History and rules on Postgres: the same answers as on the embedded database."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from tests.observe.worlds import NOW, observed, wave
from tests.postgres import database, postgres_url
from tools.contract import Happened
from tools.observe.base import Sample
from tools.observe.history import History
from tools.observe.rule_store import RuleStore
from tools.observe.rules import Rule, RuleState, key_of
from tools.store import Store

__all__ = ["database", "postgres_url"]


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    made = Store(database)
    yield made
    made.close()


def test_recording_rolling_up_and_the_baseline(store: Store) -> None:
    history = History(store)
    history.record(wave("cpu_percent", [35.0] * 180, step=60), NOW)
    history.record(wave("cpu_percent", [35.0] * 180, step=60), NOW)
    history.compact(NOW)
    history.compact(NOW)
    (series,) = history.series("cpu_percent", NOW - timedelta(days=1), NOW)
    assert len(series.points) == 180
    baseline = history.baseline("cpu_percent", {}, NOW)
    assert baseline is not None
    assert baseline.median == 35


def test_processes_record_at_once(store: Store) -> None:
    def record(n: int) -> None:
        samples = [Sample("a", n, {"n": str(n % 4)}), Sample("b", n)]
        History(store).record(samples, NOW + timedelta(seconds=n))

    History(store).metrics()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(record, range(32)))
    history = History(store)
    end = NOW + timedelta(minutes=1)
    assert sum(len(s.points) for s in history.series("a", NOW, end)) == 32
    assert len(history.series("b", NOW, end)[0].points) == 32


def test_turns_and_rules(store: Store, tmp_path: Path) -> None:
    history = History(store)
    ten = timedelta(seconds=10)
    assert history.my_turn("a", NOW, ten)
    assert not history.my_turn("b", NOW + ten, ten)

    world = observed(tmp_path)
    world.store = store
    rules = RuleStore(world)
    rules.put("mine", Rule("mine", "cpu_percent", ">", 90), "a1")
    rules.put("mine", None, "a2")
    assert "mine" not in rules.rules()
    assert rules.happened("mine", "a2", "1") is Happened.YES
    states = {key_of({"gpu": "0"}): RuleState("pending", NOW, 1.0)}
    rules.keep("mine", states)
    rules.keep("mine", states)
    assert rules.states("mine") == states
