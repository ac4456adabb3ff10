"""What happened, from every source, on one time line: actions, platforms, alerts, the kernel."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tools.errors import BadArguments, ToolError
from tools.observe.base import telemetry
from tools.observe.wording import clean

if TYPE_CHECKING:
    from tools.world import World

_MOST = 200
_DONE = ("applying", "applied", "verified", "unverified", "failed", "unknown", "undone")
_NOTABLE = re.compile(
    r"NVRM|Xid|SXid|oom|Out of memory|Killed process|segfault|soft lockup|hung task|"
    r"blocked for more than|I/O error|EXT4-fs error|remounting filesystem read-only|"
    r"link is down|mlx5|MCE|Hardware Error|AER:|nvme .*timeout|nfs: server",
    re.IGNORECASE,
)
_BAD = re.compile(r"error|fail|kill|oom|memory|xid|timeout|lockup|read-only|down", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened."""

    at: datetime
    source: str
    """``action``, ``alert``, ``kernel``, or the platform's name."""
    target: str
    warning: bool
    text: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Timeline:
    """Happenings, oldest first, and what could not be asked."""

    happenings: tuple[Happening, ...]
    silent: tuple[str, ...] = ()
    silent_zh: tuple[str, ...] = ()


def gather(world: World, window: timedelta, target: str | None = None) -> Timeline:
    """Everything of the last ``window`` about ``target`` (all, when ``None``)."""
    start = world.clock.now() - window
    sources: list[Callable[[], Sequence[Happening]]] = [
        lambda: _actions(world, start, target),
        lambda: _alerts(world, start, target),
    ]
    if target in (None, "host", "kernel") or (target or "").startswith("gpu:"):
        sources.append(lambda: _kernel(world, window, target))
    if target not in ("host", "kernel") and not (target or "").startswith("gpu:"):
        sources.append(lambda: _platforms(world, window, target))
    found: list[Happening] = []
    silent: list[ToolError] = []
    for source in sources:
        try:
            found += source()
        except BadArguments:
            raise
        except ToolError as error:
            silent.append(error)
    ordered = sorted((h for h in found if h.at >= start), key=lambda h: h.at)
    return Timeline(
        tuple(ordered[-_MOST:]), tuple(e.en for e in silent), tuple(e.zh for e in silent)
    )


def marks(world: World, start: datetime) -> Sequence[Happening]:
    """What belongs on the time axis of a chart: actions and alerts that began since ``start``."""
    found = list(_actions(world, start, None))
    with suppress(ToolError):  # the chart stands without them
        found += _alerts(world, start, None)
    return found


def _actions(world: World, start: datetime, target: str | None) -> Sequence[Happening]:
    rows = world.actions.rows(since=start, states=_DONE, limit=_MOST)
    return [
        Happening(
            row.changed_at,
            "action",
            row.target,
            row.state in ("failed", "unknown", "unverified"),
            clean(f"{row.title} ({row.state}, action {row.number})", 300),
        )
        for row in rows
        if target is None or target == row.target or row.target.endswith(f"/{target}")
    ]


def _alerts(world: World, start: datetime, target: str | None) -> Sequence[Happening]:
    from tools.alerts.base import alerts

    try:
        port = alerts(world)
    except KeyError:
        return ()  # a world without alerts, as in a small test
    found: list[Happening] = []
    for alert in (*port.alerts(limit=_MOST), *port.alerts("resolved", limit=_MOST)):
        about = {v for k, v in alert.labels.items() if k != "alertname"}
        wanted = target is None or target in about or target == alert.name
        if not wanted or alert.starts_at < start:
            continue
        summary = alert.annotations.get("summary", "")
        where = alert.labels.get("instance") or alert.labels.get("deployment") or ""
        text = clean(f"{alert.name} {alert.state}" + (f": {summary}" if summary else ""), 300)
        found.append(Happening(alert.starts_at, "alert", where, alert.state == "firing", text))
    return found


def _kernel(world: World, window: timedelta, target: str | None) -> Sequence[Happening]:
    gpu_only = (target or "").startswith("gpu:")
    found: list[Happening] = []
    for line in telemetry(world).kernel_log(window):
        if line.at is None or not _NOTABLE.search(line.text):
            continue
        if gpu_only and "NVRM" not in line.text:
            continue
        found.append(Happening(line.at, "kernel", "host", bool(_BAD.search(line.text)), line.text))
    return _merged(found)


def _merged(found: Sequence[Happening]) -> list[Happening]:
    merged: list[Happening] = []
    for one in found:
        last = merged[-1] if merged else None
        if last is not None and last.text == one.text:
            merged[-1] = Happening(
                last.at, last.source, last.target, last.warning, last.text, last.count + 1
            )
        else:
            merged.append(one)
    return merged


def _platforms(world: World, window: timedelta, target: str | None) -> Sequence[Happening]:
    if target is None:
        asked = [(platform, None) for platform in world.platforms.all()]
    else:
        if _is_job(world, target):
            return _job(world, target)
        platform, ref = world.platforms.of(target)
        asked = [(platform, ref)]
    found: list[Happening] = []
    for platform, ref in asked:
        found += [
            Happening(
                event.at,
                platform.name,
                event.target,
                event.kind == "warning",
                clean(f"{event.reason}: {event.message}", 300),
                event.count,
            )
            for event in platform.events(ref, since=window)
        ]
    return found


def _is_job(world: World, name: str) -> bool:
    try:
        return any(job.name == name for job in world.jobs.list())
    except ToolError:
        return False


def _job(world: World, name: str) -> list[Happening]:
    job = world.jobs.status(name)
    moments = [
        (job.created_at, f"{job.kind} of {job.model} created", False),
        (job.started_at, "started", False),
        (job.last_checkpoint_at, "last checkpoint", False),
        (job.ended_at, f"{job.state}{': ' + job.cause if job.cause else ''}", bool(job.cause)),
    ]
    return [
        Happening(at.astimezone(UTC), "job", name, warning, clean(text, 300))
        for at, text, warning in moments
        if at is not None
    ]
