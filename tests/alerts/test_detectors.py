"""Detectors: silent on noise, loud on what changed, without looking ahead."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.anomalies import graphs
from tools.alerts.detectors.novelty import novelty
from tools.alerts.detectors.ranges import excursions, peer_outliers
from tools.alerts.topology import Symptom, rank_roots


def noise(count: int, seed: int = 1, level: float = 100.0, width: float = 2.0) -> list[float]:
    rng = random.Random(seed)
    return [rng.gauss(level, width) for _ in range(count)]


@pytest.mark.parametrize("seed", range(12))
def test_noise_has_no_excursions(seed: int):
    assert excursions(noise(2000, seed)) == []


def test_a_spike_and_a_new_level_are_told_apart_and_once():
    values = noise(600)
    values[300] = 400.0
    found = excursions(values)
    assert [(e.kind, e.start) for e in found] == [("spike", 300)]
    shifted = excursions(noise(300) + noise(300, 2, level=180.0))
    assert [(e.kind, e.start) for e in shifted] == [("shift", 300)]
    assert 95 < shifted[0].usual < 105


def test_a_daily_rhythm_is_usual():
    day = 96
    values = [50 + (400 if i % day in range(40, 44) else 0) + math.sin(i) for i in range(8 * day)]
    late = [e for e in excursions(values, season=day) if e.start > 3 * day]
    assert late == []


def test_a_change_too_small_to_matter_is_none():
    assert excursions([100.0 + 0.001 * (i % 2) for i in range(100)] + [101.0] * 10) == []
    assert excursions([0.0] * 100 + [0.4] * 5, floor=5.0) == []


def test_novelty_rises_with_what_never_was_and_rests_after():
    values = [math.sin(i / 5) for i in range(600)] + [5.0] * 20
    scores = novelty(values, 90)
    assert max(scores[200:600]) == 0.0
    assert scores[600] > 0.4
    assert max(scores[601:615]) == 0.0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=120),
    st.integers(2, 50),
    st.integers(0, 119),
)
def test_novelty_never_looks_ahead(values: list[float], warm_up: int, cut: int):
    whole = novelty(values, warm_up)
    assert novelty(values[:cut], warm_up) == whole[:cut]
    assert all(0.0 <= score <= 1.0 for score in whole)


def test_one_gpu_unlike_its_peers():
    assert [i for i, _ in peer_outliers([71, 70, 72, 71, 93, 70, 71, 72])] == [4]
    assert peer_outliers([70, 71, 72, 71, 73, 70, 71, 72]) == []
    assert peer_outliers([70, 99]) == []


def test_a_sick_dependency_explains_its_callers():
    calls = {"web": ["cart", "ads"], "cart": ["db"], "ads": [], "db": []}
    sick = {"web": Symptom(30.0), "cart": Symptom(20.0), "db": Symptom(12.0), "ads": Symptom(1.0)}
    ranked = rank_roots(calls, sick)
    assert ranked[0].name == "db"
    assert ranked[0].explains == ("cart", "web")
    assert sum(root.share for root in ranked) == pytest.approx(1.0)


def test_a_dependency_that_fell_ill_later_explains_nothing():
    calls = {"web": ["db"], "db": []}
    late = {"web": Symptom(9.0, onset=0.0), "db": Symptom(9.0, onset=900.0)}
    assert rank_roots(calls, late)[0].explains == ()


def test_nothing_sick_has_no_root_and_cycles_end():
    assert rank_roots({"a": ["b"], "b": ["a"]}, {"a": Symptom(1.0)}) == []
    assert len(rank_roots({"a": ["b"], "b": ["a"]}, {"a": Symptom(9.0), "b": Symptom(9.0)})) == 2


def test_generated_shops_are_ranked_better_than_by_the_largest_symptom():
    hits = graphs(count=150)
    assert hits["explain-away top-1"] >= 0.9
    assert hits["explain-away top-1"] > hits["largest symptom top-1"]
