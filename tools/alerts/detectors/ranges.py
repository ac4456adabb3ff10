"""Robust ranges: spikes and level shifts against a series' own past, with a minimum effect.

Median and a scale that a few outliers cannot bend: 1.4826 × the median absolute deviation, but
at least the interquartile range's equivalent, since spiky and yet normal data has a tiny MAD.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

Z = 6.0
"""Robust standard deviations from the median that count as outside."""
EFFECT = 0.1
"""Smallest relative change that matters to a person."""
HOLD = 3
"""Points outside in a row that make a shift rather than a spike."""
MEMORY = 1000
LEAST = 20


@dataclass(frozen=True, slots=True)
class Excursion:
    """One stay outside the usual range."""

    start: int
    end: int
    """Index after the last point outside."""
    kind: Literal["spike", "shift"]
    value: float
    """The furthest value."""
    usual: float
    score: float
    """Robust standard deviations, at most 1,000."""


class RobustRange:
    """The sorted window of a series' recent normal values."""

    def __init__(self, size: int = MEMORY) -> None:
        self._order: list[float] = []
        self._sorted: list[float] = []
        self._size = size
        self._next = 0

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, value: float) -> None:
        """Remember a value; the oldest is forgotten when the window is full."""
        if len(self._order) < self._size:
            self._order.append(value)
        else:
            old, self._order[self._next] = self._order[self._next], value
            self._next = (self._next + 1) % self._size
            del self._sorted[bisect_left(self._sorted, old)]
        insort(self._sorted, value)

    def middle(self) -> float:
        """The median."""
        return self._sorted[len(self._sorted) // 2]

    def scale(self) -> float:
        """A robust standard deviation: the wider of quartiles and tenths, as of a normal."""
        held, count = self._sorted, len(self._sorted)
        quartiles = (held[count * 3 // 4] - held[count // 4]) / 1.349
        tenths = (held[count * 9 // 10] - held[count // 10]) / 2.563
        edges = (held[count * 49 // 50] - held[count // 50]) / 4.107
        return max(quartiles, tenths, edges)


def excursions(values: Sequence[float], *, season: int = 0, floor: float = 1e-9) -> list[Excursion]:
    """Where a series left its usual range; bursts are told once.

    ``season`` points make a period (a day), when known: a value is then compared with the same
    phase of the periods before, as well as with the recent past. ``floor`` is the smallest
    absolute change that matters, in the series' own unit.
    """
    walk = _Walk(values, season, floor)
    for index in range(len(values)):
        walk.step(index)
    walk.close(len(values))
    return walk.found


class _Walk:
    """One pass over a series."""

    def __init__(self, values: Sequence[float], season: int, floor: float) -> None:
        self._values = values
        self._season = season
        self._floor = floor
        self._usual = RobustRange()
        self._start = -1
        self._worst = self._worst_z = self._base = 0.0
        self.found: list[Excursion] = []

    def step(self, index: int) -> None:
        value = self._values[index]
        z = self._z(index)
        if z < Z:
            self.close(index)
            self._usual.add(value)
            return
        if self._start < 0:
            self._start, self._worst, self._worst_z = index, value, z
            self._base = self._usual.middle()
        elif z > self._worst_z:
            self._worst, self._worst_z = value, z
        if index - self._start >= 4 * HOLD:  # a new level that stays becomes the usual one
            self.close(index)
            self._usual = RobustRange()
            for held in self._values[index - 2 * HOLD : index + 1]:
                self._usual.add(held)

    def _z(self, index: int) -> float:
        if len(self._usual) < (LEAST if self._start < 0 and not self.found else 2 * HOLD):
            return 0.0
        middle, value = self._usual.middle(), self._values[index]
        z = _distance(value, middle, self._usual.scale(), self._floor)
        if z >= Z and self._season and _seen_before(self._values, index, self._season, middle):
            return 0.0
        return z

    def close(self, end: int) -> None:
        if self._start < 0:
            return
        kind: Literal["spike", "shift"] = "shift" if end - self._start >= HOLD else "spike"
        self.found.append(Excursion(self._start, end, kind, self._worst, self._base, self._worst_z))
        self._start = -1


def _distance(value: float, middle: float, scale: float, floor: float) -> float:
    effect = max(abs(middle) * EFFECT, floor)
    if abs(value - middle) < effect:
        return 0.0
    return min(1000.0, abs(value - middle) / max(scale, effect / Z))


def _seen_before(values: Sequence[float], index: int, season: int, middle: float) -> bool:
    """Whether the same phase of an earlier period was about as far out."""
    reach = max(1, season // 48)
    away = values[index] - middle
    for period in (1, 2):
        centre = index - period * season
        if centre - reach < 0:
            return False
        near = values[centre - reach : centre + reach + 1]
        if any((v - middle) * away > 0 and abs(v - middle) >= 0.6 * abs(away) for v in near):
            return True
    return False


def peer_outliers(values: Sequence[float], *, z: float = 4.0) -> list[tuple[int, float]]:
    """Members of a group that are unlike the others: index and robust distance.

    Needs four members; the scale is the group's own median deviation with a floor of five per
    cent of the median, so that a perfectly even group does not accuse a tiny difference.
    """
    if len(values) < 4:
        return []
    middle = median(values)
    spread = median(abs(v - middle) for v in values) * 1.4826
    scale = max(spread, abs(middle) * 0.05, 1e-9)
    scored = [(i, abs(v - middle) / scale) for i, v in enumerate(values)]
    return [(i, d) for i, d in scored if d >= z]
