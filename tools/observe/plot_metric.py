"""plot_metric: a chart in the terminal and as a PNG file, with events on its time axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.contract import Finding, Phrases, reading
from tools.errors import Unavailable
from tools.words import Metric, Window

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


@reading(_PHRASES)
def plot_metric(world: World, metric: Metric, window: Window = "1h") -> Finding:
    """Chart of a metric over time with deployments and alerts marked: terminal text and a PNG."""
    raise Unavailable("plot_metric is not built yet.")
