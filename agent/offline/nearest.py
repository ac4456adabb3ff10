"""Tools that the weights do not know, found by their likeness to their own declared phrases."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from agent.offline.weights import IDF_STEPS, Weights

_EVEN = 0.45
"""Cosine similarity at which a request means the tool as likely as not."""
_STEEP = 14.0


class Nearest:
    """Compares requests with the phrases of some tools."""

    def __init__(self, weights: Weights, phrases: Mapping[str, Sequence[set[int]]]) -> None:
        self._weights = weights
        self._rarest = max(weights.idf, default=1) / IDF_STEPS
        self._phrases = {
            tool: [(said, self._size(said)) for said in all_said]
            for tool, all_said in phrases.items()
        }

    def likeness(self, found: set[int]) -> dict[str, float]:
        """Tool → how likely the features of a request mean it, 0..1."""
        if not self._phrases:
            return {}
        size = self._size(found)
        likely: dict[str, float] = {}
        for tool, phrases in self._phrases.items():
            near = max(
                (self._mass(found & said) / (size * other) for said, other in phrases), default=0.0
            )
            likely[tool] = 1.0 / (1.0 + math.exp(-_STEEP * (near - _EVEN)))
        return likely

    def _size(self, found: set[int]) -> float:
        return math.sqrt(self._mass(found)) or 1.0

    def _mass(self, found: Iterable[int]) -> float:
        row, idf = self._weights.row, self._weights.idf
        return sum((idf[row[f]] / IDF_STEPS if f in row else self._rarest) ** 2 for f in found)
