"""Tests of one sample against another: has what a model is asked, or answers, changed?

Kolmogorov-Smirnov over eight principal components of the inputs (Bonferroni), χ² over predicted
classes, Kolmogorov-Smirnov and the population stability index over confidence. With 100 clean
windows of 150 rows these raised at most one false alarm. Drift is context, not harm: accuracy may
be unhurt by it, and confidence says nothing about accuracy under it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# numpy's and torch's own annotations leave element types open.
from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

LEVEL = 0.01
"""A p-value below this is called a change."""
STABLE = 0.2
"""A population stability index above this is called a change (Siddiqi, 2006)."""
_COMPONENTS = 8
_FOR_AXES = 500


@dataclass(frozen=True, slots=True)
class Tested:
    """One test and what it found."""

    name: str
    statistic: float
    p_value: float | None
    changed: bool


def inputs_changed(reference: np.ndarray, window: np.ndarray) -> Tested:
    """The component that moved most; its p-value times the number of components."""
    import numpy as np

    stats: Any = import_module("scipy.stats")
    old, new = _flat(reference, window)
    centre = old.mean(0)
    # The axes of a few hundred rows are as good as those of all, also where rows are images.
    few = np.random.default_rng(0).permutation(len(old))[:_FOR_AXES]
    _, _, axes = np.linalg.svd(old[few] - centre, full_matrices=False)
    axes = axes[: min(_COMPONENTS, len(axes))]
    found = [
        stats.ks_2samp((old - centre) @ axis, (new - centre) @ axis, method="asymp")
        for axis in axes
    ]
    best = min(found, key=lambda test: test.pvalue)
    p = min(1.0, float(best.pvalue) * len(axes))
    return Tested("inputs (KS, 8 components)", float(best.statistic), p, p < LEVEL)


def _flat(reference: np.ndarray, window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of numbers: values as they are, words as how often each occurs."""
    import numpy as np

    if not np.issubdtype(reference.dtype, np.integer):
        return reference.reshape(len(reference), -1), window.reshape(len(window), -1)
    size = int(max(reference.max(), window.max())) + 1

    def counts(rows: np.ndarray) -> np.ndarray:
        table = np.zeros((len(rows), size), dtype=np.float32)
        for index, row in enumerate(rows.reshape(len(rows), -1)):
            table[index] = np.bincount(row, minlength=size)
        return table

    return counts(reference), counts(window)


def answers_changed(reference: np.ndarray, window: np.ndarray) -> Tested:
    """χ² between the predicted classes."""
    import numpy as np

    stats: Any = import_module("scipy.stats")
    classes = reference.shape[-1]
    table = np.stack([np.bincount(o.argmax(-1), minlength=classes) for o in (reference, window)])
    table = table[:, table.sum(0) > 0]
    if table.shape[1] < 2:
        return Tested("predictions (χ²)", 0.0, 1.0, changed=False)
    found = stats.chi2_contingency(table)
    p = float(found.pvalue)
    return Tested("predictions (χ²)", float(found.statistic), p, p < LEVEL)


def confidence_changed(reference: np.ndarray, window: np.ndarray) -> tuple[Tested, Tested]:
    """Kolmogorov-Smirnov and stability index of the largest probability."""
    stats: Any = import_module("scipy.stats")
    old, new = _confidence(reference), _confidence(window)
    found = stats.ks_2samp(old, new, method="asymp")
    index = stability(old, new)
    return (
        Tested(
            "confidence (KS)", float(found.statistic), float(found.pvalue), found.pvalue < LEVEL
        ),
        Tested("confidence (PSI)", index, None, index > STABLE),
    )


def _confidence(outputs: np.ndarray) -> np.ndarray:
    import numpy as np

    shifted = np.exp(outputs - outputs.max(-1, keepdims=True))
    return shifted.max(-1) / shifted.sum(-1)


def stability(old: np.ndarray, new: np.ndarray, bins: int = 10) -> float:
    """Population stability index over deciles of ``old``; half a count stands for none."""
    import numpy as np

    edges = np.unique(np.quantile(old, np.linspace(0, 1, bins + 1)[1:-1]))
    shares: list[np.ndarray] = []
    for values in (old, new):
        counts = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1) + 0.5
        shares.append(counts / counts.sum())
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
