"""plot_metric: a chart in the terminal and as a PNG file, with events on its time axis."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.contract import Phrases, reading
from tools.errors import Unavailable
from tools.observe import chart_png, metrics, timeline
from tools.observe import wording as say
from tools.observe.base import QueryResult, telemetry
from tools.observe.chart_text import Mark, letters, render, short_names
from tools.words import Lang, Metric, Window, parse_window

if TYPE_CHECKING:
    from tools.world import World

_PHRASES = Phrases(
    en=(
        "plot {metric}",
        "plot {metric} over the last {window}",
        "draw a chart of {metric}",
        "show me a graph of {metric} for the last {window}",
        "chart {metric} for the last {window}",
        "graph {metric}",
        "visualise {metric} over {window}",
        "make a picture of {metric} during the last {window}",
        "draw {metric} over the last {window}",
    ),
    zh=(
        "画出 {metric}",
        "画一张 {metric} 的图",
        "画出最近 {window} 的 {metric} 曲线",
        "显示 {metric} 最近 {window} 的图表",
        "绘制 {metric}",
        "把 {metric} 画成图",
        "给我看最近 {window} {metric} 的趋势图",
    ),
)


@dataclass(frozen=True, slots=True)
class ChartFinding:
    """A chart: as text, and as a PNG file."""

    metric: str
    window: str
    path: Path
    text: str
    series: tuple[str, ...]
    marks: tuple[Mark, ...]
    summary: str
    summary_zh: str
    note: str = ""

    def say(self, lang: Lang) -> str:
        """Where the file is, and the chart itself."""
        zh = lang == "zh"
        first = self.summary_zh if zh else self.summary
        where = f"图片：{self.path}" if zh else f"PNG file: {self.path}"
        return "\n".join(filter(None, (say.fold([first]), self.text, where, say.fold([self.note]))))


@reading(_PHRASES)
def plot_metric(world: World, metric: Metric, window: Window = "1h") -> ChartFinding:
    """Chart of a metric over time with deployments and alerts marked: terminal text and a PNG."""
    span = parse_window(window)
    result = telemetry(world).query(metric, span)
    shown = [s for s in result.series if s.points]
    if not shown:
        raise _nothing(metric, window, result)
    start = world.clock.now() - span
    marks = letters([(h.at, h.text) for h in timeline.marks(world, start)])
    known = metrics.find(metric)
    name = known.en if known else metric
    title = f"{name[0].upper()}{name[1:]}, last {say.span(span)}"
    path = world.home / "charts" / _file_name(metric, window)
    unit = f" ({shown[0].unit})" if shown[0].unit else ""
    label = f"{known.name if known else say.clean(metric, 60)}{unit}"
    chart_png.write(path, shown, title, label, marks)
    last = ", ".join(
        f"{n} {say.quantity(s.points[-1][1], s.unit)}"
        for n, s in zip(short_names(shown)[:3], shown[:3], strict=True)
    )
    zh_name = known.zh if known else metric
    return ChartFinding(
        metric,
        window,
        path,
        render(shown, title, marks),
        short_names(shown),
        marks,
        f"{name[0].upper()}{name[1:]} over the last {say.span(span)}; now {last}.",
        f"{zh_name}，最近 {say.span(span, 'zh')}；现在 {last}。",
        result.advice if not result.not_exported else "",
    )


def _nothing(metric: str, window: str, result: QueryResult) -> Unavailable:
    if result.not_exported:
        names = ", ".join(result.not_exported)
        return Unavailable(
            f"{metric} cannot be drawn: {names} is not exported; {result.advice}.",
            f"无法绘制 {metric}：没有导出 {names}；{result.advice_zh}。",
        )
    return Unavailable(
        f"There is nothing to draw: no {metric} was recorded over the last {window}.",
        f"没有可绘制的数据：最近 {window} 没有记录 {metric}。",
    )


def _file_name(metric: str, window: str) -> str:
    word = re.sub(r"[^A-Za-z0-9_]+", "-", metric).strip("-")[:40] or "query"
    plain = metrics.find(metric) is not None or metrics.is_plain(metric)
    mark = "" if plain and word == metric else "-" + hashlib.sha256(metric.encode()).hexdigest()[:8]
    return f"{word}{mark}-{window}.png"
