"""Counters and latencies of one server, written and read as Prometheus text.

Writing and reading are side by side because both ends are ours: a platform scrapes each replica
and adds up. Buckets grow by a tenth of a decade, so that a p95 is known within 13 %.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal

BOUNDS: tuple[float, ...] = tuple(round(1e-4 * 10 ** (i / 10), 9) for i in range(57))
"""Upper bounds of the latency buckets in seconds: 0.1 ms … 39.8 s, ten per decade."""

Result = Literal["ok", "rejected", "error"]
"""``rejected`` is the caller's fault (4xx), ``error`` the server's or the model's (5xx)."""


@dataclass(slots=True)
class Counters:
    """What one model version did since the server started."""

    ok: int = 0
    rejected: int = 0
    error: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    correct: int = 0
    labelled: int = 0

    @property
    def requests(self) -> int:
        """Requests that reached the model: rejected ones say nothing about it."""
        return self.ok + self.error

    @property
    def quality(self) -> float | None:
        """Share of labelled answers that were right, or ``None`` without labels."""
        return self.correct / self.labelled if self.labelled else None

    def quantile(self, q: float) -> float | None:
        """Latency in seconds below which a share ``q`` of the requests stayed."""
        total = sum(self.buckets)
        if not total:
            return None
        rank, seen = q * total, 0
        for index, count in enumerate(self.buckets):
            if count and seen + count >= rank:
                upper = BOUNDS[min(index, len(BOUNDS) - 1)]
                lower = BOUNDS[index - 1] if 0 < index <= len(BOUNDS) else 0.0
                return lower + (upper - lower) * (rank - seen) / count
            seen += count
        return BOUNDS[-1]

    def add(self, other: Counters) -> None:
        """Add another server's counters of the same version."""
        self.ok += other.ok
        self.rejected += other.rejected
        self.error += other.error
        self.seconds += other.seconds
        self.correct += other.correct
        self.labelled += other.labelled
        self.buckets = [a + b for a, b in zip(self.buckets, other.buckets, strict=True)]

    def less(self, before: Counters) -> Counters:
        """What was counted since ``before``."""
        return Counters(
            self.ok - before.ok,
            self.rejected - before.rejected,
            self.error - before.error,
            self.seconds - before.seconds,
            [a - b for a, b in zip(self.buckets, before.buckets, strict=True)],
            self.correct - before.correct,
            self.labelled - before.labelled,
        )


class Metrics:
    """The counters of a running server, by version. Thread-safe."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._lock = Lock()
        self._by_version: dict[str, Counters] = {}

    def observe(self, version: str, result: Result, seconds: float) -> None:
        """Count one request and, unless it was rejected, its latency."""
        with self._lock:
            counters = self._by_version.setdefault(version, Counters())
            setattr(counters, result, getattr(counters, result) + 1)
            if result != "rejected":
                counters.seconds += seconds
                counters.buckets[bisect_left(BOUNDS, seconds)] += 1

    def label(self, version: str, correct: int, labelled: int) -> None:
        """Count answers whose true label became known."""
        with self._lock:
            counters = self._by_version.setdefault(version, Counters())
            counters.correct += correct
            counters.labelled += labelled

    def render(self, gauges: Mapping[str, float]) -> str:
        """Prometheus text exposition format, version 0.0.4."""
        lines = [
            "# TYPE steward_requests_total counter",
            "# TYPE steward_request_seconds histogram",
            "# TYPE steward_answers_labelled_total counter",
            "# TYPE steward_answers_correct_total counter",
        ]
        with self._lock:
            for version, counters in self._by_version.items():
                lines += _lines(f'model="{self._model}",version="{version}"', counters)
        for name, value in gauges.items():
            lines += [f"# TYPE {name} gauge", f"{name} {value:.10g}"]
        return "\n".join(lines) + "\n"


def _lines(labels: str, counters: Counters) -> Iterable[str]:
    for result in ("ok", "rejected", "error"):
        yield f'steward_requests_total{{{labels},result="{result}"}} {getattr(counters, result)}'
    total = 0
    for bound, count in zip((*BOUNDS, float("inf")), counters.buckets, strict=True):
        total += count
        edge = "+Inf" if bound == float("inf") else f"{bound:.10g}"
        yield f'steward_request_seconds_bucket{{{labels},le="{edge}"}} {total}'
    yield f"steward_request_seconds_sum{{{labels}}} {counters.seconds:.9g}"
    yield f"steward_request_seconds_count{{{labels}}} {total}"
    yield f"steward_answers_labelled_total{{{labels}}} {counters.labelled}"
    yield f"steward_answers_correct_total{{{labels}}} {counters.correct}"


_SAMPLE = re.compile(r"(steward_\w+)\{([^}]*)\} (\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def parse(text: str) -> dict[str, Counters]:
    """Version → counters, from what :meth:`Metrics.render` wrote; other samples are ignored."""
    found: dict[str, Counters] = {}
    cumulative: dict[str, list[int]] = {}
    for name, raw, value in _SAMPLE.findall(text):
        labels = dict(_LABEL.findall(raw))
        counters = found.setdefault(labels.get("version", ""), Counters())
        match name:
            case "steward_requests_total":
                setattr(counters, labels["result"], int(value))
            case "steward_request_seconds_bucket":
                cumulative.setdefault(labels["version"], []).append(int(value))
            case "steward_request_seconds_sum":
                counters.seconds = float(value)
            case "steward_answers_labelled_total":
                counters.labelled = int(value)
            case "steward_answers_correct_total":
                counters.correct = int(value)
            case _:
                pass
    for version, totals in cumulative.items():
        if len(totals) == len(BOUNDS) + 1:
            found[version].buckets = _differences(totals)
    return found


def _differences(totals: Sequence[int]) -> list[int]:
    return [b - a for a, b in zip((0, *totals[:-1]), totals, strict=True)]
