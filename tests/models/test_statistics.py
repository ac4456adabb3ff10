"""The gate and the drift tests as statistics: what they promise, measured."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.models import drifting, evaluation
from tools.models.kind_runtime import Kind

KIND = Kind("k", ModuleType("k"), {})


def outputs(right: np.ndarray) -> np.ndarray:
    """Two-class outputs that are right (class 0) where ``right`` says so."""
    return np.stack([right.astype(float), 1.0 - right], axis=1)


def judged(before: np.ndarray, after: np.ndarray, budget: float = 0.01):
    targets = np.zeros(len(before), dtype=np.int64)
    return evaluation.gate(KIND, targets, outputs(before), outputs(after), 1, budget)


def test_a_few_examples_prove_nothing_and_the_gate_says_how_many_would():
    rng = np.random.default_rng(0)
    before = np.ones(300, bool)
    after = before.copy()
    after[:2] = False
    said = judged(before, after)
    assert said["passed"] is False
    assert said["change"] == -2 / 300
    assert 300 < int(str(said["needed"])) < 10_000
    enough = np.ones(20_000, bool)
    flipped = rng.permutation(np.r_[np.zeros(60, bool), np.ones(19_940, bool)])
    assert judged(enough, flipped)["passed"] is True


def test_the_gate_rarely_passes_a_true_loss_at_its_limit():
    """One-sided 95 %: a model that truly loses the whole budget passes about one time in twenty."""
    rng, passed = np.random.default_rng(1), 0
    for _ in range(200):
        before = rng.random(600) < 0.95
        after = np.where(rng.random(600) < 0.04, ~before, before)
        lost = 0.9 * 0.04
        passed += bool(judged(before, after, budget=lost)["passed"])
    assert passed <= 24


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=20, max_size=200))
def test_the_gate_is_consistent(pairs: list[tuple[bool, bool]]):
    before, after = (np.array(column) for column in zip(*pairs, strict=True))
    said = judged(before, after)
    assert said["low"] <= said["change"] + 1e-9
    assert said["flips"] == (before != after).mean()
    assert judged(before, before)["passed"] is True
    if after.mean() < before.mean() - 0.01:
        assert said["passed"] is False


def test_drift_tests_rarely_cry_wolf():
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(60):
        old, new = rng.normal(size=(400, 20)), rng.normal(size=(150, 20))
        alarms += drifting.inputs_changed(old, new).changed
        logits_old, logits_new = rng.normal(size=(400, 5)), rng.normal(size=(150, 5))
        alarms += drifting.answers_changed(logits_old, logits_new).changed
        alarms += any(t.changed for t in drifting.confidence_changed(logits_old, logits_new))
    assert alarms <= 8


def test_drift_tests_see_what_moved():
    rng = np.random.default_rng(3)
    old = rng.normal(size=(400, 20)) * np.linspace(3, 1, 20)
    moved = rng.normal(size=(150, 20)) * np.linspace(3, 1, 20)
    moved[:, 0] += 2.0
    assert drifting.inputs_changed(old, moved).changed
    logits = rng.normal(size=(400, 5))
    assert drifting.answers_changed(logits, rng.normal(np.eye(5)[0] * 2, size=(150, 5))).changed
    assert all(t.changed for t in drifting.confidence_changed(logits, logits[:150] * 3))


def test_words_are_tested_by_how_often_they_occur():
    rng = np.random.default_rng(4)
    old, same = rng.integers(0, 30, (300, 12)), rng.integers(0, 30, (150, 12))
    assert not drifting.inputs_changed(old, same).changed
    assert drifting.inputs_changed(old, rng.integers(0, 10, (150, 12))).changed
