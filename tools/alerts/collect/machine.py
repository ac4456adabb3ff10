"""This machine: processor, memory, disks and the largest processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.alerts.collect.base import Collected, Subject
from tools.alerts.facts import Fact, Value
from tools.amounts import size
from tools.errors import BadArguments
from tools.observe.base import telemetry
from tools.observe.readings import DiskUse, HostSample

if TYPE_CHECKING:
    from tools.world import World

_HOST = (
    "host.cpu",
    "host.disk",
    "host.inodes",
    "host.iowait",
    "host.load_ratio",
    "host.memory",
    "host.net_errors",
    "host.pressure_cpu",
    "host.pressure_io",
    "host.pressure_memory",
    "host.shm",
    "host.top_cpu",
    "host.top_cpu_foreign",
    "host.top_memory",
)
OWN = ("steward", "tools.serving", "torchrun", "pt_main_thread")


def host(world: World, subject: Subject) -> Collected:
    """Processor, memory, disks and the largest processes of this machine."""
    if not subject.local:
        where = subject.node or subject.name
        raise BadArguments(
            f"{where} is another machine; ask its exporter", f"{where} 是另一台机器；请查看其导出器"
        )
    sample = telemetry(world).host()
    found = Collected(looked=_HOST)
    cores = max(1, len(sample.cores))
    for name, value, quote, zh in _host_values(sample, cores):
        if value is not None:
            found.facts.append(Fact(name, value, quote, "host", sample.at, quote_zh=zh))
    found.facts += _processes(sample, cores)
    fullest = _fullest(sample.disks)
    disk = f", fullest disk {fullest.percent:.0f} % ({fullest.mount})" if fullest else ""
    disk_zh = f"，最满磁盘 {fullest.percent:.0f} %（{fullest.mount}）" if fullest else ""
    found.note(
        f"host: CPU {sample.cpu_percent:.0f} %, memory {sample.memory_percent:.0f} %{disk}",
        f"主机：CPU {sample.cpu_percent:.0f} %，内存 {sample.memory_percent:.0f} %{disk_zh}",
    )
    return found


def _host_values(sample: HostSample, cores: int) -> list[tuple[str, Value | None, str, str]]:
    disk, limits = _fullest(sample.disks), sample.limits
    load = sample.load[0] / cores
    rows: list[tuple[str, Value | None, str, str]] = [
        ("host.cpu", sample.cpu_percent / 100, f"CPU {sample.cpu_percent:.0f} % of {cores} cores", f"CPU {sample.cpu_percent:.0f} %（{cores} 核）"),
        ("host.load_ratio", load, f"load {sample.load[0]:.1f} on {cores} cores", f"负载 {sample.load[0]:.1f}（{cores} 核）"),
        ("host.memory", sample.memory_percent / 100, f"memory {sample.memory_percent:.0f} % used", f"内存已用 {sample.memory_percent:.0f} %"),
        ("host.iowait", _share(sample.iowait_percent), f"{sample.iowait_percent or 0:.0f} % waiting for disks", f"I/O 等待 {sample.iowait_percent or 0:.0f} %"),
        ("host.net_errors", float(sum(n.errors for n in sample.network)), "network interface errors since boot", "启动以来网卡错误"),
        ("host.throttled", _share(limits.throttled_percent), f"CPU limit held it back in {limits.throttled_percent or 0:.0f} % of periods", f"CPU 上限受限 {limits.throttled_percent or 0:.0f} %"),
        ("host.oom_kills", None if limits.oom_kills is None else float(limits.oom_kills), f"{limits.oom_kills} kills by the memory limit", f"内存上限杀死 {limits.oom_kills} 次"),
    ]  # fmt: skip
    for kind, share in sample.pressure.items():
        quote = f"{kind} pressure {share:.0f} % over 10 s"
        rows.append(
            (f"host.pressure_{kind}", float(share), quote, f"{kind} 压力 {share:.0f} %（10 秒）")
        )
    if disk:
        quote = f"{disk.mount} is {disk.percent:.1f} % full, {size(disk.free)} free"
        zh = f"{disk.mount} 已用 {disk.percent:.1f} %，剩余 {size(disk.free)}"
        rows.append(("host.disk", disk.percent / 100, quote, zh))
    inodes = [d for d in sample.disks if d.inodes_percent is not None]
    if inodes:
        worst = max(inodes, key=lambda d: d.inodes_percent or 0)
        used = worst.inodes_percent or 0
        rows.append(
            (
                "host.inodes",
                used / 100,
                f"{worst.mount}: {used:.0f} % of inodes used",
                f"{worst.mount}：inode 已用 {used:.0f} %",
            )
        )
    if sample.shm:
        used = sample.shm.percent
        rows.append(
            (
                "host.shm",
                used / 100,
                f"/dev/shm is {used:.0f} % full",
                f"/dev/shm 已用 {used:.0f} %",
            )
        )
    if limits.memory and limits.memory_used is not None:
        share = limits.memory_used / limits.memory
        rows.append(
            (
                "host.limit_memory",
                share,
                f"{share:.0%} of the group's memory limit used",
                f"已用内存上限的 {share:.0%}",
            )
        )
    return rows


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


def _fullest(disks: tuple[DiskUse, ...]) -> DiskUse | None:
    real = [d for d in disks if d.fstype not in ("squashfs", "overlay") or d.mount == "/"]
    return max(real, key=lambda d: d.percent, default=None)


def _processes(sample: HostSample, cores: int) -> list[Fact]:
    facts: list[Fact] = []
    if not sample.processes:
        return facts
    busiest = max(sample.processes, key=lambda p: p.cpu_percent)
    share = busiest.cpu_percent / 100 / cores
    who = f"{busiest.name} (pid {busiest.pid}, user {busiest.user})"
    quote = f"{who} uses {busiest.cpu_percent:.0f} % of a core, {share:.0%} of the machine"
    zh = f"{who} 占用单核 {busiest.cpu_percent:.0f} %，整机 {share:.0%}"
    facts.append(Fact("host.top_cpu", share, quote, "processes", sample.at, quote_zh=zh))
    if not any(mark in busiest.name for mark in OWN):
        facts.append(
            Fact("host.top_cpu_foreign", share, quote, "processes", sample.at, quote_zh=zh)
        )
    largest = max(sample.processes, key=lambda p: p.memory)
    part = largest.memory / max(1, sample.memory_total)
    who = f"{largest.name} (pid {largest.pid}, user {largest.user})"
    quote = f"{who} holds {size(largest.memory)}, {part:.0%} of memory"
    zh = f"{who} 占用 {size(largest.memory)}，内存的 {part:.0%}"
    facts.append(Fact("host.top_memory", part, quote, "processes", sample.at, quote_zh=zh))
    return facts
