"""A chart in a terminal: 80 columns, no colour, plain ASCII on request. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.observe.base import Point, Series
from tools.observe.wording import quantity

WIDTH = 80
HEIGHT = 12
MARKS = "●○×+◆"
ASCII_MARKS = "*ox+#"
SPARKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Mark:
    """An event on the time axis, shown by a letter."""

    letter: str
    at: datetime
    text: str


def letters(events: Sequence[tuple[datetime, str]], most: int = 8) -> tuple[Mark, ...]:
    """The newest ``most`` events in order of time, lettered from A."""
    kept = sorted(events)[-most:]
    return tuple(Mark(chr(ord("A") + i), at, text) for i, (at, text) in enumerate(kept))


def short_names(series: Sequence[Series]) -> tuple[str, ...]:
    """Legend names: the metric alone, or only the labels in which the series differ."""
    if len(series) == 1:
        return (series[0].metric,)
    keys = sorted({k for s in series for k in s.labels}, key=_familiar)
    telling = [k for k in keys if len({s.labels.get(k) for s in series}) > 1]
    # labels that go together with a shorter one say nothing new
    telling = [k for i, k in enumerate(telling) if not _follows(series, telling[:i], k)]
    same_metric = len({s.metric for s in series}) == 1
    names: list[str] = []
    for one in series:
        inner = ", ".join(f"{k}={one.labels[k]}" for k in telling if k in one.labels)
        names.append(inner if same_metric and inner else f"{one.metric} {inner}".strip())
    return tuple(names)


_FAMILIAR = [
    "gpu", "deployment", "revision", "model", "model_name", "version", "job_id", "node", "hostname",
    "Hostname", "pod", "namespace", "mount", "mountpoint", "interface", "device", "instance", "job",
]  # fmt: skip


def _familiar(label: str) -> tuple[int, str]:
    return (_FAMILIAR.index(label) if label in _FAMILIAR else len(_FAMILIAR), label)


def _follows(series: Sequence[Series], before: Sequence[str], key: str) -> bool:
    """Whether ``key`` is determined by the labels already chosen."""
    seen: Mapping[tuple[str | None, ...], set[str | None]] = {}
    for one in series:
        chosen = tuple(one.labels.get(k) for k in before)
        seen.setdefault(chosen, set()).add(one.labels.get(key))  # pyright: ignore[reportAttributeAccessIssue]
    return bool(before) and all(len(values) == 1 for values in seen.values())


def sparkline(points: Sequence[Point], width: int = 40) -> str:
    """The course of one series in a single line of text."""
    values = [v for v in _columns(points, width, *_times([points])) if v is not None]
    if not values:
        return ""
    low, high = min(values), max(values)
    top = len(SPARKS) - 1
    return "".join(
        SPARKS[round((v - low) / (high - low) * top) if high > low else 0] for v in values
    )


def render(
    series: Sequence[Series],
    title: str,
    marks: Sequence[Mark] = (),
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
    ascii_only: bool = False,
) -> str:
    """The chart with its axes, units, legend and marks; lines of at most ``width`` columns."""
    shown = [s for s in series if s.points][: len(MARKS)]
    if not shown:
        return title
    unit = shown[0].unit
    low, high = bounds([v for s in shown for _, v in s.points], unit)
    labels = [quantity(high - (high - low) * i / (height - 1), unit) for i in range(height)]
    every = max(height // 4, 1)
    margin = max(len(t) for i, t in enumerate(labels) if i % every == 0) + 1
    span = _times([s.points for s in shown])
    plot = max(width - margin - 2, 10)
    grid = [[" "] * plot for _ in range(height)]
    symbols = ASCII_MARKS if ascii_only else MARKS
    for one, symbol in zip(shown, symbols, strict=False):
        _draw(grid, _columns(one.points, plot, *span), low, high, symbol)
    bar, corner, dash = ("|", "+", "-") if ascii_only else ("│", "└", "─")
    lines = [title[:width]]
    for i, row in enumerate(grid):
        label = labels[i] if i % every == 0 else ""
        lines.append(f"{label:>{margin}} {bar}{''.join(row)}".rstrip())
    lines.append(" " * (margin + 1) + corner + dash * plot)
    axis = _letters(marks, span, plot)
    if axis.strip():
        lines.append(" " * (margin + 2) + axis.rstrip())
    lines.append(" " * (margin + 2) + _clock_axis(span, plot))
    if len(shown) > 1:
        lines += [f"  {symbols[i]} {name}"[:width] for i, name in enumerate(short_names(shown))]
    if len(series) > len(shown):
        lines.append(f"  (+{len(series) - len(shown)} more)")
    lines += [f"  {m.letter} {m.at:%H:%M:%S} {m.text}"[:width] for m in marks]
    return "\n".join(lines)


def bounds(values: Sequence[float], unit: str) -> tuple[float, float]:
    """The value axis: from zero where that does not flatten the curve; shares up to 100 %."""
    finite = [v for v in values if _drawable(v)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    if low >= 0 and (low < 0.4 * high or high == low):
        low = 0.0
    if unit == "%" and 50 < high <= 100:
        high = 100.0
    if high == low:
        high = low + max(1.0, 0.1 * abs(low))
    return low, high


def _drawable(value: float) -> bool:
    return abs(value) < 1e300  # NaN compares false; beyond it, differences overflow


def _times(all_points: Sequence[Sequence[Point]]) -> tuple[datetime, datetime]:
    start = min(points[0][0] for points in all_points)
    end = max(points[-1][0] for points in all_points)
    return min(start, end - timedelta(minutes=1)), end


def _columns(
    points: Sequence[Point], width: int, start: datetime, end: datetime
) -> list[float | None]:
    groups: list[list[float]] = [[] for _ in range(width)]
    span = (end - start).total_seconds()
    for at, value in points:
        if _drawable(value):
            place = int((at - start).total_seconds() / span * (width - 1))
            groups[min(max(place, 0), width - 1)].append(value)
    return [sum(g) / len(g) if g else None for g in groups]


def _draw(
    grid: list[list[str]], columns: Sequence[float | None], low: float, high: float, symbol: str
) -> None:
    height = len(grid)
    before: int | None = None
    for x, value in enumerate(columns):
        if value is None:
            continue
        row = height - 1 - round((value - low) / (high - low) * (height - 1))
        row = min(max(row, 0), height - 1)
        if before is not None:
            for between in range(min(before, row) + 1, max(before, row)):
                if grid[between][x] == " ":
                    grid[between][x] = ":"
        grid[row][x] = symbol
        before = row


def _letters(marks: Sequence[Mark], span: tuple[datetime, datetime], plot: int) -> str:
    row = [" "] * plot
    total = (span[1] - span[0]).total_seconds()
    for mark in marks:
        place = round((mark.at - span[0]).total_seconds() / total * (plot - 1))
        if 0 <= place < plot:
            while place < plot - 1 and row[place] != " ":
                place += 1
            row[place] = mark.letter
    return "".join(row)


def _clock_axis(span: tuple[datetime, datetime], plot: int) -> str:
    long = span[1] - span[0] > timedelta(days=1)
    form = "%m-%d %H:%M" if long else "%H:%M" if span[1] - span[0] > timedelta(minutes=5) else "%X"
    row = [" "] * plot
    size = len(span[0].strftime(form))
    ticks = max(plot // (size * 2), 2)
    for i in range(ticks):
        at = span[0] + (span[1] - span[0]) * i / (ticks - 1)
        text = at.strftime(form)
        place = min(round((plot - 5) * i / (ticks - 1)), plot - size - 4)
        row[place : place + size] = text
    return "".join(row).rstrip() + " UTC"
