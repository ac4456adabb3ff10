"""The embedded history: what is kept, thinned, answered, and shared between processes."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.observe.worlds import NOW, wave
from tools.observe.base import Sample
from tools.observe.history import MOST_POINTS, RAW_KEPT, History
from tools.store import Store


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(Store.at_home(tmp_path))


def test_what_was_recorded_is_answered_in_order(history: History) -> None:
    history.record(wave("cpu_percent", [10, 20, 30]), NOW)
    (series,) = history.series("cpu_percent", NOW - timedelta(hours=1), NOW)
    assert [v for _, v in series.points] == [10, 20, 30]
    assert series.unit == "%"
    assert series.points[-1][0] == NOW


def test_series_are_told_apart_and_selected_by_labels(history: History) -> None:
    for gpu in ("0", "1"):
        history.record([Sample("gpu_temperature", 60 + int(gpu), {"gpu": gpu, "node": "n"})], NOW)
    everything = history.series("gpu_temperature", NOW - timedelta(hours=1), NOW)
    assert [s.labels["gpu"] for s in everything] == ["0", "1"]
    (one,) = history.series("gpu_temperature", NOW - timedelta(hours=1), NOW, {"gpu": "1"})
    assert one.last == 61


def test_a_number_that_is_none_is_not_kept(history: History) -> None:
    history.record([Sample("a", float("nan")), Sample("a", float("inf"))], NOW)
    assert history.metrics() == []


def test_the_same_moment_is_kept_once(history: History) -> None:
    history.record([Sample("a", 1.0)], NOW)
    history.record([Sample("a", 2.0)], NOW)
    (series,) = history.series("a", NOW - timedelta(hours=1), NOW)
    assert [v for _, v in series.points] == [1.0]


def test_old_samples_become_means_of_five_minutes(history: History) -> None:
    long_ago = NOW - timedelta(hours=12)
    history.record(wave("a", [1, 2, 3, 4], end=long_ago, step=60), NOW)
    history.record(wave("a", [9], end=NOW - timedelta(minutes=10)), NOW)
    history.compact(NOW)
    (series,) = history.series("a", NOW - timedelta(days=1), NOW)
    values = [v for _, v in series.points]
    assert values[-1] == 9
    assert sum(values[:-1]) / len(values[:-1]) == pytest.approx(2.75, abs=0.75)
    assert len(values) < 5
    history.compact(NOW)
    assert history.series("a", NOW - timedelta(days=1), NOW)[0] == series


def test_roll_ups_do_not_last_for_ever(history: History) -> None:
    history.record(wave("a", [1.0] * 20, end=NOW - timedelta(days=40), step=60), NOW)
    history.compact(NOW - timedelta(days=39))
    history.compact(NOW)
    assert history.series("a", NOW - timedelta(days=60), NOW) == []


def test_raw_and_rolled_up_do_not_overlap(history: History) -> None:
    values = [float(i) for i in range(8 * 60)]
    history.record(wave("a", values, step=60), NOW)
    history.compact(NOW)
    (series,) = history.series("a", NOW - timedelta(days=1), NOW)
    times = [at for at, _ in series.points]
    assert times == sorted(set(times))
    assert min(at for at in times if at > NOW - RAW_KEPT) - NOW < timedelta()
    assert series.points[-1][1] == values[-1]
    assert [v for _, v in series.points] == sorted(v for _, v in series.points)


def test_a_wide_answer_is_averaged_down(history: History) -> None:
    history.record(wave("a", [5.0] * 5000, step=4), NOW)
    (series,) = history.series("a", NOW - RAW_KEPT, NOW)
    assert len(series.points) <= MOST_POINTS
    assert {v for _, v in series.points} == {5.0}


def test_a_baseline_needs_an_hour_and_leaves_out_other_series(history: History) -> None:
    assert history.baseline("cpu_percent", {}, NOW) is None
    history.record(wave("cpu_percent", [35.0] * 120, step=60), NOW)
    history.record(wave("cpu_percent", [99.0] * 120, step=60, labels={"host": "b"}), NOW)
    history.compact(NOW)
    baseline = history.baseline("cpu_percent", {}, NOW)
    assert baseline is not None
    assert (baseline.median, baseline.high) == (35, 35)


def test_one_process_at_a_time_samples(history: History) -> None:
    ten = timedelta(seconds=10)
    assert history.my_turn("a", NOW, ten)
    assert history.my_turn("a", NOW + ten, ten)
    assert not history.my_turn("b", NOW + ten, ten)
    assert history.my_turn("b", NOW + timedelta(seconds=60), ten), "the other one is gone"
    assert not history.my_turn("a", NOW + timedelta(seconds=61), ten)


def test_threads_may_record_at_once(history: History) -> None:
    def record(n: int) -> None:
        history.record([Sample("a", n, {"n": str(n)}), Sample("b", n)], NOW + timedelta(seconds=n))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(record, range(40)))
    assert len(history.series("a", NOW, NOW + timedelta(minutes=1))) == 40
    assert len(history.series("b", NOW, NOW + timedelta(minutes=1))[0].points) == 40


def test_a_process_killed_while_recording_loses_at_most_its_last_sample(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from datetime import datetime, timedelta, UTC\n"
        "from tools.observe.base import Sample; from tools.observe.history import History\n"
        "from tools.store import Store\n"
        "h = History(Store.at_home(Path(sys.argv[1])))\n"
        "n = 0\n"
        "while True:\n"
        "    n += 1\n"
        "    h.record([Sample('a', n), Sample('b', n)], datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=n))\n"
        "    print(n, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(5):
        acknowledged = int(process.stdout.readline())
    process.kill()
    process.wait()
    history = History(Store.at_home(tmp_path))
    far = NOW - timedelta(days=3650)
    counts = [len(history.series(m, far, NOW + timedelta(days=3650))[0].points) for m in ("a", "b")]
    assert counts[0] == counts[1], "a sample is written as a whole"
    assert counts[0] >= acknowledged


@settings(max_examples=25, deadline=None)
@given(values=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60))
def test_roll_ups_keep_the_mean(
    values: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    history = History(Store.at_home(tmp_path_factory.mktemp("h")))
    end = NOW - timedelta(hours=12)
    start = end - timedelta(seconds=end.timestamp() % 300)
    history.record(wave("a", values, end=start + timedelta(seconds=len(values) - 1), step=1), NOW)
    history.compact(NOW)
    (series,) = history.series("a", NOW - timedelta(days=1), NOW)
    assert len(series.points) == 1
    mean = sum(values) / len(values)
    assert series.points[0][1] == pytest.approx(mean, rel=1e-9, abs=1e-3)
