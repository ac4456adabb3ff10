"""The summary's chart: actions and alerts on one time axis, over the machine's use. On demand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.alerts.base import alerts
from tools.errors import ToolError
from tools.observe.base import telemetry
from tools.words import parse_window
from tools.zone import moment, zone_of

if TYPE_CHECKING:
    from tools.alerts.base import AlertRecord
    from tools.observe.base import Series
    from tools.world import ActionRow, World

_COLOURS = {
    "verified": "#2e7d32",
    "undone": "#6d4c41",
    "failed": "#c62828",
    "unverified": "#c62828",
    "unknown": "#c62828",
    "proposed": "#f9a825",
}
_OTHER = "#757575"
_SEVERE = {"critical": "#c62828", "error": "#c62828", "warning": "#ef6c00"}
_USE = (("gpu_utilization", "GPU"), ("cpu_percent", "CPU"), ("memory_percent", "memory"))
_MEANING = (("verified", "done"), ("proposed", "waits"), ("failed", "failed"), ("", "other"))
LEVELS = 6
"""Actions are drawn on so many levels, so that their labels seldom meet."""
LETTER = 0.0068
"""Width of a letter of a label, as a share of the axis."""
ROWS = 8
"""Alerts drawn one above another; the loudest and newest win."""


def chart(world: World, window: str) -> Path:
    """Draw the window and return the PNG in ``charts/`` of STEWARD_HOME.

    Raises:
        ToolError: the chart cannot be written.
    """
    until = world.clock.now()
    since = until - parse_window(window)
    actions = sorted(world.actions.rows(since=since, limit=500), key=lambda r: r.number)
    fired, use = _alerts(world, since), _use(world, window)
    period = (_begin(actions, fired, use, (since, until)), until)
    figure = _draw(world, actions, fired, use, period)
    folder = world.home / "charts"
    path = folder / f"summary-{until:%Y%m%dT%H%M%S}-{window}.png"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110)
    except OSError as error:
        raise ToolError(f"The chart cannot be written to {path}: {error.strerror}.") from None
    return path


def _begin(
    actions: Sequence[ActionRow],
    fired: Sequence[AlertRecord],
    use: Sequence[tuple[str, Series]],
    window: tuple[datetime, datetime],
) -> datetime:
    """Where the axis begins: with the window, or shortly before the first thing known in it."""
    known = [
        *(a.changed_at for a in actions),
        *(a.starts_at for a in fired),
        *(s.points[0][0] for _, s in use),
    ]
    since, until = window
    first = max(since, min(known, default=since))
    return max(since, first - max((until - first) * 0.04, timedelta(seconds=30)))


def _alerts(world: World, since: datetime) -> Sequence[AlertRecord]:
    try:
        port = alerts(world)
        found = [*port.alerts(limit=500), *port.alerts("resolved", limit=500)]
    except ToolError:  # the chart shows what there is
        return ()
    seen = {
        (a.fingerprint, a.starts_at): a
        for a in found
        if a.state == "firing" or (a.ends_at or a.received_at) >= since
    }
    return sorted(seen.values(), key=lambda a: (a.severity not in _SEVERE, a.starts_at))[:ROWS]


def _use(world: World, window: str) -> Sequence[tuple[str, Series]]:
    found: list[tuple[str, Series]] = []
    for metric, label in _USE:
        try:
            series = telemetry(world).series(metric, parse_window(window))
        except ToolError:
            continue
        for one in series:
            which = one.labels.get("gpu")
            found.append((f"{label} {which}" if which else label, one))
    return [(label, one) for label, one in found if len(one.points) > 1]


def _draw(
    world: World,
    actions: Sequence[ActionRow],
    fired: Sequence[AlertRecord],
    use: Sequence[tuple[str, Series]],
    period: tuple[datetime, datetime],
) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure

    zone = zone_of(world.fleet)
    heights = [1.6, 0.6 + 0.28 * max(1, len(fired)), *([1.8] if use else [])]
    figure: Any = Figure(figsize=(10, 1.4 + sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    grid: Any = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)
    axes = [row[0] for row in grid]
    _draw_actions(axes[0], actions, period)
    _draw_alerts(axes[1], fired, period)
    if use:
        _draw_use(axes[2], use)
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    locator: Any = AutoDateLocator(tz=zone)
    axes[-1].xaxis.set_major_locator(locator)
    axes[-1].xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))
    axes[-1].set_xlim(*period)
    figure.suptitle(f"{_plain(world.fleet.name)}, to {moment(period[1], zone, 'en')}", fontsize=11)
    return figure


def _draw_actions(
    axis: Any, actions: Sequence[ActionRow], period: tuple[datetime, datetime]
) -> None:
    axis.set_title("Actions", loc="left", fontsize=9)
    axis.set_yticks([])
    for state, word in _MEANING:
        axis.plot([], [], "o", color=_COLOURS.get(state, _OTHER), markersize=5, label=word)
    axis.legend(loc="lower right", bbox_to_anchor=(1, 1), fontsize=7, ncols=4, frameon=False)
    span = max((period[1] - period[0]).total_seconds(), 1.0)
    ends = [-1.0] * LEVELS
    for row in sorted(actions, key=lambda r: r.changed_at):
        label = f"#{row.number} {_plain(row.tool)}"
        at, width = (row.changed_at - period[0]).total_seconds() / span, len(label) * LETTER + 0.02
        left = at + width > 1  # no room for the label on the right
        begin = at - width if left else at - 0.01
        level = next((n for n in range(LEVELS) if ends[n] < begin), ends.index(min(ends)))
        ends[level] = at + 0.01 if left else at + width
        axis.plot(
            [row.changed_at], [level], "o", color=_COLOURS.get(row.state, _OTHER), markersize=6
        )
        axis.annotate(
            label,
            (row.changed_at, level),
            xytext=(-6 if left else 6, -3),
            ha="right" if left else "left",
            textcoords="offset points",
            fontsize=7,
        )
    used = max((n for n in range(LEVELS) if ends[n] >= 0), default=0)
    axis.set_ylim(-0.6, max(used, 2) + 0.6)
    if not actions:
        axis.text(0.5, 0.5, "none", transform=axis.transAxes, ha="center", color=_OTHER)


def _draw_alerts(
    axis: Any, fired: Sequence[AlertRecord], period: tuple[datetime, datetime]
) -> None:
    axis.set_title("Alerts", loc="left", fontsize=9)
    axis.set_yticks(range(len(fired)), [_name(a.name) for a in fired], fontsize=7)
    for level, alert in enumerate(fired):
        begin = max(alert.starts_at, period[0])
        end = alert.ends_at if alert.state == "resolved" and alert.ends_at else period[1]
        length = max(end - begin, (period[1] - period[0]) * 0.003)
        axis.barh(level, length, left=begin, height=0.6, color=_SEVERE.get(alert.severity, _OTHER))
    if not fired:
        axis.text(0.5, 0.5, "none", transform=axis.transAxes, ha="center", color=_OTHER)


def _draw_use(axis: Any, use: Sequence[tuple[str, Series]]) -> None:
    axis.set_title("Use, %", loc="left", fontsize=9)
    axis.set_ylim(0, 105)
    for label, series in use:
        times = [at for at, _ in series.points]
        axis.plot(times, [value for _, value in series.points], label=label, linewidth=1)
    axis.legend(loc="lower right", bbox_to_anchor=(1, 1), fontsize=7, ncols=6, frameon=False)


def _name(text: str, most: int = 34) -> str:
    plain = _plain(text)
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def _plain(text: str) -> str:
    """Text that matplotlib draws as it is: no mathematics, no glyphs its font lacks."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text).replace("$", r"\$")
