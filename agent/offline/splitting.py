"""The best way to cut a row of clauses into requests."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

S = TypeVar("S")
_Count: TypeAlias = "tuple[int, int]"
"""Requests so far, and how many of them are firm (at most 2)."""
_LEAST = 1e-3
_MOST = 4
"""Requests in one message; more are rare, and then the last ones stay together."""
_FIRMLY = 0.97
"""How likely a message makes several requests when two of its pieces are firm ones."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What a piece of a message is worth as one request."""

    share: float
    """How likely its best reading is, 0..1."""
    asks: bool
    """Is that a request?"""
    firm: bool = False
    """Is it surely one, of a kind that nobody mentions in passing?"""


def best_split(
    count: int, read: Callable[[int, int], S], worth: Callable[[S], Piece], several: float
) -> list[S]:
    """Cut ``count`` clauses into runs whose readings are together the likeliest.

    ``read`` reads the clauses from the first to the last given; ``several`` is how likely the
    message makes more than one request, 0..1.
    """
    best: list[dict[_Count, tuple[float, list[S]]]] = [{(0, 0): (0.0, [])}]
    for end in range(count):
        ways: dict[_Count, tuple[float, list[S]]] = {}
        for start in range(end + 1):
            step = read(start, end)
            piece = worth(step)
            value = math.log(max(piece.share, _LEAST))
            for (asked, firm), (before, steps) in best[start].items():
                now = (asked + piece.asks, min(2, firm + piece.firm))
                way = (before + value, [*steps, step])
                if now[0] <= _MOST and (now not in ways or way[0] > ways[now][0]):
                    ways[now] = way
        best.append(ways)
    prior = {asked: _prior(*asked, several) for asked in best[count]}
    return max(best[count].items(), key=lambda way: way[1][0] + prior[way[0]])[1][1]


def _prior(number: int, firm: int, several: float) -> float:
    likely = several if number > 1 else 1.0 - several
    if number > 1 and firm > 1:
        likely = max(several, _FIRMLY)
    return math.log(max(likely, _LEAST))
