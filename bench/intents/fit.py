"""Chooses the features that are worth keeping: those that a linear model leans on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.svm import LinearSVC

from agent.offline import weights
from agent.offline.features import View, features
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
class Kept:
    """The features that are kept, with their inverse document frequencies, and what is learnt."""

    labels: list[str]
    """Tools and kinds of replies, then the heads that stand beside them."""
    keys: np.ndarray
    """Hashes, ascending: (features,)."""
    idf: np.ndarray
    """(features,), as the file of weights holds them."""


def keep(examples: Sequence[Example]) -> Kept:
    """Train one linear SVM for each label, and keep the features with the strongest weights."""
    bags = [features(e.view) for e in examples]
    seen = Counter(f for bag in bags for f in bag)
    keys = np.array(sorted(f for f, n in seen.items() if n >= _LEAST), dtype=np.uint32)
    often = np.array([seen[int(key)] for key in keys])
    idf = np.round((np.log((1 + len(bags)) / (1 + often)) + 1) * weights.IDF_STEPS)
    idf = np.minimum(idf, 255) / weights.IDF_STEPS
    heads = [*sorted({label for e in examples for label in e.labels}), SEVERAL, CHANGE]
    strength = _strongest(examples, _matrix(bags, keys, idf), heads) * idf * np.sqrt(often)
    best = np.sort(np.argsort(-strength)[:_KEPT])
    return Kept(heads, keys[best], idf[best])


def _strongest(
    examples: Sequence[Example], x: sparse.csr_matrix, heads: Sequence[str]
) -> np.ndarray:
    """The largest weight of each feature for any label: (features,)."""
    weight = np.array([e.weight for e in examples])

    def head(name: str) -> np.ndarray:
        y = np.array([positive(name, e) for e in examples])
        model = LinearSVC(C=_COST, random_state=0, tol=0.02, max_iter=200)
        model.fit(x, y, sample_weight=weight)
        return np.abs(model.coef_[0])

    fitted = Parallel(n_jobs=_THREADS, prefer="threads")(delayed(head)(name) for name in heads)
    return np.max(fitted, axis=0)


_CHANGING = frozenset(tool.name for tool in TOOLS if tool.effect is not Effect.READ)


def positive(name: str, example: Example) -> bool:
    """Should this head say yes?"""
    if name == CHANGE:
        return not _CHANGING.isdisjoint(example.labels)
    return len(example.labels) > 1 if name == SEVERAL else name in example.labels


def _matrix(bags: Sequence[set[int]], keys: np.ndarray, idf: np.ndarray) -> sparse.csr_matrix:
    at = {int(key): column for column, key in enumerate(keys)}
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


def groups(examples: Sequence[Example]) -> dict[str, list[int]]:
    """Numbers of the examples of each author."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, example in enumerate(examples):
        found[example.by].append(number)
    return found
