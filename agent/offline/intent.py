"""What a request means: a linear model, trained on labelled requests, over words and characters.

Every label has a share between 0 and 1, all together 1. A tool that the weights do not know is
judged by its likeness to its own declared phrases.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import add

from agent.offline.features import View, features
from agent.offline.nearest import Nearest
from agent.offline.weights import IDF_STEPS, Weights

SEVERAL = "+several"
"""A head of its own: does the message make more than one request?"""


@dataclass(frozen=True, slots=True)
class Reading:
    """The labels of one text, likeliest first."""

    shares: tuple[tuple[str, float], ...]
    several: float
    """How likely it is that it asks for more than one thing, 0..1."""

    @property
    def best(self) -> str:
        """The likeliest label."""
        return self.shares[0][0]

    def share(self, label: str) -> float:
        """The share of one label."""
        return next((share for name, share in self.shares if name == label), 0.0)

    def within(self, labels: Iterable[str]) -> float:
        """The share of several labels together."""
        wanted = frozenset(labels)
        return sum(share for name, share in self.shares if name in wanted)


class Model:
    """Reads texts for one catalogue."""

    def __init__(self, weights: Weights, tools: Iterable[str], novel: Nearest) -> None:
        kept = frozenset(tools)
        self._weights = weights
        self._novel = novel
        self._wanted = [
            (number, label)
            for number, label in enumerate(weights.labels)
            if label in kept or label.startswith("@")
        ]
        self._several = weights.labels.index(SEVERAL)

    def read(self, seen: View) -> Reading:
        """Judge one text."""
        found = features(seen)
        margins = self._margins(found)
        shares = _softmax({label: margins[number] for number, label in self._wanted})
        strange = self._novel.likeness(found)
        rest = math.prod(1.0 - share for share in strange.values())
        shares = {label: share * rest for label, share in shares.items()} | strange
        several = 1.0 / (1.0 + math.exp(-margins[self._several]))
        return Reading(tuple(sorted(shares.items(), key=lambda s: -s[1])), several)

    def _margins(self, found: Iterable[int]) -> Sequence[float]:
        weights = self._weights
        size, norm = len(weights.labels), 0.0
        total = [0] * size
        for feature in found:
            row = weights.row.get(feature)
            if row is not None:
                norm += (weights.idf[row] / IDF_STEPS) ** 2
                total = list(map(add, total, weights.rows[row * size : (row + 1) * size]))
        unit = weights.scale / math.sqrt(norm) if norm else 0.0
        return [
            weights.sharpness * (unit * value + bias)
            for value, bias in zip(total, weights.bias, strict=True)
        ]


def _softmax(logits: Mapping[str, float]) -> dict[str, float]:
    most = max(logits.values())
    raised = {label: math.exp(value - most) for label, value in logits.items()}
    total = sum(raised.values())
    return {label: value / total for label, value in raised.items()}
