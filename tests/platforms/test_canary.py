"""Judging a canary step."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.platforms.base import Release, RollOut, Traffic
from tools.platforms.canary import Ruling, judge, wilson

PLAN = RollOut(Release("m", "2", None, None), 4, "canary", pause=timedelta(seconds=10))
STABLE = Traffic(1000, 2, 0.010, 0.97, 1000, 0.004)


def ruling(
    new: Traffic | None, stable: Traffic | None = STABLE, pauses: float = 1.0, ill: str = ""
) -> Ruling:
    return judge(PLAN, new=new, stable=stable, healthy=not ill, unhealthy_cause=ill, pauses=pauses)


@pytest.mark.parametrize(
    ("new", "pauses", "go"),
    [
        (Traffic(100, 0, 0.010, 0.97, 100), 1.0, "continue"),
        (Traffic(100, 0, 0.010, 0.97, 100), 0.5, "wait"),
        (Traffic(5, 0, 0.010), 1.5, "wait"),
        (Traffic(5, 0, 0.010), 3.0, "continue"),
        (None, 1.0, "wait"),
        (None, 3.0, "continue"),
        (Traffic(1, 1, 0.010), 0.1, "wait"),
        (Traffic(4, 4, 0.010), 0.1, "roll_back"),
        (Traffic(100, 5, 0.010), 1.0, "roll_back"),
        (Traffic(100, 0, 0.016), 0.5, "roll_back"),
        (Traffic(100, 0, 0.0115), 1.0, "continue"),
        (Traffic(6, 0, 0.400, p50_seconds=0.300), 2.0, "wait"),
        (Traffic(6, 0, 0.400, p50_seconds=0.300), 3.0, "roll_back"),
        (Traffic(6, 0, 0.400, p50_seconds=0.004), 3.0, "continue"),
        (Traffic(25, 0, 0.030, p50_seconds=0.004), 1.0, "continue"),
        (Traffic(25, 0, 0.030, p50_seconds=0.012), 0.2, "roll_back"),
        (Traffic(100, 0, 0.010, 0.60, 100), 0.2, "roll_back"),
        (Traffic(100, 0, 0.010, 0.965, 100), 1.0, "continue"),
    ],
)
def test_rulings(new: Traffic | None, pauses: float, go: str) -> None:
    assert ruling(new, pauses=pauses).go == go


def test_a_replica_that_is_not_ready_ends_it_with_its_cause() -> None:
    said = ruling(None, ill="crash loop, 3 starts: out of memory")
    assert (said.go, said.reason) == ("roll_back", "crash loop, 3 starts: out of memory")


def test_an_error_rate_the_stable_version_has_too_is_no_reason() -> None:
    sick = Traffic(1000, 100, 0.010)
    assert ruling(Traffic(200, 20, 0.010), sick).go == "continue"


def test_without_a_stable_version_errors_still_count() -> None:
    assert ruling(Traffic(100, 50, 0.010), None).go == "roll_back"


def test_reasons_carry_the_numbers() -> None:
    assert "5.0% over 100 requests" in ruling(Traffic(100, 5, 0.010)).reason
    assert "20 ms is 2.0×" in ruling(Traffic(100, 0, 0.020)).reason
    assert "37.0 points worse" in ruling(Traffic(100, 0, 0.010, 0.60, 100)).reason


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_interval_holds_the_share(hits: int, more: int) -> None:
    total = hits + more
    low, high = wilson(hits, total)
    assert 0 <= low <= high <= 1
    if total:
        assert low - 1e-9 <= hits / total <= high + 1e-9


@given(st.integers(20, 2000), st.integers(0, 2000), st.floats(0, 5))
def test_more_errors_are_never_judged_milder(requests: int, errors: int, pauses: float) -> None:
    errors = min(errors, requests)
    order = {"continue": 0, "wait": 0, "roll_back": 1}
    fewer = ruling(Traffic(requests, errors // 2, 0.010), pauses=pauses)
    more = ruling(Traffic(requests, errors, 0.010), pauses=pauses)
    assert order[more.go] >= order[fewer.go]
