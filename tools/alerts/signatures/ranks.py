"""Which rank held the others up, as far as the collective library's own lines tell."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tools.alerts.signatures.base import Line

_SEQ = re.compile(r"SeqNum=(\d+),\s*OpType=(\w+)")
_LAST = re.compile(r"last enqueued (?:NCCL )?work: (-?\d+), last completed (?:NCCL )?work: (-?\d+)")
_WORLD = re.compile(
    r"\b(?:world[_ ]size|nranks|nRanks|num_processes)\s*[=: ]\s*(\d{1,6})\b", re.IGNORECASE
)
_GROUP = re.compile(r"\[?PG(?: ID)? (\d+)\b")
_MISSING = re.compile(r"[Rr]anks? ((?:\d+(?:,\s*)?)+) (?:did not|failed to|have not|has not|never)")


@dataclass(frozen=True, slots=True)
class RankVerdict:
    """Who did not take part in the collective that timed out."""

    missing: tuple[int, ...]
    """Ranks that never reported the time-out although the others did."""
    behind: tuple[int, ...]
    """Ranks whose newest enqueued collective is older than everybody else's."""
    operation: str
    """``ALLREDUCE #808``, or empty."""

    @property
    def suspects(self) -> tuple[int, ...]:
        """The ranks to look at first; empty when the log does not tell."""
        return self.behind or self.missing


class RankWatch:
    """Collects what ranks say while a log is read; memory grows with ranks, not with lines."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._world = 0
        self._timed_out: dict[int, tuple[int, str]] = {}
        self._enqueued: dict[str, dict[int, int]] = defaultdict(dict)
        self._named: set[int] = set()

    def look(self, line: Line) -> None:
        """Take note of one line."""
        if line.rank is not None and line.rank < 1_000_000:
            self._seen.add(line.rank)
        body = line.body
        if "orld" in body or "anks" in body or "num_processes" in body:
            self._look_at_world(body)
        if line.rank is None or ("SeqNum" not in body and "last enqueued" not in body):
            return
        if found := _SEQ.search(body):
            sequence = int(found[1][:15])
            held = self._timed_out.get(line.rank)
            if held is None or sequence < held[0]:
                self._timed_out[line.rank] = (sequence, found[2])
        if found := _LAST.search(body):
            group = _GROUP.search(body)
            self._enqueued[group[1] if group else ""][line.rank] = int(found[1][:15])

    def _look_at_world(self, body: str) -> None:
        if found := _WORLD.search(body):
            self._world = max(self._world, min(int(found[1]), 1_000_000))
        if found := _MISSING.search(body):
            self._named |= {int(r) for r in re.findall(r"\d{1,6}", found[1])}

    def verdict(self) -> RankVerdict:
        """Who is suspected, once everything was read."""
        reported = set(self._timed_out)
        everyone = self._seen | set(range(self._world if self._world <= 65536 else 0))
        if len(reported) >= 3 and max(reported) < 65536:
            everyone |= set(range(max(reported)))  # who says nothing at all leaves a gap
        missing: set[int] = everyone - reported if reported else set()
        if len(missing) > max(1, len(everyone) // 4):
            missing.clear()  # most ranks are simply not in this log
        operation = ""
        if self._timed_out:
            sequence, name = min(self._timed_out.values())
            operation = f"{name} #{sequence}"
        behind = self._behind()
        return RankVerdict(tuple(sorted(self._named or missing)), tuple(behind), operation)

    def _behind(self) -> Iterable[int]:
        suspects: set[int] = set()
        tables = list(self._enqueued.values()) or [{r: s for r, (s, _) in self._timed_out.items()}]
        for table in tables:
            if len(table) < 2 or min(table.values()) == max(table.values()):
                continue
            lowest = min(table.values())
            slow = {rank for rank, value in table.items() if value == lowest}
            if len(slow) <= len(table) // 2:
                suspects |= slow
        return sorted(suspects)
