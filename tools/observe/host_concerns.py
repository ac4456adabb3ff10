"""What about a host sample needs attention: limits nearly reached, and what is unusual for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tools.observe import wording as say
from tools.observe.base import Telemetry
from tools.observe.history import Baseline
from tools.observe.readings import DiskUse, HostSample, Problem

_UNUSUAL_FACTOR, _UNUSUAL_POINTS = 1.5, 20.0
_DAY = 86400.0
_TREND = timedelta(hours=1)
_TREND_POINTS = 10


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual for a percentage of this machine."""

    metric: str
    median: float
    high: float


def usual_of(port: Telemetry) -> tuple[Usual, ...]:
    """Baselines of the last week, where an hour of history or more is behind them."""
    found: list[Usual] = []
    ask = getattr(port, "baseline", None)
    for metric in ("cpu_percent", "memory_percent", "iowait_percent"):
        baseline: Baseline | None = ask(metric) if ask else None
        if baseline is not None:
            found.append(Usual(metric, baseline.median, baseline.high))
    return tuple(found)


def full_in(port: Telemetry, disks: Sequence[DiskUse]) -> tuple[tuple[str, float], ...]:
    """Mounts that fill up within a day at the pace of the last hour, with the seconds left."""
    found: list[tuple[str, float]] = []
    for disk in disks:
        for series in port.series("disk_free_bytes", _TREND, {"mount": disk.mount}):
            if len(series.points) < _TREND_POINTS:
                continue
            pace = slope([(at.timestamp(), value) for at, value in series.points])
            if pace < 0 and disk.free / -pace < _DAY:
                found.append((disk.mount, disk.free / -pace))
    return tuple(found)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Least-squares slope of value over seconds."""
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0


def concerns(
    host: HostSample, usual: Sequence[Usual], growth: Sequence[tuple[str, float]]
) -> tuple[Problem, ...]:
    """What needs attention, the most urgent first."""
    return (
        *_memory(host),
        *_disks(host, dict(growth)),
        *_cpu(host, {u.metric: u for u in usual}),
        *_stuck(host),
    )


def _memory(host: HostSample) -> Iterator[Problem]:
    limits = host.limits
    if limits.memory and limits.memory_used is not None:
        share = 100 * limits.memory_used / limits.memory
        if share >= 90:
            yield Problem(
                "memory_limit",
                f"Memory of this container is at {say.percent(share)} of its limit "
                f"{say.size(limits.memory)}; beyond it processes are killed.",
                f"容器内存已用到限额 {say.size(limits.memory)} 的 {say.percent(share)}；"
                "超出后进程会被杀死。",
            )
    if host.memory_percent >= 95:
        yield Problem(
            "memory_full",
            f"Memory is nearly exhausted: {say.size(host.memory_available)} left.",
            f"内存即将耗尽：只剩 {say.size(host.memory_available)}。",
        )
    if limits.oom_kills:
        yield Problem(
            "oom_kills",
            f"{limits.oom_kills} process(es) of this control group were killed for memory.",
            f"该控制组已有 {limits.oom_kills} 个进程因内存不足被杀。",
        )
    if host.pressure.get("memory", 0) >= 10:
        share = say.percent(host.pressure["memory"])
        yield Problem(
            "memory_pressure",
            f"Tasks wait for memory {share} of the time (pressure of the last 10 s).",
            f"最近 10 秒有 {share} 的时间任务在等待内存。",
        )


def _disks(host: HostSample, growth: dict[str, float]) -> Iterator[Problem]:
    shm = (host.shm,) if host.shm is not None else ()
    for disk in (*host.disks, *shm):
        if disk.percent >= 90:
            yield Problem(
                "disk_full",
                f"Disk {disk.mount} is {say.percent(disk.percent)} full, {say.size(disk.free)} left.",
                f"磁盘 {disk.mount} 已用 {say.percent(disk.percent)}，剩余 {say.size(disk.free)}。",
            )
        if disk.inodes_percent is not None and disk.inodes_percent >= 95:
            share = say.percent(disk.inodes_percent)
            yield Problem(
                "inodes_full",
                f"Disk {disk.mount} has used {share} of its inodes (too many small files).",
                f"磁盘 {disk.mount} 的 inode 已用 {share}（小文件过多）。",
            )
        if disk.mount in growth:
            left = say.seconds(growth[disk.mount])
            yield Problem(
                "disk_filling",
                f"Disk {disk.mount} is full in {left} at the pace of the last hour.",
                f"按最近一小时的速度，磁盘 {disk.mount} 将在 {say.zh_units(left)}后写满。",
            )


def _cpu(host: HostSample, usual: dict[str, Usual]) -> Iterator[Problem]:
    known = usual.get("cpu_percent")
    busy = host.cpu_percent >= 95 and host.load[0] > 2 * len(host.cores)
    if busy:
        yield Problem(
            "cpu_overloaded",
            f"CPU is overloaded: load {host.load[0]:.1f} on {len(host.cores)} cores.",
            f"CPU 过载：{len(host.cores)} 核上负载为 {host.load[0]:.1f}。",
        )
    elif known is not None and _unusual(host.cpu_percent, known):
        now, normal = say.percent(host.cpu_percent), say.percent(known.median)
        yield Problem(
            "cpu_unusual",
            f"CPU is unusually high: {now}, usually {normal}.",
            f"CPU 异常偏高：{now}，平时 {normal}。",
        )
    memory = usual.get("memory_percent")
    if memory is not None and host.memory_percent < 95 and _unusual(host.memory_percent, memory):
        now, normal = say.percent(host.memory_percent), say.percent(memory.median)
        yield Problem(
            "memory_unusual",
            f"Memory use is unusually high: {now}, usually {normal}.",
            f"内存占用异常偏高：{now}，平时 {normal}。",
        )


def _unusual(now: float, usual: Usual) -> bool:
    return now > usual.high + _UNUSUAL_POINTS and now > _UNUSUAL_FACTOR * usual.median


def _stuck(host: HostSample) -> Iterator[Problem]:
    if (host.iowait_percent or 0) >= 25:
        share = say.percent(host.iowait_percent or 0)
        yield Problem(
            "iowait",
            f"The CPUs wait for disks {share} of the time.",
            f"CPU 有 {share} 的时间在等待磁盘。",
        )
    for key, why in host.missing.items():
        if key.startswith("disk:"):
            mount = key.removeprefix("disk:")
            yield Problem(
                "mount_hangs", f"Mount {mount}: {why}.", f"挂载点 {mount}：文件服务器没有响应。"
            )
