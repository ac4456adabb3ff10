"""What a request means: two models, trained on labelled requests, over words and characters.

A linear one knows what single pieces say; a small network knows what they say together. Their log
odds are averaged, which is right more often than either.
Every label has a share between 0 and 1, all together 1. A tool that the weights do not know is
judged by its likeness to its own declared phrases.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import add, mul

from agent.offline.features import View, features
from agent.offline.nearest import Nearest
from agent.offline.weights import IDF_STEPS, Weights
from tools.contract import Effect, Tool

SEVERAL = "+several"
"""A head of its own: does the message make more than one request?"""
CHANGE = "+change"
"""A head of its own: does it ask for a change, now?"""
_TRUST = 1.0
"""Power of that head's say in which tool is meant."""
_DOUBT = 0.02
"""It is never surer than that."""
_NET = 0.5
"""Share of the network's say; the rest is the linear model's."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The labels of one text, likeliest first."""

    shares: tuple[tuple[str, float], ...]
    several: float
    """How likely it is that it asks for more than one thing, 0..1."""
    change: float = 0.0
    """How likely it is that it asks for a change now, whichever, 0..1."""

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

    def __init__(self, weights: Weights, tools: Mapping[str, Tool], novel: Nearest) -> None:
        self._weights = weights
        self._novel = novel
        self._wanted = [
            (number, label)
            for number, label in enumerate(weights.labels)
            if label in tools or label.startswith("@")
        ]
        self._changing = frozenset(t.name for t in tools.values() if t.effect is not Effect.READ)
        self._several = weights.labels.index(SEVERAL)
        self._change = weights.labels.index(CHANGE)

    def read(self, seen: View) -> Reading:
        """Judge one text."""
        found = features(seen)
        margins = self._margins(found)
        change = _chance(margins[self._change])
        shares = self._weighed(
            _softmax({label: margins[number] for number, label in self._wanted}), change
        )
        strange = self._novel.likeness(found)
        rest = math.prod(1.0 - share for share in strange.values())
        shares = {label: share * rest for label, share in shares.items()} | strange
        ordered = tuple(sorted(shares.items(), key=lambda s: -s[1]))
        return Reading(ordered, _chance(margins[self._several]), change)

    def _weighed(self, shares: Mapping[str, float], change: float) -> dict[str, float]:
        """Shares in the light of how likely any change is asked for."""
        likely = min(max(change, _DOUBT), 1.0 - _DOUBT)
        weighed = {
            label: share * (likely if label in self._changing else 1.0 - likely) ** _TRUST
            for label, share in shares.items()
        }
        total = sum(weighed.values())
        return {label: share / total for label, share in weighed.items()}

    def _margins(self, found: Iterable[int]) -> Sequence[float]:
        """Log odds of each label."""
        weights, net = self._weights, self._weights.net
        size, width, norm = len(weights.labels), len(net.bias), 0.0
        linear, hidden = [0] * size, [0] * width
        for feature in found:
            row = weights.row.get(feature)
            if row is not None:
                norm += (weights.idf[row] / IDF_STEPS) ** 2
                linear = list(map(add, linear, weights.rows[row * size : (row + 1) * size]))
                hidden = list(map(add, hidden, net.rows[row * width : (row + 1) * width]))
        unit = 1.0 / math.sqrt(norm) if norm else 0.0
        sharp, scale = weights.sharpness * (1.0 - _NET), weights.scale * unit
        lively = [
            max(0.0, net.scale * unit * h + b) * _NET for h, b in zip(hidden, net.bias, strict=True)
        ]
        return [
            sharp * (scale * value + bias) + sum(map(mul, lively, out)) + _NET * top
            for value, bias, out, top in zip(linear, weights.bias, net.out, net.tops, strict=True)
        ]


def _chance(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-logit))


def _softmax(logits: Mapping[str, float]) -> dict[str, float]:
    most = max(logits.values())
    raised = {label: math.exp(value - most) for label, value in logits.items()}
    total = sum(raised.values())
    return {label: value / total for label, value in raised.items()}
