"""The names of metrics: what each means, its unit, how people call it, and its PromQL.

A name works in every tool. On this machine its numbers come from the embedded history; in a fleet
with Prometheus, from the first of its PromQL forms whose metrics are exported there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tools.errors import unknown

Family = Literal["host", "gpu", "serving", "training", "cluster"]


@dataclass(frozen=True, slots=True)
class MetricName:
    """One named metric."""

    name: str
    unit: str
    en: str
    zh: str
    family: Family
    aliases: tuple[str, ...] = ()
    """What else people call it; spaces and case do not matter."""
    promql: tuple[str, ...] = ()
    """Forms to try in order; the first whose metrics are all exported is asked."""
    advice: str = ""
    """What to enable when none of the forms is exported."""


_IDENTIFIER = re.compile(r"[A-Za-z_:][\w:]*")


def normal(name: str) -> str:
    """Lower case, with every run of blanks, hyphens and underscores as one underscore."""
    return re.sub(r"[\s_\-]+", "_", name.strip().lower())


_TABLE = Path(__file__).parent / "data/metrics.yaml"


@cache
def table() -> tuple[MetricName, ...]:
    """Every named metric, in the order of ``data/metrics.yaml``."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    families: dict[Family, dict[str, Any]] = yaml.load(_TABLE.read_text("utf-8"), loader)
    return tuple(
        MetricName(
            name,
            row.get("unit", ""),
            row["en"],
            row["zh"],
            family,
            tuple(row.get("aliases", ())),
            tuple(row.get("promql", ())),
            row.get("advice", ""),
        )
        for family, rows in families.items()
        for name, row in rows.items()
    )


@cache
def _index() -> dict[str, MetricName]:
    index: dict[str, MetricName] = {}
    for metric in table():
        for key in (metric.name, metric.zh, *metric.aliases):
            index.setdefault(normal(key), metric)
    return index


def find(name: str) -> MetricName | None:
    """The metric people mean by ``name``, or ``None``."""
    index = _index()
    key = normal(name)
    for trial in (key, key.removesuffix("_usage"), key.removesuffix("使用率"), key.rstrip("s")):
        if trial in index:
            return index[trial]
    return None


def names() -> tuple[str, ...]:
    """Every name, in the order of the table."""
    return tuple(m.name for m in table())


def named(name: str) -> MetricName:
    """The metric people mean by ``name``; ``BadArguments`` with the nearest names."""
    metric = find(name)
    if metric is None:
        raise unknown("metric", name, names(), "指标")
    return metric


def is_plain(query: str) -> bool:
    """Whether a query is a bare metric name rather than an expression."""
    return _IDENTIFIER.fullmatch(query.strip()) is not None


_SUFFIXES = (
    ("_bytes", "bytes"),
    ("_bytes_total", "bytes"),
    ("_seconds", "s"),
    ("_seconds_total", "s"),
    ("_percent", "%"),
    ("_celsius", "°C"),
    ("_watts", "W"),
)


def unit_of(name: str) -> str:
    """The unit of a metric by its name; for unknown names by the Prometheus suffix convention."""
    metric = find(name)
    if metric is not None:
        return metric.unit
    return next((unit for suffix, unit in _SUFFIXES if name.endswith(suffix)), "")
