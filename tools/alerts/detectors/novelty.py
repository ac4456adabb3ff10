"""Novelty of a value in its context: has this happened after what came before?

Values become levels of a fixed grid at several resolutions. For each resolution and each context
length (the last 0, 1 or 2 levels) the detector remembers which level followed which context. The
score is the share of those (context, level) pairs never met before: 0 for the familiar, 1 for a
value that is new at every resolution and in every context. A burst of novelty is told once: after
a score above ``alarm`` it stays silent for ``rest`` points.

The idea of scoring unseen contexts over quantised values is that of CAD OSE (M. Smirnov, 2016);
this is a plain variable-order Markov form of it. Measured with NAB's own scorer: docs/diagnosis.md.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence

BITS = 4
ORDERS = 2
MARGIN = 0.5
ALARM = 0.4


class NoveltyDetector:
    """Online; time per point is constant, memory grows with distinct contexts only (bounded).

    Args:
        warm_up: Points from which the grid is laid; they are scored too, once it is there.
        rest: Points of silence after an alarm; default a fifth of ``warm_up``.
        low: Smallest value of the grid, if known beforehand; else learnt from the warm-up.
        high: Largest value of the grid, likewise.
    """

    def __init__(
        self,
        warm_up: int,
        *,
        rest: int | None = None,
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        self._warm_up = max(2, warm_up)
        self._rest = max(1, self._warm_up // 5 if rest is None else rest)
        self._head: list[float] = []
        self._low = 0.0
        self._span = 0.0
        self._seen: set[int] = set()
        self._past: deque[int] = deque(maxlen=ORDERS)
        self._quiet = self._rest
        if low is not None and high is not None:
            self._lay(low, high, margin=0.0)

    @property
    def ready(self) -> bool:
        """Whether the grid is laid, so that scores mean something."""
        return self._span > 0

    def update(self, value: float) -> float:
        """The novelty of the next value, 0..1; 0 while warming up, resting, or for no number."""
        if not math.isfinite(value):
            return 0.0
        if not self.ready:
            self._head.append(value)
            if len(self._head) < self._warm_up:
                return 0.0
            self._lay(min(self._head), max(self._head), margin=MARGIN)
            for held in self._head:
                score = self._told(self._step(held))
            self._head.clear()
            return score  # pyright: ignore[reportPossiblyUnboundVariable]  # the head is not empty
        return self._told(self._step(value))

    def _lay(self, low: float, high: float, margin: float) -> None:
        span = (high - low) or abs(high) * 0.1 or 1.0
        self._low = low - margin * span
        self._span = span * (1 + 2 * margin)

    def _step(self, value: float) -> float:
        place = max(-1.0, min(2.0, (value - self._low) / self._span))
        level = math.floor(place * (2**BITS - 1)) + 2**BITS  # never negative, so that keys pack
        new = total = 0
        for shift in range(BITS):
            key = (level >> shift) * BITS + shift + 1
            total += 1
            new += self._first(key)
            for held in reversed(self._past):
                key = key * 256 + (held >> shift) + 1
                total += 1
                new += self._first(key)
        self._past.append(level)
        return new / total

    def _first(self, key: int) -> bool:
        before = len(self._seen)
        self._seen.add(key)
        return len(self._seen) > before

    def _told(self, score: float) -> float:
        loud = score >= ALARM
        told = score if self._quiet == 0 else 0.0
        self._quiet = self._rest if loud else max(0, self._quiet - 1)
        return told


def novelty(values: Sequence[float] | Iterable[float], warm_up: int) -> list[float]:
    """Scores of a whole series, value by value, without looking ahead."""
    detector = NoveltyDetector(warm_up)
    return [detector.update(value) for value in values]
