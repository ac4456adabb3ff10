"""A chart as a PNG file: the only file that knows matplotlib (object interface, Agg, no window)."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from tools.errors import Unavailable
from tools.observe.base import Series
from tools.observe.chart_text import Mark, bounds, short_names
from tools.observe.wording import quantity

_INCHES = (10.0, 5.0)
_DPI = 120
MOST_SERIES = 10
_SHORTEST = timedelta(minutes=1)
_COLOURS = (
    "#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed",
    "#0891b2", "#be185d", "#65a30d", "#475569", "#a16207",
)  # fmt: skip
_CJK = ("Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "SimHei", "PingFang SC")


def write(
    path: Path, series: Sequence[Series], title: str, ylabel: str, marks: Sequence[Mark] = ()
) -> None:
    """Draw ``series`` into ``path`` (replaced as a whole); raises ``Unavailable`` without disk."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    shown = [s for s in series if s.points][:MOST_SERIES]
    figure: Any = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
    canvas: Any = FigureCanvasAgg(figure)
    axes: Any = figure.add_subplot()
    fonts = _fonts()
    _lines(axes, shown)
    _axes(axes, shown, ylabel)
    _marks(axes, shown, marks)
    axes.set_title(title, loc="left", fontsize=13, fontweight="bold", pad=22 if marks else 10)
    if len(shown) > 1:
        figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    if marks:
        _key(figure, marks, bool(set(fonts) - {"DejaVu Sans"}))
    for text in figure.findobj(Text):
        text.set_fontfamily(fonts)
    fresh = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            canvas.print_png(file)
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise Unavailable(
            f"The chart cannot be written to {path}: {error.strerror}.",
            f"无法把图写入 {path}：{error.strerror}。",
        ) from None


def _fonts() -> list[str]:
    from matplotlib import font_manager

    there = {entry.name for entry in font_manager.fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _CJK if name in there)]


def _lines(axes: Any, shown: Sequence[Series]) -> None:
    for one, name, colour in zip(shown, short_names(shown), _COLOURS, strict=False):
        times, values = zip(*one.points, strict=True)
        few = len(times) < 40
        axes.plot(
            times,
            values,
            label=name,
            color=colour,
            linewidth=1.8,
            marker="o" if few else None,
            markersize=3.5,
        )
        if len(shown) == 1 and bounds(values, one.unit)[0] == 0:
            axes.fill_between(times, values, 0.0, color=colour, alpha=0.08)


def _axes(axes: Any, shown: Sequence[Series], ylabel: str) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    unit = shown[0].unit if shown else ""
    values = [v for s in shown for _, v in s.points]
    low, high = bounds(values, unit)
    room = 0.05 * (high - low)
    axes.set_ylim(low if low == 0 else low - room, high + room)
    if unit in ("bytes", "bytes/s"):
        axes.yaxis.set_major_locator(MultipleLocator(_binary_step(high - low)))

    def text(value: float, _place: int) -> str:
        return quantity(value, unit)

    axes.yaxis.set_major_formatter(FuncFormatter(text))
    locator = AutoDateLocator(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    _span(axes, shown)
    axes.set_ylabel(ylabel, fontsize=10)
    axes.set_xlabel("time (UTC)", fontsize=10)
    axes.grid(visible=True, color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.margins(x=0.01)
    axes.tick_params(labelsize=9, colors="#374151")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#9ca3af")


def _span(axes: Any, shown: Sequence[Series]) -> None:
    """A minute at least: a single sample would otherwise be drawn on an axis of years."""
    times = [t for s in shown for t, _ in s.points]
    if times and max(times) - min(times) < _SHORTEST:
        middle = min(times) + (max(times) - min(times)) / 2
        axes.set_xlim(middle - _SHORTEST / 2, middle + _SHORTEST / 2)


def _binary_step(span: float) -> float:
    """A power of two that cuts ``span`` into four to eight parts."""
    return 2.0 ** math.floor(math.log2(max(span, 8.0) / 4))


def _marks(axes: Any, shown: Sequence[Series], marks: Sequence[Mark]) -> None:
    times = [t for s in shown for t, _ in s.points]
    for mark in marks:
        if not times or not min(times) <= mark.at <= max(times):
            continue
        axes.axvline(mark.at, color="#6b7280", linestyle=(0, (4, 3)), linewidth=1.2)
        axes.annotate(
            mark.letter,
            xy=(mark.at, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=9,
            fontweight="bold",
            color="#111827",
            bbox={"boxstyle": "round,pad=0.2", "fc": "#f3f4f6", "ec": "#9ca3af", "lw": 0.8},
        )


def _key(figure: Any, marks: Sequence[Mark], any_script: bool) -> None:
    lines: list[str] = []
    for mark in marks:
        text = mark.text if any_script else mark.text.encode("ascii", "replace").decode()
        lines.append(f"{mark.letter}  {mark.at:%H:%M}  {text[:90]}".replace("$", r"\$"))
    figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=8.5, color="#374151")
