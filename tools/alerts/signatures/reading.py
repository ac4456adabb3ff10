"""Read whole logs: what happened first, what only followed, which rank stands out.

The first error counts, not the last: cascades (a collective that timed out because a peer died)
are never the root while a root precedes them, an error that the program survived counts little,
and a kernel line explains the program's line even where their clocks cannot be compared.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tools.alerts.signatures.base import Line, Role, Signature
from tools.alerts.signatures.line import parse_lines
from tools.alerts.signatures.order import Placed, choose_root
from tools.alerts.signatures.ranks import RankVerdict, RankWatch
from tools.alerts.signatures.rules import recognise

KEPT = 24
"""Signatures kept per kind; a flood of one kind is counted, not stored."""

_PROGRESS = re.compile(
    r"\b(?:global[_ ]?step|step|iter(?:ation)?|epoch|batch)\b[\s=:/\[(#]{0,4}\d+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a set of logs says."""

    lines: int
    signatures: tuple[Signature, ...]
    """In the order they happened; without advice."""
    counts: Mapping[str, int]
    """How often each kind (``xid 79``, ``cuda_oom``) occurred."""
    root: Signature | None
    """The first cause, as far as these lines tell."""
    certain: bool
    """False when the root is a cascade or an exit that nothing precedes."""
    ranks: RankVerdict
    spread: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, "tuple[int, ...]"])
    """Kind → ranks that show it."""


class LogReader:
    """Reads one or more sources line by line; memory stays bounded."""

    def __init__(self, year: int | None = None) -> None:
        self._year = year
        self._lines = 0
        self._offset = 0
        self._placed: list[Placed] = []
        self._counts: Counter[str] = Counter()
        self._spread: dict[str, set[int]] = defaultdict(set)
        self._progress: dict[tuple[str, int | None], list[int]] = defaultdict(list)
        self._clock: dict[tuple[str, int | None], datetime] = {}
        self._last: datetime | None = None
        self._boot: float | None = None
        self._ranks = RankWatch()

    def add(self, texts: Iterable[str], source: str = "") -> None:
        """Read the lines of one source."""
        number = -1
        self._last = None
        for line in parse_lines(texts, source, self._year):
            number = line.number
            self._one(line)
        self._offset += number + 1

    def _one(self, line: Line) -> None:
        self._lines += 1
        where = (line.source, line.rank)
        at = self._time(line, where)
        self._ranks.look(line)
        found = recognise(line)
        if found is None:
            if _PROGRESS.search(line.body[:300]) and len(self._progress[where]) < 100_000:
                self._progress[where].append(self._offset + line.number)
            return
        if found.role is Role.ADVICE:
            return
        self._counts[found.key] += 1
        if line.rank is not None and len(self._spread[found.key]) < 4096:
            self._spread[found.key].add(line.rank)
        if self._counts[found.key] <= KEPT:
            self._placed.append(Placed(found, at, self._offset + line.number))

    def _time(self, line: Line, where: tuple[str, int | None]) -> datetime | None:
        if line.at is not None:
            if line.uptime is not None:
                self._boot = line.at.timestamp() - line.uptime
            self._clock[where] = self._last = line.at
            return line.at
        if line.uptime is not None:
            if self._boot is None:
                return None
            return datetime.fromtimestamp(self._boot + line.uptime, tz=UTC)
        # A traceback carries no time of its own: it happened when its rank last spoke.
        return self._clock.get(where) or (self._last if line.rank is None else None)

    def reading(self) -> Reading:
        """What was found so far."""
        placed = [self._with_recovery(p) for p in self._placed]
        root, certain, ordered = choose_root(placed)
        spread = {key: tuple(sorted(ranks)) for key, ranks in self._spread.items()}
        signatures = tuple(p.signature for p in ordered)
        ranks = self._ranks.verdict()
        return Reading(self._lines, signatures, dict(self._counts), root, certain, ranks, spread)

    def _with_recovery(self, placed: Placed) -> Placed:
        line = placed.signature.line
        steps = self._progress.get((line.source, line.rank))
        if not steps:
            return placed
        after = len(steps) - bisect_right(steps, placed.position)
        return Placed(placed.signature, placed.at, placed.position, survived=after >= 3)


def read(texts: Iterable[str], source: str = "", year: int | None = None) -> Reading:
    """Read one log."""
    reader = LogReader(year)
    reader.add(texts, source)
    return reader.reading()


def read_sources(sources: Mapping[str, Iterable[str]], year: int | None = None) -> Reading:
    """Read several logs as one incident: ``{"rank 0": lines, "kernel": lines}``."""
    reader = LogReader(year)
    for source, texts in sources.items():
        reader.add(texts, source)
    return reader.reading()
