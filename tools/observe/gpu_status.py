"""gpu_status and gpu_processes: the GPUs of this machine, fault by fault, never N/A as zero."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from tools.contract import Phrases, reading
from tools.errors import BadArguments, ToolError, Unavailable
from tools.observe.base import telemetry
from tools.observe.gpu_concerns import concerns
from tools.observe.gpu_process_words import GpuProcessFinding
from tools.observe.gpu_words import GpuCourse, GpuFinding
from tools.observe.readings import GpuReport
from tools.words import Gpu, Window, parse_window

if TYPE_CHECKING:
    from tools.world import World

_XID = re.compile(r"NVRM: Xid \((?:PCI:)?([0-9A-Fa-f:.]+)\)[^:]*: (\d+)")

_STATUS = Phrases(
    en=(
        "how are the gpus",
        "gpu status",
        "show gpu utilisation",
        "what is the gpu doing",
        "is gpu {gpu} healthy",
        "show gpu {gpu}",
        "how hot are the gpus",
        "gpu temperature and power",
        "how much gpu memory is free",
        "are the gpus throttled",
        "any ecc errors on the gpus",
        "are any gpus idle",
        "nvidia-smi",
        "how busy was gpu {gpu} in the last {window}",
        "gpu usage over the last {window}",
    ),
    zh=(
        "GPU 怎么样",
        "GPU 状态",
        "查看 GPU 利用率",
        "{gpu} 号 GPU 正常吗",
        "显卡温度和功耗",
        "显存还剩多少",
        "GPU 有没有降频",
        "GPU 有 ECC 错误吗",
        "有没有空闲的 GPU",
        "最近 {window} GPU 的使用情况",
    ),
)

_PROCESSES = Phrases(
    en=(
        "what is running on the gpus",
        "which processes use the gpu",
        "gpu processes",
        "who is using gpu {gpu}",
        "who is using the gpu memory",
        "list the processes on gpu {gpu}",
        "what holds the gpu memory",
        "show gpu memory per process",
        "is anybody using gpu {gpu}",
    ),
    zh=(
        "GPU 上在跑什么",
        "哪些进程在用 GPU",
        "GPU 进程",
        "谁在用 {gpu} 号 GPU",
        "谁占用了显存",
        "列出 {gpu} 号 GPU 上的进程",
        "每个进程占多少显存",
    ),
)


@reading(_STATUS)
def gpu_status(world: World, gpu: Gpu | None = None, window: Window | None = None) -> GpuFinding:
    """Health, load, memory, power, heat, clocks and errors of the GPUs of this machine."""
    report = telemetry(world).gpus()
    _known(report, gpu)
    worries = tuple(c for c in concerns(report) if gpu is None or c.gpu in (None, gpu))
    courses: tuple[GpuCourse, ...] = ()
    if window is not None:
        courses = _courses(world, gpu, window)
    return GpuFinding(report, gpu, worries, window, courses, _kernel_xids(world, report))


@reading(_PROCESSES)
def gpu_processes(world: World, gpu: Gpu | None = None) -> GpuProcessFinding:
    """Processes on the GPUs with their owner, memory and load."""
    report = telemetry(world).gpus()
    _known(report, gpu)
    rows = tuple(p for p in report.processes if gpu is None or p.gpu == gpu)
    rows = tuple(sorted(rows, key=lambda p: (p.gpu, -(p.memory or 0))))
    return GpuProcessFinding(
        gpu, report.problem, rows, report.processes_missing, tuple(g.index for g in report.gpus)
    )


def _known(report: GpuReport, gpu: int | None) -> None:
    if gpu is None or report.problem is not None or any(g.index == gpu for g in report.gpus):
        return
    there = ", ".join(str(g.index) for g in report.gpus) or "none"
    raise BadArguments(
        f"There is no GPU {gpu} on this machine; there are: {there}.",
        f"这台机器没有 {gpu} 号 GPU；现有：{there}。",
    )


def _courses(world: World, gpu: int | None, window: str) -> tuple[GpuCourse, ...]:
    labels = {} if gpu is None else {"gpu": str(gpu)}
    found: list[GpuCourse] = []
    for metric in ("gpu_utilization", "gpu_memory_percent", "gpu_power_watts", "gpu_temperature"):
        try:
            series = telemetry(world).series(metric, parse_window(window), labels)
        except Unavailable:
            continue
        for one in series:
            values = [v for _, v in one.points]
            mean = sum(values) / len(values)
            where = one.labels.get("gpu", "?")
            found.append(GpuCourse(metric, one.unit, where, min(values), mean, max(values)))
    return tuple(found)


def _kernel_xids(world: World, report: GpuReport) -> tuple[tuple[str, int], ...]:
    """XIDs of the last day in the kernel log, as ``(PCI bus id, code)``; newest last."""
    if not report.gpus and report.problem is not None and report.problem.code == "no_driver":
        return ()
    try:
        lines = telemetry(world).kernel_log(timedelta(days=1))
    except ToolError:
        return ()
    found = (_XID.search(line.text) for line in lines)
    return tuple((m[1].lower(), int(m[2])) for m in found if m)[-20:]
