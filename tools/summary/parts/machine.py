"""This machine and its GPUs: full disks, memory, faults, idle cards and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from statistics import fmean
from typing import TYPE_CHECKING

from tools.amounts import plural, size
from tools.errors import ToolError
from tools.observe.base import telemetry
from tools.observe.wording import percent
from tools.summary.part import Look, Part, Remark
from tools.words import Said

if TYPE_CHECKING:
    from tools.fleet import Fleet
    from tools.observe.readings import GpuSample, HostSample

HOST = Said("This machine", "本机")
GPUS = Said("GPUs", "GPU")
FULL = 90.0
"""Percent of a disk or of memory from which it is a problem."""
IDLE = 5.0
"""Percent of utilisation below which a GPU counts as idle."""
NO_GPU = ("no_library", "no_driver", "driver_not_loaded")
"""Faults that simply mean that this machine has no GPU."""


def host(look: Look) -> Part:
    """CPU, memory and the fullest disk."""
    sample = telemetry(look.world).host()
    disk = max(sample.disks, key=lambda d: d.percent, default=None)
    en = f"CPU {percent(sample.cpu_percent)}, memory {percent(sample.memory_percent)} of {size(sample.memory_total)}"
    zh = f"CPU {percent(sample.cpu_percent)}，内存 {percent(sample.memory_percent)}（共 {size(sample.memory_total)}）"
    if disk:
        en += f", fullest disk {disk.mount} {percent(disk.percent)} ({size(disk.free)} free)"
        zh += f"，最满的磁盘 {disk.mount} {percent(disk.percent)}（剩余 {size(disk.free)}）"
    facts: dict[str, float] = {
        "cpu_percent": sample.cpu_percent,
        "memory_percent": sample.memory_percent,
        "disk_percent": disk.percent if disk else 0.0,
    }
    return Part("host", HOST, (Said(f"{en}.", f"{zh}。"),), _host_remarks(sample), None, {**facts})


def _host_remarks(sample: HostSample) -> tuple[Remark, ...]:
    told = [
        Remark(
            "problem",
            Said(
                f"disk {d.mount} is {percent(d.percent)} full ({size(d.free)} left)",
                f"磁盘 {d.mount} 已用 {percent(d.percent)}（剩余 {size(d.free)}）",
            ),
        )
        for d in sample.disks
        if d.percent >= FULL
    ]
    if sample.memory_percent >= FULL:
        left = size(sample.memory_available)
        en = f"memory is {percent(sample.memory_percent)} used ({left} left)"
        zh = f"内存已用 {percent(sample.memory_percent)}（剩余 {left}）"
        told.append(Remark("problem", Said(en, zh)))
    return tuple(told)


def gpus(look: Look) -> Part:
    """Use now and over the window, idle cards, and faults."""
    report = telemetry(look.world).gpus()
    if report.problem is not None and not report.gpus:
        if report.problem.code in NO_GPU:
            return Part("gpus", GPUS, (Said("none on this machine.", "本机没有 GPU。"),))
        said = Said(report.problem.en, report.problem.zh)
        return Part("gpus", GPUS, (said,), (Remark("problem", said),))
    averages = _averages(look)
    lines = [_line(g, averages.get(str(g.index))) for g in report.gpus]
    idle = [g for g in report.gpus if _is_idle(g, averages)]
    remarks = [Remark("problem", Said(p.en, p.zh)) for g in report.gpus if (p := g.problem)]
    if idle:
        remarks.append(Remark("note", _idle_words(idle)))
    cost = _cost(look.world.fleet, len(report.gpus), len(idle), look.until - look.since)
    return Part(
        "gpus",
        GPUS,
        tuple(lines) + ((cost,) if cost else ()),
        tuple(remarks),
        None,
        {"gpus": len(report.gpus), "idle": [g.index for g in idle], "average": {**averages}},
    )


def _averages(look: Look) -> Mapping[str, float]:
    """GPU → average utilisation over the window, where it was recorded."""
    try:
        series = telemetry(look.world).series("gpu_utilization", look.until - look.since)
    except ToolError:  # without history the report still has the values of now
        return {}
    return {
        s.labels["gpu"]: fmean(v for _, v in s.points)
        for s in series
        if s.points and "gpu" in s.labels
    }


def _is_idle(gpu: GpuSample, averages: Mapping[str, float]) -> bool:
    use = averages.get(str(gpu.index), gpu.utilization)
    return gpu.state == "ok" and use is not None and use < IDLE


def _line(gpu: GpuSample, average: float | None) -> Said:
    if gpu.problem:
        return Said(gpu.problem.en, gpu.problem.zh)
    now = "N/A" if gpu.utilization is None else percent(gpu.utilization)
    en, zh = f"GPU {gpu.index} {gpu.name}: {now} busy", f"GPU {gpu.index} {gpu.name}：利用率 {now}"
    if average is not None:
        en, zh = f"{en}, {percent(average)} on average", f"{zh}，平均 {percent(average)}"
    if gpu.memory_used is not None and gpu.memory_total:
        memory = f"{size(gpu.memory_used)} of {size(gpu.memory_total)}"
        en, zh = f"{en}, memory {memory}", f"{zh}，显存 {memory.replace(' of ', ' / ')}"
    if gpu.temperature is not None:
        en, zh = f"{en}, {gpu.temperature:.0f} °C", f"{zh}，{gpu.temperature:.0f} °C"
    return Said(en, zh)


def _idle_words(idle: Sequence[GpuSample]) -> Said:
    names = ", ".join(str(g.index) for g in idle)
    verb = "is" if len(idle) == 1 else "are"
    return Said(
        f"{plural(len(idle), 'GPU')} {verb} idle ({names})", f"{len(idle)} 张 GPU 空闲（{names}）"
    )


def _cost(fleet: Fleet, total: int, idle: int, window: timedelta) -> Said | None:
    """What the cards cost in the window, where ``costs.gpu_hour`` of steward.yaml is known."""
    section = fleet.sections.get("costs")
    price = section.get("gpu_hour") if isinstance(section, Mapping) else None
    if not isinstance(section, Mapping) or not isinstance(price, int | float) or not total:
        return None
    currency = str(section.get("currency") or "").strip()
    hours = window.total_seconds() / 3600
    whole, wasted = (f"{n * hours * price:,.2f} {currency}".strip() for n in (total, idle))
    return Said(
        f"cost of the window: {whole}, of which idle now: {wasted}",
        f"窗口内成本：{whole}，其中目前空闲的：{wasted}",
    )
