"""Root causes in a graph of dependencies: an anomaly that another one below explains is no root.

Edges go from the caller to what it calls. A service is explained away by an anomalous dependency
that turned anomalous no later than itself; what remains anomalous with healthy dependencies is a
root. Scores of roots that more anomalous callers depend on rank higher.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LATER = 60.0
"""Seconds by which a dependency's onset may follow its caller's and still explain it (scrapes)."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """How anomalous one service is."""

    score: float
    """Robust standard deviations; 0 is healthy."""
    onset: float | None = None
    """Seconds since any epoch, where known."""


@dataclass(frozen=True, slots=True)
class Root:
    """A service with the share of belief that it is the root."""

    name: str
    share: float
    explains: tuple[str, ...]
    """Anomalous services upstream of it."""


def rank_roots(
    calls: Mapping[str, Iterable[str]], symptoms: Mapping[str, Symptom], *, threshold: float = 3.0
) -> list[Root]:
    """Likely roots, best first; shares add up to one. Cycles are allowed."""
    graph = {name: tuple(below) for name, below in calls.items()}
    sick = {n: s for n, s in symptoms.items() if s.score >= threshold}
    if not sick:
        return []
    explained: dict[str, set[str]] = {name: set() for name in sick}
    weights: dict[str, float] = {}
    for name, symptom in sick.items():
        below = [b for b in _reachable(graph, name, sick) if _may_explain(sick[b], symptom)]
        for dependency in below:
            explained[dependency].add(name)
        strongest = max(
            (sick[b].score for b in below if name not in _below(graph, b, sick)), default=0.0
        )
        # A symptom as strong as its dependency's is its echo; what exceeds it remains its own.
        weights[name] = max(symptom.score - 2.0 * strongest, 0.02 * symptom.score)
    total_sick = len(sick)
    for name in weights:
        weights[name] *= 1.0 + len(explained[name]) / total_sick
    whole = sum(weights.values())
    ranked = sorted(weights, key=lambda n: (-weights[n], n))
    return [Root(n, weights[n] / whole, tuple(sorted(explained[n]))) for n in ranked]


def _may_explain(below: Symptom, above: Symptom) -> bool:
    if below.onset is None or above.onset is None:
        return True
    return below.onset <= above.onset + LATER


def _below(
    graph: Mapping[str, tuple[str, ...]], name: str, sick: Mapping[str, Symptom]
) -> set[str]:
    return set(_reachable(graph, name, sick))


def _reachable(
    graph: Mapping[str, tuple[str, ...]], name: str, sick: Mapping[str, Symptom]
) -> list[str]:
    """Sick dependencies reachable through at most one healthy hop at a time."""
    found: list[str] = []
    frontier = [(b, 0) for b in graph.get(name, ())]
    visited = {name}
    while frontier:
        current, gap = frontier.pop()
        if current in visited:
            continue
        visited.add(current)
        if current in sick:
            found.append(current)
            gap = 0
        else:
            gap += 1
        if gap <= 1:
            frontier += [(b, gap) for b in graph.get(current, ())]
    return found
