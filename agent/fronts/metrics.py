"""The service's own metrics, in the Prometheus text format 0.0.4."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 60.0)
"""Upper bounds in seconds; 0.3 and 3 are the limits promised for acknowledgements."""

Labels = tuple[tuple[str, str], ...]
Gauge = Callable[[], Mapping[Labels, float]]


@dataclass
class _Histogram:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0


class Metrics:
    """Counters, histograms of seconds, and gauges that are asked when scraped. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._help: dict[str, str] = {}
        self._counters: dict[tuple[str, Labels], float] = {}
        self._histograms: dict[tuple[str, Labels], _Histogram] = {}
        self._gauges: dict[str, Gauge] = {}

    def count(
        self, name: str, help: str, by: float = 1.0, labels: Mapping[str, str] | None = None
    ) -> None:
        """Add to a counter."""
        key = (name, tuple(sorted((labels or {}).items())))
        with self._lock:
            self._help[name] = help
            self._counters[key] = self._counters.get(key, 0.0) + by

    def observe(
        self, name: str, help: str, seconds: float, labels: Mapping[str, str] | None = None
    ) -> None:
        """Add one duration to a histogram."""
        key = (name, tuple(sorted((labels or {}).items())))
        with self._lock:
            self._help[name] = help
            histogram = self._histograms.setdefault(key, _Histogram())
            histogram.counts[bisect_left(BUCKETS, seconds)] += 1
            histogram.total += seconds

    def gauge(self, name: str, help: str, read: Gauge) -> None:
        """Register a value that is read when somebody scrapes."""
        with self._lock:
            self._help[name] = help
            self._gauges[name] = read

    def text(self) -> str:
        """Everything, as one exposition."""
        with self._lock:
            counters = dict(self._counters)
            histograms = {k: (list(h.counts), h.total) for k, h in self._histograms.items()}
            gauges, helps = dict(self._gauges), dict(self._help)
        lines: dict[str, list[str]] = {}
        kinds: dict[str, str] = {}
        for (name, labels), value in counters.items():
            kinds[name] = "counter"
            lines.setdefault(name, []).append(_line(name, labels, value))
        for (name, labels), (counts, total) in histograms.items():
            kinds[name] = "histogram"
            lines.setdefault(name, []).extend(_histogram(name, labels, counts, total))
        for name, read in gauges.items():
            kinds[name] = "gauge"
            lines[name] = [_line(name, labels, value) for labels, value in read().items()]
        out: list[str] = []
        for name in sorted(lines):
            out += [f"# HELP {name} {helps[name]}", f"# TYPE {name} {kinds[name]}", *lines[name]]
        return "\n".join(out) + "\n"


def _histogram(name: str, labels: Labels, counts: list[int], total: float) -> list[str]:
    out: list[str] = []
    so_far = 0
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
        so_far += count
        out.append(_line(f"{name}_bucket", (*labels, ("le", bound)), so_far))
    return [*out, _line(f"{name}_sum", labels, total), _line(f"{name}_count", labels, so_far)]


def _line(name: str, labels: Labels, value: float) -> str:
    inner = ",".join(f'{k}="{_escape(v)}"' for k, v in labels)
    return f"{name}{{{inner}}} {value:g}" if inner else f"{name} {value:g}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
