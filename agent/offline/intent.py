"""What a request means: small networks, trained on labelled requests, over words and characters.

They differ only in the chance of their training and stand side by side as one; the mean of what
they say is right more often than any of them.
Every label has a share between 0 and 1, all together 1. A tool that the weights do not know is
judged by its likeness to its own declared phrases.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import add

from agent.offline.features import View, features
from agent.offline.nearest import Nearest
from agent.offline.weights import IDF_STEPS, ZERO, Net, Weights
from tools.contract import Effect, Tool

SEVERAL = "+several"
"""A head of its own: does the message make more than one request?"""
CHANGE = "+change"
"""A head of its own: does it ask for a change, now?"""
_TRUST = 1.0
"""Power of that head's say in which tool is meant."""
_DOUBT = 0.02
"""It is never surer than that."""
_LANES = 256
"""Rows that are added up before a lane of 16 bits could overflow."""


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
        rows = [row for feature in found if (row := weights.row.get(feature)) is not None]
        norm = math.sqrt(sum(weights.idf[row] ** 2 for row in rows)) / IDF_STEPS
        unit = net.scale / norm if rows else 0.0
        odds = list(net.tops)
        for hidden, bias, out in zip(summed(net, rows), net.bias, net.out, strict=True):
            lively = unit * hidden + bias
            if lively > 0:
                odds = [odd + lively * weight for odd, weight in zip(odds, out, strict=True)]
        return odds


def summed(net: Net, rows: Sequence[int]) -> list[int]:
    """The sum of some rows of a network: (hidden units,).

    All units of a row are added at once, as lanes of 16 bits in two long integers; a lane holds
    the sum of 256 bytes.
    """
    width, total = len(net.bias), [-ZERO * len(rows)] * len(net.bias)
    lane = int.from_bytes(b"\xff\x00" * (width // 2), "little")
    for at in range(0, len(rows), _LANES):
        even = odd = 0
        for row in rows[at : at + _LANES]:
            packed = int.from_bytes(net.rows[row * width : (row + 1) * width], "little")
            even += packed & lane
            odd += packed >> 8 & lane
        for first, lanes in ((0, even), (1, odd)):
            found = struct.unpack(f"<{width // 2}H", lanes.to_bytes(width, "little"))
            total[first::2] = map(add, total[first::2], found)
    return total


def _chance(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-logit))


def _softmax(logits: Mapping[str, float]) -> dict[str, float]:
    most = max(logits.values())
    raised = {label: math.exp(value - most) for label, value in logits.items()}
    total = sum(raised.values())
    return {label: value / total for label, value in raised.items()}
