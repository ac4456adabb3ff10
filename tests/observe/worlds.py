"""Worlds for tests of this room: real telemetry, recorded actions, small platforms and jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support import FakeClock, make_world
from tools.errors import unknown
from tools.fleet import Fleet
from tools.observe.base import Sample
from tools.observe.kernel_log import KernelLog
from tools.observe.telemetry import LocalTelemetry
from tools.platforms.base import LogLine, PlatformEvent, Traffic
from tools.world import ActionRow, World

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class Actions:
    """A ledger with chosen rows."""

    known: Sequence[ActionRow] = ()

    def rows(
        self,
        *,
        since: datetime | None = None,
        states: Sequence[str] = (),
        target: str | None = None,
        limit: int = 200,
    ) -> Sequence[ActionRow]:
        return [
            row
            for row in self.known
            if (since is None or row.changed_at >= since) and (not states or row.state in states)
        ][:limit]

    def row(self, number: int) -> ActionRow | None:
        return next((row for row in self.known if row.number == number), None)


def action(
    number: int, title: str, at: datetime, target: str, state: str = "verified"
) -> ActionRow:
    return ActionRow(
        number, f"a{number}", "roll_out", {}, title, target, state, "ann", ("ann",), at, at
    )


@dataclass
class Shelf:
    """One platform with one deployment, its logs, events and counters."""

    name: str = "local"
    lines: Sequence[LogLine] = ()
    happened: Sequence[PlatformEvent] = ()
    counters: Mapping[int, Traffic] = field(default_factory=dict[int, Traffic])
    statuses: Sequence[Any] = ()

    def all(self) -> Sequence[Shelf]:
        return [self]

    def of(self, deployment: str) -> tuple[Shelf, str]:
        if deployment != "digits":
            raise unknown("deployment", deployment, ["digits"])
        return self, "digits"

    def deployments(self) -> Sequence[Any]:
        return self.statuses

    def logs(
        self, ref: str, *, since: timedelta, limit: int = 500, previous: bool = False
    ) -> Sequence[LogLine]:
        return list(self.lines)[-limit:]

    def events(self, ref: str | None, *, since: timedelta) -> Sequence[PlatformEvent]:
        return list(self.happened)

    def traffic(self, ref: str) -> Mapping[int, Traffic]:
        return self.counters


@dataclass
class JobList:
    """Jobs as given."""

    known: Sequence[Any] = ()
    lines: Sequence[LogLine] = ()

    def list(self) -> Sequence[Any]:
        return self.known

    def status(self, name: str) -> Any:
        return next(job for job in self.known if job.name == name)

    def logs(self, name: str, *, limit: int = 500) -> Sequence[LogLine]:
        return list(self.lines)[-limit:]


def observed(
    home: Path,
    *,
    kernel: Path | None = None,
    platforms: Any = None,
    jobs: Any = None,
    actions: Sequence[ActionRow] = (),
    sections: Mapping[str, Any] | None = None,
    clock: Any = None,
    alerts: Callable[[World], Any] | None = None,
    telemetry: Callable[[World], Any] | None = None,
) -> World:
    """A world at :data:`NOW` whose telemetry is the real one."""

    def build(world: World) -> LocalTelemetry:
        return LocalTelemetry(world, kernel=KernelLog(kernel) if kernel else None)

    more: dict[str, Callable[[World], Any]] = {"telemetry": telemetry or build}
    if alerts is not None:
        more["alerts"] = alerts
    return make_world(
        home,
        fleet=Fleet(path=None, sections=dict(sections or {})),
        platforms=lambda _: platforms or Shelf(),
        jobs=lambda _: jobs or JobList(),
        more=more,
        clock=clock or FakeClock(NOW),
        actions=Actions(actions),
    )


def wave(
    metric: str,
    values: Sequence[float],
    *,
    end: datetime = NOW,
    step: float = 15.0,
    labels: Mapping[str, str] | None = None,
) -> list[Sample]:
    """Samples ``step`` seconds apart, the last one at ``end``."""
    first = end - timedelta(seconds=step * (len(values) - 1))
    return [
        Sample(metric, v, labels or {}, first + timedelta(seconds=step * i))
        for i, v in enumerate(values)
    ]
