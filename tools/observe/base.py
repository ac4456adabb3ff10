"""The telemetry port: what this machine and the fleet measure, now and before.

:class:`Telemetry` is offered by ``tools.observe.telemetry.build(world)`` and reached through
:func:`telemetry`. Times are timezone-aware UTC. Errors are :mod:`tools.errors` only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

from tools.observe.readings import GpuReport, HostSample
from tools.platforms.base import LogLine

if TYPE_CHECKING:
    from tools.world import World

Point: TypeAlias = "tuple[datetime, float]"


@dataclass(frozen=True, slots=True)
class Sample:
    """One number to remember: ``Sample("gpu_temperature", 71.0, {"gpu": "0"})``."""

    metric: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    at: datetime | None = None
    """``None`` is now."""


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one thing over time, oldest first."""

    metric: str
    labels: Mapping[str, str]
    unit: str
    """``%``, ``bytes``, ``bytes/s``, ``s``, ``W``, ``°C``, ``MHz``, ``1/s`` or ``""``."""
    points: tuple[Point, ...]

    @property
    def last(self) -> float | None:
        """The newest value."""
        return self.points[-1][1] if self.points else None

    @property
    def name(self) -> str:
        """``metric{label=value}`` as a legend shows it."""
        inner = ", ".join(f"{k}={v}" for k, v in sorted(self.labels.items()))
        return f"{self.metric}{{{inner}}}" if inner else self.metric


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The answer of a query, with what was really asked and what is not there."""

    query: str
    """The PromQL or the metric name that was answered, after names were resolved."""
    source: str
    """``prometheus`` or ``history`` (the embedded store of this machine)."""
    series: tuple[Series, ...]
    not_exported: tuple[str, ...] = ()
    """Metric names the query needs and no exporter delivers; never to be read as zero."""
    advice: str = ""
    """What to enable so that they are delivered."""
    advice_zh: str = ""
    more: int = 0
    """Further series that were left out of a very wide answer."""


class Telemetry(Protocol):
    """Measurements of this machine, its history, and the fleet's Prometheus where there is one."""

    def host(self) -> HostSample:
        """This machine now, at most two seconds old."""
        ...

    def gpus(self) -> GpuReport:
        """The GPUs now, at most two seconds old. Never raises for GPU trouble: it reports it."""
        ...

    def series(
        self, metric: str, window: timedelta, labels: Mapping[str, str] | None = None
    ) -> Sequence[Series]:
        """A metric by its name here (see :mod:`tools.observe.metrics`) over the last ``window``.

        From the embedded history; where that has nothing and the fleet has Prometheus, from there.
        ``labels`` selects; empty when nothing was recorded. Raises ``BadArguments`` for an unknown
        name and ``Unavailable`` when Prometheus does not answer.
        """
        ...

    def query(self, query: str, window: timedelta) -> QueryResult:
        """A metric name or PromQL over the last ``window``.

        Raises ``BadArguments`` (unknown name, PromQL error) or ``Unavailable``.
        """
        ...

    def kernel_log(self, since: timedelta) -> Sequence[LogLine]:
        """Kernel messages of the last ``since``, newest last; ``Unavailable`` if unreadable."""
        ...

    def record(self, samples: Sequence[Sample]) -> None:
        """Remember numbers in the embedded history."""
        ...

    def metrics(self) -> Sequence[str]:
        """Names with at least one recorded number on this machine."""
        ...


def telemetry(world: World) -> Telemetry:
    """The telemetry of a world."""
    return cast("Telemetry", world.port("telemetry"))
