"""host_status: this machine now, and against what is usual for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.amounts import plural
from tools.contract import Phrases, reading
from tools.errors import Unavailable
from tools.observe import wording as say
from tools.observe.base import Series, telemetry
from tools.observe.host_concerns import Usual, concerns, full_in, usual_of
from tools.observe.readings import DiskUse, HostSample, Problem
from tools.words import Lang, Window, parse_window

if TYPE_CHECKING:
    from tools.world import World

_PHRASES = Phrases(
    en=(
        "how is this machine doing",
        "how is the host",
        "host status",
        "show cpu, memory and disk usage",
        "is the machine overloaded",
        "why is this machine slow",
        "how full are the disks",
        "how much memory is free",
        "how much disk space is left",
        "which processes use the most cpu",
        "what is eating memory",
        "what is the cpu load",
        "how was the host over the last {window}",
        "cpu and memory usage during the last {window}",
    ),
    zh=(
        "这台机器怎么样",
        "主机状态",
        "查看 CPU、内存和磁盘使用情况",
        "机器负载高吗",
        "磁盘还剩多少空间",
        "还有多少可用内存",
        "哪个进程占用 CPU 最多",
        "什么东西在吃内存",
        "最近 {window} 主机的情况",
    ),
)


@dataclass(frozen=True, slots=True)
class Course:
    """How a number went over the window."""

    metric: str
    unit: str
    low: float
    mean: float
    high: float


@dataclass(frozen=True, slots=True)
class HostFinding:
    """This machine now, what is usual, and what needs attention."""

    sample: HostSample
    usual: tuple[Usual, ...]
    concerns: tuple[Problem, ...]
    window: str | None = None
    courses: tuple[Course, ...] = ()
    history_missing: str = ""
    history_missing_zh: str = ""

    def say(self, lang: Lang) -> str:
        """The verdict first, then the figures."""
        return _say_zh(self) if lang == "zh" else _say_en(self)


_COURSES = ("cpu_percent", "memory_percent", "iowait_percent", "load1")


@reading(_PHRASES)
def host_status(world: World, window: Window | None = None) -> HostFinding:
    """CPU, memory, disks, network and top processes of this machine, against what is usual."""
    port = telemetry(world)
    sample = port.host()
    usual: tuple[Usual, ...] = ()
    courses: tuple[Course, ...] = ()
    missing = missing_zh = ""
    growth: tuple[tuple[str, float], ...] = ()
    try:
        usual = usual_of(port)
        growth = full_in(port, sample.disks)
        if window is not None:
            span = parse_window(window)
            found = [s for name in _COURSES for s in port.series(name, span)]
            courses = tuple(_course(s) for s in found if s.points)
    except Unavailable as error:
        missing, missing_zh = error.en, error.zh
    worries = concerns(sample, usual, growth)
    return HostFinding(sample, usual, worries, window, courses, missing, missing_zh)


def _course(series: Series) -> Course:
    values = [v for _, v in series.points]
    mean = sum(values) / len(values)
    return Course(series.metric, series.unit, min(values), mean, max(values))


def _against(finding: HostFinding, metric: str, lang: str) -> str:
    for usual in finding.usual:
        if usual.metric == metric:
            text = say.percent(usual.median)
            return f"（平时 {text}）" if lang == "zh" else f" (usually {text})"
    return ""


def _say_en(finding: HostFinding) -> str:
    host = finding.sample
    used = host.memory_total - host.memory_available
    figures = (
        f"CPU {say.percent(host.cpu_percent)}{_against(finding, 'cpu_percent', 'en')}, memory "
        f"{say.percent(host.memory_percent)}{_against(finding, 'memory_percent', 'en')}"
    )
    worst = max(host.disks, key=lambda d: d.percent, default=None)
    if worst is not None:
        figures += f", disk {worst.mount} {say.percent(worst.percent)}"
    verdict = f"{host.hostname} is fine" if not finding.concerns else _attention(finding)
    lines = [f"{verdict}: {figures}."]
    lines += [f"- {problem.en}" for problem in finding.concerns]
    load = ", ".join(say.number(round(x, 2)) for x in host.load)
    lines.append(
        f"Memory {say.size(used)} of {say.size(host.memory_total)}; load {load} on "
        f"{len(host.cores)} cores; up since {host.booted_at:%Y-%m-%d %H:%M} UTC."
    )
    lines += [f"Disk {_disk(d)}" for d in host.disks]
    if host.shm is not None and host.shm.used:
        lines.append(f"Disk {_disk(host.shm)}")
    lines += _traffic(host, "Disk reads {}, writes {}.", "Network {}: in {}, out {}.")
    lines += _limits(host, "This container may use {}.", "{} cores", "{} memory ({} used)")
    tops = [_process(p) for p in host.processes[:5] if p.cpu_percent >= 0.5]
    if tops:
        lines.append("Busiest: " + ", ".join(tops[:4]) + ".")
    big = sorted(host.processes, key=lambda p: -p.memory)[:3]
    lines.append("Largest: " + ", ".join(f"{p.name} {say.size(p.memory)}" for p in big) + ".")
    lines += _over_time(finding, "Over the last {}: {} {} on average ({} to {}).")
    if finding.window and not finding.courses:
        lines.append(f"Nothing was recorded over the last {finding.window} yet.")
    lines += [f"Not measured: {what}: {why}." for what, why in host.missing.items()]
    if finding.history_missing:
        lines.append(f"Without history: {finding.history_missing}")
    return say.fold(lines)


def _say_zh(finding: HostFinding) -> str:
    host = finding.sample
    used = host.memory_total - host.memory_available
    figures = (
        f"CPU {say.percent(host.cpu_percent)}{_against(finding, 'cpu_percent', 'zh')}，内存 "
        f"{say.percent(host.memory_percent)}{_against(finding, 'memory_percent', 'zh')}"
    )
    worst = max(host.disks, key=lambda d: d.percent, default=None)
    if worst is not None:
        figures += f"，磁盘 {worst.mount} {say.percent(worst.percent)}"
    many = len(finding.concerns)
    verdict = f"{host.hostname} 有 {many} 处需要注意" if many else f"{host.hostname} 一切正常"
    lines = [f"{verdict}：{figures}。"]
    lines += [f"- {problem.zh}" for problem in finding.concerns]
    load = "、".join(say.number(round(x, 2)) for x in host.load)
    lines.append(
        f"内存 {say.size(used)} / {say.size(host.memory_total)}；负载 {load}，共 "
        f"{len(host.cores)} 核；自 {host.booted_at:%Y-%m-%d %H:%M} UTC 起运行。"
    )
    lines += [f"磁盘 {_disk(d, 'zh')}" for d in host.disks]
    lines += _traffic(host, "磁盘读 {}，写 {}。", "网卡 {}：收 {}，发 {}。")
    lines += _limits(host, "本容器限额：{}。", "{} 核", "内存 {}（已用 {}）")
    tops = [_process(p) for p in host.processes[:5] if p.cpu_percent >= 0.5]
    if tops:
        lines.append("最忙的进程：" + "、".join(tops[:4]) + "。")
    big = sorted(host.processes, key=lambda p: -p.memory)[:3]
    lines.append("内存最大：" + "、".join(f"{p.name} {say.size(p.memory)}" for p in big) + "。")
    lines += _over_time(finding, "最近 {}：{} 平均 {}（{} 到 {}）。")
    if finding.window and not finding.courses:
        lines.append(f"最近 {finding.window} 还没有记录。")
    if finding.history_missing_zh:
        lines.append(f"没有历史对比：{finding.history_missing_zh}")
    return say.fold(lines)


def _attention(finding: HostFinding) -> str:
    many = len(finding.concerns)
    return f"{finding.sample.hostname} needs attention ({plural(many, 'thing')})"


def _disk(disk: DiskUse, lang: str = "en") -> str:
    used, free, total = say.percent(disk.percent), say.size(disk.free), say.size(disk.total)
    if lang == "zh":
        return f"{disk.mount}：已用 {used}，剩余 {free}，共 {total}（{disk.fstype}）"
    return f"{disk.mount}: {used}, {free} free of {total} ({disk.fstype})"


def _process(process: object) -> str:
    name, percent = getattr(process, "name", "?"), getattr(process, "cpu_percent", 0.0)
    return f"{name} ({getattr(process, 'pid', 0)}) {say.percent(percent)}"


def _traffic(host: HostSample, disk: str, network: str) -> list[str]:
    lines: list[str] = []
    if host.disk_read is not None and host.disk_write is not None:
        read, write = (
            say.quantity(host.disk_read, "bytes/s"),
            say.quantity(host.disk_write, "bytes/s"),
        )
        lines.append(disk.format(read, write))
    for net in host.network:
        if net.up and net.receive is not None and net.transmit is not None:
            rates = (say.quantity(net.receive, "bytes/s"), say.quantity(net.transmit, "bytes/s"))
            lines.append(network.format(net.name, *rates))
    return lines[:4]


def _limits(host: HostSample, frame: str, cores: str, memory: str) -> list[str]:
    parts: list[str] = []
    if host.limits.cpu_cores is not None:
        parts.append(cores.format(say.number(host.limits.cpu_cores)))
    if host.limits.memory is not None:
        parts.append(
            memory.format(say.size(host.limits.memory), say.size(host.limits.memory_used or 0))
        )
    return [frame.format(", ".join(parts))] if parts else []


def _over_time(finding: HostFinding, frame: str) -> list[str]:
    names = {"cpu_percent": "CPU", "memory_percent": "memory", "iowait_percent": "iowait"}
    return [
        frame.format(
            finding.window,
            names.get(c.metric, "load"),
            *(say.quantity(v, c.unit) for v in (c.mean, c.low, c.high)),
        )
        for c in finding.courses
    ]
