"""A world whose parts can be well, ill, broken or silent, for the tests of the summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from agent.ledger_log import LedgerLog
from tests.door.toy import make_door
from tests.support import FakeClock, make_world
from tools.alerts.base import AlertRecord
from tools.contract import Json
from tools.errors import Unavailable
from tools.fleet import Fleet
from tools.models.base import JobStatus
from tools.observe.base import Series
from tools.observe.readings import DiskUse, GpuReport, GpuSample, HostSample, Limits, Problem
from tools.platforms.base import Phase, Release, Status
from tools.world import World

GIB = 1024**3


def host(clock: FakeClock, disk: float = 24.0) -> HostSample:
    size = 100 * GIB
    used = int(size * disk / 100)
    root = DiskUse("/", "/dev/vda1", "ext4", size, used, size - used, disk)
    return HostSample(
        at=clock.time,
        hostname="lab",
        cpu_percent=12.0,
        cores=(12.0,),
        load=(0.1, 0.2, 0.3),
        iowait_percent=None,
        pressure={},
        memory_total=32 * GIB,
        memory_available=24 * GIB,
        memory_percent=25.0,
        swap_total=0,
        swap_used=0,
        disks=(root,),
        shm=None,
        disk_read=None,
        disk_write=None,
        network=(),
        processes=(),
        limits=Limits(),
        booted_at=clock.time - timedelta(days=3),
    )


def gpu(index: int, utilization: float | None, problem: Problem | None = None) -> GpuSample:
    return GpuSample(
        index,
        "lost" if problem else "ok",
        problem,
        name="H200",
        utilization=utilization,
        memory_used=2 * GIB,
        memory_total=140 * GIB,
        temperature=41.0,
    )


def deployment(name: str, phase: Phase = "complete", ready: int = 2, message: str = "") -> Status:
    release = Release("digits", "3", None, "file:///digits")
    return Status(
        name=name,
        namespace=None,
        platform="local",
        uid=name,
        generation="1",
        revision=1,
        release=release,
        wanted=2,
        ready=ready,
        updated=2,
        phase=phase,
        replicas=(),
        message=message,
    )


@dataclass
class Parts:
    """What the summary finds; ``broken`` names ports that raise."""

    clock: FakeClock
    deployments: list[Status] = field(default_factory=list)
    jobs: list[JobStatus] = field(default_factory=list)
    alerts: list[AlertRecord] = field(default_factory=list)
    gpus: GpuReport | None = None
    disk: float = 24.0
    history: list[Series] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def fail(self, name: str) -> None:
        if name in self.broken:
            raise Unavailable(f"The {name} do not answer.", f"{name} 没有应答。")
        if f"bug:{name}" in self.broken:
            raise RuntimeError("https://user:s3cret@host")


class LocalPlatform:
    name = "local"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def deployments(self) -> Sequence[Status]:
        self._parts.fail("deployments")
        return self._parts.deployments


class AllPlatforms:
    def __init__(self, *platforms: Any) -> None:
        self._platforms = platforms

    def all(self) -> Sequence[Any]:
        return self._platforms


class JobList:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def list(self) -> Sequence[JobStatus]:
        self._parts.fail("jobs")
        return self._parts.jobs


class AlertBook:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def alerts(self, state: str | None = None, *, limit: int = 500) -> Sequence[AlertRecord]:
        self._parts.fail("alerts")
        wanted = "resolved" if state == "resolved" else "firing"
        return [a for a in self._parts.alerts if a.state == wanted][:limit]


class Meters:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def host(self) -> HostSample:
        self._parts.fail("host")
        return host(self._parts.clock, self._parts.disk)

    def gpus(self) -> GpuReport:
        self._parts.fail("gpus")
        missing = Problem("no_driver", "There is no NVIDIA driver.", "没有 NVIDIA 驱动。")
        return self._parts.gpus or GpuReport(self._parts.clock.time, missing)

    def series(self, metric: str, window: timedelta, labels: object = None) -> Sequence[Series]:
        return [s for s in self._parts.history if s.metric == metric]


class NoVersions:
    def versions(self, model: str) -> Sequence[object]:
        return ()


def make(home: Path, parts: Parts, *more: Any, **sections: Json) -> tuple[World, Any]:
    """The world and the door behind its ledger; ``more`` are further platforms."""
    door = make_door(make_world(home, clock=parts.clock))
    fleet = Fleet(path=None, name="lab", sections={"schedules": {"timezone": "UTC"}, **sections})
    world = make_world(
        home,
        fleet=fleet,
        clock=parts.clock,
        platforms=lambda _world: AllPlatforms(LocalPlatform(parts), *more),
        registry=lambda _world: NoVersions(),
        jobs=lambda _world: JobList(parts),
        more={"alerts": lambda _world: AlertBook(parts), "telemetry": lambda _world: Meters(parts)},
        actions=LedgerLog(door.ledger),
    )
    return world, door
