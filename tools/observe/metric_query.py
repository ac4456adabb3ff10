"""metric_query: a metric by name, or PromQL, over a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.contract import Finding, Phrases, reading
from tools.errors import Unavailable
from tools.words import Metric, Window

if TYPE_CHECKING:
    from tools.world import World

_PHRASES = Phrases(
    en=(
        "query {query}",
        "query {query} over the last {window}",
        "what was {query} in the last {window}",
        "what is the value of {query}",
        "run the promql {query}",
        "get metric {query} for the last {window}",
        "how high was {query} over the last {window}",
        "average {query} during the last {window}",
        "check the metric {query}",
        "p95 latency over the last {window}",
    ),
    zh=(
        "查询指标 {query}",
        "查询最近 {window} 的 {query}",
        "最近 {window} {query} 是多少",
        "{query} 现在是多少",
        "执行 PromQL {query}",
        "过去 {window} 的 {query} 有多高",
        "{query} 最近 {window} 的平均值",
    ),
)


@reading(_PHRASES)
def metric_query(world: World, query: Metric, window: Window = "15m") -> Finding:
    """Value and course of a metric, by name or by PromQL, over a window."""
    raise Unavailable("metric_query is not built yet.")
