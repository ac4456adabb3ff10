"""Fits the linear model and makes it small: fewer features, one byte a weight."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.svm import LinearSVC

from agent.offline import cues, declared, weights
from agent.offline.features import View, features
from bench.intents import corpus
from bench.intents.corpus import CHANGE, SEVERAL
from tools.catalog import TOOLS
from tools.contract import Effect

_KEPT = 40_000
"""Features of the model in use, the most telling ones."""
_THREADS = 4
_COST = 2.0
_LEAST = 3
"""Requests in which a feature must occur."""


@dataclass
class Example:
    """One view of a request."""

    view: View
    labels: tuple[str, ...]
    weight: float
    by: str


@dataclass
class Linear:
    """A fitted model: margins are ``x @ w + b`` with ``x`` a unit vector of idf."""

    labels: list[str]
    keys: np.ndarray
    idf: np.ndarray
    w: np.ndarray
    b: np.ndarray

    def margins(self, bags: Sequence[set[int]]) -> np.ndarray:
        """One row for each bag of features."""
        at = {int(k): i for i, k in enumerate(self.keys)}
        return _matrix(bags, at, self.idf) @ self.w + self.b


def fit(examples: Sequence[Example]) -> Linear:
    """Train, keep the most telling features, train again on those."""
    bags = [features(e.view) for e in examples]
    seen = Counter(f for bag in bags for f in bag)
    keys = np.array(sorted(f for f, n in seen.items() if n >= _LEAST), dtype=np.uint32)
    full = _fit(examples, bags, keys)
    often = np.sqrt(np.array([seen[int(key)] for key in keys]))
    strength = np.abs(full.w * full.idf[:, None]).max(axis=1) * often
    best = np.sort(np.argsort(-strength)[:_KEPT])
    return Linear(full.labels, keys[best], full.idf[best], full.w[best], full.b)


def _fit(examples: Sequence[Example], bags: Sequence[set[int]], keys: np.ndarray) -> Linear:
    at = {int(k): i for i, k in enumerate(keys)}
    count = np.zeros(len(keys))
    for bag in bags:
        for f in bag:
            if f in at:
                count[at[f]] += 1
    idf = np.round((np.log((1 + len(bags)) / (1 + count)) + 1) * weights.IDF_STEPS)
    idf = np.minimum(idf, 255) / weights.IDF_STEPS
    x = _matrix(bags, at, idf)
    weight = np.array([e.weight for e in examples])
    names = sorted({label for e in examples for label in e.labels})
    heads = [*names, SEVERAL, CHANGE]

    def head(name: str) -> tuple[np.ndarray, float]:
        y = np.array([positive(name, e) for e in examples])
        model = LinearSVC(C=_COST, random_state=0, tol=0.02, max_iter=200)
        model.fit(x, y, sample_weight=weight)
        return model.coef_[0], float(model.intercept_[0])

    fitted = Parallel(n_jobs=_THREADS, prefer="threads")(delayed(head)(name) for name in heads)
    return Linear(
        heads, keys, idf, np.stack([w for w, _ in fitted], 1), np.array([b for _, b in fitted])
    )


_CHANGING = frozenset(tool.name for tool in TOOLS if tool.effect is not Effect.READ)


def positive(name: str, example: Example) -> bool:
    """Should this head say yes?"""
    if name == CHANGE:
        return not _CHANGING.isdisjoint(example.labels)
    return len(example.labels) > 1 if name == SEVERAL else name in example.labels


def _matrix(bags: Sequence[set[int]], at: dict[int, int], idf: np.ndarray) -> sparse.csr_matrix:
    columns, values, starts = [], [], [0]
    for bag in bags:
        row = sorted(at[f] for f in bag if f in at)
        found = idf[row] if row else np.zeros(0)
        norm = np.sqrt((found**2).sum()) or 1.0
        columns.append(np.array(row, dtype=np.int32))
        values.append(found / norm)
        starts.append(starts[-1] + len(row))
    return sparse.csr_matrix(
        (np.concatenate(values), np.concatenate(columns), starts), shape=(len(bags), len(at))
    )


def sharpness(margins: np.ndarray, right: Sequence[int]) -> float:
    """The factor on margins under which the right labels are likeliest."""
    found = []
    for factor in np.arange(1.0, 12.1, 0.5):
        scaled = margins * factor
        top = scaled.max(axis=1, keepdims=True)
        log = scaled - top - np.log(np.exp(scaled - top).sum(axis=1, keepdims=True))
        found.append((-log[np.arange(len(right)), right].mean(), factor))
    return float(min(found)[1])


def dumps(
    linear: Linear, sharp: float, learnt: dict[str, dict], net: dict[str, object], hidden: bytes
) -> bytes:
    """The file of the package."""
    folded = linear.w * linear.idf[:, None]
    scale = float(np.quantile(np.abs(folded).max(axis=1), 0.999)) / 127
    rows = np.clip(np.round(folded / scale), -127, 127).astype(np.int8)
    known = corpus.labels()
    head = {
        "labels": linear.labels,
        "bias": [round(float(b), 4) for b in linear.b],
        "scale": scale,
        "sharpness": sharp,
        **learnt,
        "net": net,
        "cues": cues.collect(known),
        "declared": {item.name: declared.digest(item) for item in known},
        "corpus": corpus.digest(),
    }
    idf = np.round(linear.idf * weights.IDF_STEPS).astype(np.uint8)
    return weights.dumps(
        head, array("I", linear.keys.tolist()), idf.tobytes(), rows.tobytes(), hidden
    )


def groups(examples: Sequence[Example]) -> dict[str, list[int]]:
    """Numbers of the examples of each author."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, example in enumerate(examples):
        found[example.by].append(number)
    return found
