"""The GPUs of this machine, through the telemetry port."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tools.alerts.collect.base import Collected, Subject, yes
from tools.alerts.facts import Fact, Value
from tools.errors import BadArguments
from tools.observe.base import telemetry
from tools.observe.gpu_faults import pci_gpus
from tools.observe.readings import GpuReport, GpuSample

if TYPE_CHECKING:
    from tools.world import World

PCI = Path("/sys/bus/pci/devices")
_GPU = (
    "gpu.clock_ratio",
    "gpu.ecc_uncorrected",
    "gpu.hotter_than_peers",
    "gpu.memory",
    "gpu.missing",
    "gpu.nvlink_errors",
    "gpu.pcie_width_ratio",
    "gpu.problem",
    "gpu.remap_failed",
    "gpu.remap_pending",
    "gpu.retired_pending",
    "gpu.state",
    "gpu.temperature",
    "gpu.throttle",
)


def gpu(world: World, subject: Subject) -> Collected:
    """The GPUs of this machine, or the one that is meant."""
    if not subject.local:
        where = subject.node or subject.name
        raise BadArguments(
            f"those of {where} cannot be read from here; ask its exporter or nvidia-smi there",
            f"{where} 的 GPU 无法从本机读取；请查看其导出器或在该节点运行 nvidia-smi",
        )
    report = telemetry(world).gpus()
    found = Collected(looked=_GPU)
    if report.problem is not None:
        problem = report.problem
        found.facts.append(
            Fact("gpu.problem", problem.code, problem.en, "nvml", report.at, quote_zh=problem.zh)
        )
    chosen = [g for g in report.gpus if _meant(g, subject.gpu)]
    if subject.gpu and not chosen and subject.gpu.isdigit() and report.problem is None:
        here = ", ".join(str(g.index) for g in report.gpus) or "none"
        raise BadArguments(f"there is no GPU {subject.gpu} here (there are: {here})")
    for sample in chosen:
        found.facts += _gpu_facts(sample, report)
    if report.problem is None:
        found.facts += _missing(report)
    known = {g.index for g in chosen}
    for event in report.xids:
        if event.gpu is None or event.gpu in known:
            said = f"XID {event.code} on GPU {event.gpu}"
            found.facts.append(Fact("xid", float(event.code), said, "nvml", event.at))
    _note_gpus(found, report, chosen)
    return found


def _missing(report: GpuReport) -> list[Fact]:
    """GPUs that the PCI bus shows and the driver does not."""
    on_bus = pci_gpus(PCI)
    absent = len(on_bus) - len(report.gpus)
    if absent <= 0:
        return []
    quote = f"the PCI bus shows {len(on_bus)} NVIDIA GPUs, the driver {len(report.gpus)}"
    zh = f"PCI 总线上有 {len(on_bus)} 块 NVIDIA GPU，驱动只看到 {len(report.gpus)} 块"
    return [Fact("gpu.missing", float(absent), quote, "sysfs", report.at, quote_zh=zh)]


def _note_gpus(found: Collected, report: GpuReport, chosen: list[GpuSample]) -> None:
    if report.problem is not None and not chosen:
        found.note(f"GPUs: {report.problem.en}", f"GPU：{report.problem.zh}")
        return
    good = sum(1 for g in chosen if g.state == "ok")
    hottest = max((g.temperature or 0 for g in chosen), default=0)
    found.note(
        f"{good} of {len(chosen)} GPUs answer, hottest {hottest:.0f} °C",
        f"{len(chosen)} 块 GPU 中 {good} 块正常响应，最高 {hottest:.0f} °C",
    )


def _meant(sample: GpuSample, wanted: str | None) -> bool:
    if wanted is None:
        return True
    return wanted in (str(sample.index), sample.uuid, sample.pci_bus_id)


def _gpu_facts(g: GpuSample, report: GpuReport) -> list[Fact]:
    who, uuid = f"GPU {g.index}", g.uuid or str(g.index)
    values: list[tuple[str, Value | None, str]] = [
        ("gpu.state", g.state, f"{who} is {g.state}"),
        ("gpu.temperature", g.temperature, f"{who} at {g.temperature} °C"),
        ("gpu.memory_temperature", g.memory_temperature, f"{who} memory at {g.memory_temperature} °C"),
        ("gpu.utilization", g.utilization, f"{who} {g.utilization} % busy"),
        ("gpu.memory_utilization", g.memory_utilization, f"{who} memory {g.memory_utilization} % busy"),
        ("gpu.ecc_uncorrected", _number(g.ecc_uncorrected), f"{who}: {g.ecc_uncorrected} uncorrected ECC errors"),
        ("gpu.remap_pending", yes(g.remap_pending), f"{who}: row remap pending: {yes(g.remap_pending)}"),
        ("gpu.remap_failed", yes(g.remap_failed), f"{who}: row remap failed: {yes(g.remap_failed)}"),
        ("gpu.retired_pending", yes(g.retired_pending), f"{who}: pages pending: {yes(g.retired_pending)}"),
        ("gpu.recovery", g.recovery_action, f"{who}: the driver asks for {g.recovery_action}"),
        ("gpu.pcie_replays", _number(g.pcie_replays), f"{who}: {g.pcie_replays} PCIe replays"),
        ("gpu.nvlink_errors", _number(sum(n.errors or 0 for n in g.nvlinks)) if g.nvlinks else None, f"{who}: NVLink errors"),
        ("gpu.nvlink_down", _number(sum(n.up is False for n in g.nvlinks)) if g.nvlinks else None, f"{who}: NVLinks down"),
    ]  # fmt: skip
    if g.memory_total and g.memory_used is not None:
        share = g.memory_used / g.memory_total
        values.append(("gpu.memory", share, f"{who}: {share:.0%} of memory used"))
    if g.pcie_width and g.pcie_width_max:
        quote = f"{who}: PCIe x{g.pcie_width} of x{g.pcie_width_max}"
        values.append(("gpu.pcie_width_ratio", g.pcie_width / g.pcie_width_max, quote))
    if g.sm_clock_mhz and g.sm_clock_max_mhz and (g.utilization or 0) > 50:
        quote = f"{who}: {g.sm_clock_mhz} of {g.sm_clock_max_mhz} MHz while busy"
        values.append(("gpu.clock_ratio", g.sm_clock_mhz / g.sm_clock_max_mhz, quote))
    others = [
        o.temperature for o in report.gpus if o.index != g.index and o.temperature is not None
    ]
    if g.temperature is not None and len(others) >= 2:
        above = g.temperature - median(others)
        values.append(
            ("gpu.hotter_than_peers", above, f"{who}: {above:+.0f} °C against the others")
        )
    values += [("gpu.throttle", t, f"{who} is held back: {t}") for t in g.throttle]
    if g.problem is not None:
        values.append(("gpu.problem", g.problem.code, g.problem.en))
    users = [p for p in report.processes if p.gpu == g.index]
    if not report.processes_missing:
        values.append(("gpu.one_process", yes(len(users) == 1), f"{who}: {len(users)} processes"))
        idle = not users and (g.memory_used or 0) > 2**30
        values.append(("gpu.memory_without_process", yes(idle), f"{who}: memory without a process"))
    return [Fact(n, v, q, "nvml", report.at, uuid) for n, v, q in values if v is not None]


def _number(value: int | None) -> float | None:
    return None if value is None else float(value)
