"""Counters written and read back; quantiles from buckets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.serving.metrics import Counters, Metrics, parse

LATENCIES = st.lists(st.floats(0.0002, 30), min_size=1, max_size=200)


@given(LATENCIES, st.integers(0, 5), st.integers(0, 50))
def test_what_is_written_is_read_back(seconds: list[float], rejected: int, right: int) -> None:
    metrics = Metrics("digits")
    for number, value in enumerate(seconds):
        metrics.observe("3", "error" if number % 7 == 0 else "ok", value)
    for _ in range(rejected):
        metrics.observe("3", "rejected", 0.0)
    metrics.label("3", right, 50)
    back = parse(metrics.render({"steward_ready": 1.0}))["3"]
    assert back.requests == len(seconds)
    assert back.rejected == rejected
    assert back.quality == right / 50
    assert sum(back.buckets) == len(seconds)
    assert back.seconds == pytest.approx(sum(seconds), rel=1e-6)


@given(LATENCIES, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_a_quantile_is_within_one_bucket(seconds: list[float], q: float) -> None:
    metrics = Metrics("m")
    for value in seconds:
        metrics.observe("1", "ok", value)
    counters = parse(metrics.render({}))["1"]
    estimate = counters.quantile(q)
    ordered = sorted(seconds)
    true = ordered[min(len(ordered) - 1, int(q * len(ordered) - 1e-9))]
    assert estimate is not None
    assert true / 1.27 <= estimate <= true * 1.27


@given(LATENCIES, LATENCIES)
def test_sums_and_differences(first: list[float], second: list[float]) -> None:
    metrics = Metrics("m")
    for value in first:
        metrics.observe("1", "ok", value)
    before = parse(metrics.render({}))["1"]
    for value in second:
        metrics.observe("1", "ok", value)
    after = parse(metrics.render({}))["1"]
    between = after.less(before)
    assert between.requests == len(second)
    between.add(before)
    assert between.buckets == after.buckets


def test_nothing_measured_is_none() -> None:
    assert Counters().quantile(0.95) is None
    assert Counters().quality is None


def test_foreign_samples_are_ignored() -> None:
    assert parse('http_requests_total{code="200"} 5\nup 1\n') == {}
