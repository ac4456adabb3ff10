"""metric_query: a metric by name, or PromQL, over a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.contract import Phrases, reading
from tools.observe import metrics
from tools.observe import wording as say
from tools.observe.base import QueryResult, Series, telemetry
from tools.observe.chart_text import short_names, sparkline
from tools.words import Lang, Metric, Window, parse_window

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


_SHOWN = 10
_POINTS_KEPT = 60


@dataclass(frozen=True, slots=True)
class Summary:
    """One series in short: its values over the window and its course."""

    name: str
    unit: str
    now: float
    mean: float
    low: float
    high: float
    course: tuple[tuple[str, float], ...]
    """At most sixty points, oldest first: ISO time and value."""
    spark: str


@dataclass(frozen=True, slots=True)
class MetricFinding:
    """What a metric or a query answered."""

    asked: str
    window: str
    result_query: str
    source: str
    summaries: tuple[Summary, ...]
    series: int
    not_exported: tuple[str, ...]
    advice: str
    advice_zh: str
    title: str
    title_zh: str

    def say(self, lang: Lang) -> str:
        """The value first; an absent metric is said to be unknown, never zero."""
        zh = lang == "zh"
        if not self.summaries:
            return say.fold([self._nothing(zh), *self._notes(zh)])
        span = say.span(parse_window(self.window), lang)
        title = self.title_zh if zh else self.title
        if len(self.summaries) == 1:
            lines = [_one(self.summaries[0], title, span, zh), f"  {self.summaries[0].spark}"]
        else:
            shown = self.summaries[:_SHOWN]
            high, low = shown[0], self.summaries[-1]
            lines = [
                f"{title}，最近 {span}，共 {self.series} 条序列：最高 {_now(high)}（{high.name}），"
                f"最低 {_now(low)}（{low.name}）。"
                if zh
                else f"{title} over the last {span}, {self.series} series: highest {_now(high)} "
                f"({high.name}), lowest {_now(low)} ({low.name})."
            ]
            lines += [_row(s, zh) for s in shown]
            if self.series > len(shown):
                rest = self.series - len(shown)
                lines.append(f"（另有 {rest} 条）" if zh else f"(+{rest} more)")
        return say.fold([*lines, *self._notes(zh)])

    def _nothing(self, zh: bool) -> str:
        span = say.span(parse_window(self.window), "zh" if zh else "en")
        if self.not_exported:
            names = ", ".join(self.not_exported)
            return (
                f"{self.asked} 没有被导出（缺少 {names}），因此是未知，而不是 0。"
                if zh
                else f"{self.asked} is not exported ({names} is missing), so it is unknown, not zero."
            )
        if self.source == "prometheus":
            return (
                f"查询成功，但最近 {span}没有任何序列符合：{self.result_query}"
                if zh
                else f"The query works, but no series matches over the last {span}: "
                f"{self.result_query}"
            )
        return (
            f"最近 {span}这台机器还没有记录 {self.asked}。"
            if zh
            else f"This machine has recorded no {self.asked} over the last {span}."
        )

    def _notes(self, zh: bool) -> list[str]:
        lines: list[str] = []
        advice = self.advice_zh if zh else self.advice
        if self.not_exported and self.summaries:
            names = ", ".join(self.not_exported)
            lines.append(f"未导出：{names}。" if zh else f"Not exported: {names}.")
        if advice:
            lines.append((f"建议：{advice}。" if zh else f"To have it: {advice}.") if
                         self.not_exported else advice)  # fmt: skip
        if self.source == "prometheus" and self.summaries and self.result_query != self.asked:
            lines.append(f"PromQL: {self.result_query}")
        return lines


def _now(summary: Summary) -> str:
    return say.quantity(summary.now, summary.unit)


def _one(s: Summary, title: str, span: str, zh: bool) -> str:
    mean, low, high = (say.quantity(v, s.unit) for v in (s.mean, s.low, s.high))
    if zh:
        return f"{title}：现在 {_now(s)}；最近 {span}平均 {mean}，最低 {low}，最高 {high}。"
    return f"{title}: {_now(s)} now; over the last {span} {mean} on average, {low} to {high}."


def _row(s: Summary, zh: bool) -> str:
    mean, high = say.quantity(s.mean, s.unit), say.quantity(s.high, s.unit)
    words = f"平均 {mean}，最高 {high}" if zh else f"mean {mean}, highest {high}"
    return f"  {s.name}: {_now(s)} ({words}) {s.spark[-20:]}"


@reading(_PHRASES)
def metric_query(world: World, query: Metric, window: Window = "15m") -> MetricFinding:
    """Value and course of a metric, by name or by PromQL, over a window."""
    result = telemetry(world).query(query, parse_window(window))
    return _finding(query, window, result)


def _finding(query: str, window: str, result: QueryResult) -> MetricFinding:
    known = metrics.find(query)
    summaries = sorted(_summaries(result.series), key=lambda s: -s.now if s.now == s.now else 0)
    title = query if known is None else f"{known.en[0].upper()}{known.en[1:]}"
    return MetricFinding(
        query,
        window,
        result.query,
        result.source,
        tuple(summaries),
        len(summaries) + result.more,
        result.not_exported,
        result.advice,
        result.advice_zh,
        title,
        query if known is None else known.zh,
    )


def _summaries(series: Sequence[Series]) -> list[Summary]:
    there = [s for s in series if s.points]
    found: list[Summary] = []
    for one, name in zip(there, short_names(there) if there else (), strict=True):
        values = [v for _, v in one.points]
        finite = [v for v in values if v == v] or [float("nan")]
        step = -(-len(one.points) // _POINTS_KEPT)
        found.append(
            Summary(
                say.clean(name, 120),
                one.unit,
                values[-1],
                sum(finite) / len(finite),
                min(finite),
                max(finite),
                tuple((at.isoformat(timespec="seconds"), v) for at, v in one.points[::step]),
                sparkline(one.points),
            )
        )
    return found
