"""What about the GPUs needs attention, from the driver's own verdict down to a narrow link."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.observe import wording as say
from tools.observe.collect import faults
from tools.observe.readings import GpuReport, GpuSample, Problem


@dataclass(frozen=True, slots=True)
class GpuConcern:
    """One thing about one GPU (``None``: about all of them)."""

    gpu: int | None
    problem: Problem


_RECOVERY: dict[str, tuple[str, str]] = {
    "gpu_reset": ("reset the GPU", "重置 GPU"),
    "node_reboot": ("reboot the node", "重启节点"),
    "drain_p2p": ("stop peer-to-peer work on it", "停止其上的 P2P 任务"),
    "drain_and_reset": ("drain it, then reset it", "先腾空再重置"),
    "recover_imex_domain": ("recover the IMEX domain", "恢复 IMEX 域"),
    "bus_reset": ("reset its PCIe bus", "重置 PCIe 总线"),
    "system_reboot": ("reboot the system", "重启系统"),
}

_THROTTLE: dict[str, tuple[str, str]] = {
    "hw_thermal": (
        "its hardware halves the clocks because of heat: check the cooling now",
        "硬件因过热大幅降频：请立即检查散热",
    ),
    "sw_thermal": (
        "the driver lowers the clocks because of heat: check the cooling",
        "驱动因温度过高降频：请检查散热",
    ),
    "hw_power_brake": (
        "an external power brake slows it: check the power supplies",
        "外部功率制动使其降频：请检查电源",
    ),
    "hw_slowdown": (
        "its hardware halves the clocks (heat, power brake or a fast trigger)",
        "硬件大幅降频（过热、功率制动或快速触发）",
    ),
}


def concerns(report: GpuReport) -> tuple[GpuConcern, ...]:
    """What needs attention, the driver's own verdicts first."""
    found: list[GpuConcern] = []
    if report.problem is not None:
        found.append(GpuConcern(None, report.problem))
        return tuple(found)
    for check in (_verdict, _state, _memory_faults, _heat, _links):
        for gpu in report.gpus:
            if gpu.state != "ok" and check is not _state:
                continue
            found += [GpuConcern(gpu.index, problem) for problem in check(gpu)]
    return tuple(found)


def _verdict(gpu: GpuSample) -> Iterator[Problem]:
    action = gpu.recovery_action
    if action is None or action == "none":
        return
    en, zh = _RECOVERY.get(action, (action.replace("_", " "), action))
    yield Problem(
        f"recovery_{action}",
        f"GPU {gpu.index}: the driver itself asks to {en}.",
        f"GPU {gpu.index}：驱动要求{zh}。",
    )


def _state(gpu: GpuSample) -> Iterator[Problem]:
    if gpu.problem is not None:
        yield gpu.problem


def _memory_faults(gpu: GpuSample) -> Iterator[Problem]:
    if gpu.remap_failed:
        yield Problem(
            "remap_failed",
            f"GPU {gpu.index}: remapping a faulty memory row failed, no spare rows are left; "
            "have the board replaced.",
            f"GPU {gpu.index}：故障显存行重映射失败，备用行已用尽；请更换该卡。",
        )
    if gpu.remap_pending or gpu.retired_pending:
        yield Problem(
            "remap_pending",
            f"GPU {gpu.index}: a faulty memory row is set aside only after a reset; reset it when "
            "it is idle.",
            f"GPU {gpu.index}：故障显存行需重置后才能隔离；请在空闲时重置。",
        )
    if gpu.ecc_uncorrected:
        yield Problem(
            "ecc_uncorrected",
            f"GPU {gpu.index}: {gpu.ecc_uncorrected} uncorrectable memory error(s) since the "
            "driver was loaded.",
            f"GPU {gpu.index}：驱动加载以来有 {gpu.ecc_uncorrected} 个不可纠正的显存错误。",
        )


def _heat(gpu: GpuSample) -> Iterator[Problem]:
    for name in faults(gpu):
        en, zh = _THROTTLE[name]
        yield Problem(f"throttle_{name}", f"GPU {gpu.index}: {en}.", f"GPU {gpu.index}：{zh}。")
    limit = gpu.temperature_slowdown
    if gpu.temperature is not None and limit and gpu.temperature >= limit - 3:
        now = f"{say.number(gpu.temperature)} °C"
        yield Problem(
            "hot",
            f"GPU {gpu.index}: {now}, close to where it slows down ({say.number(limit)} °C).",
            f"GPU {gpu.index}：{now}，接近降频温度（{say.number(limit)} °C）。",
        )


def _links(gpu: GpuSample) -> Iterator[Problem]:
    width, most = gpu.pcie_width, gpu.pcie_width_max
    if width is not None and most is not None and width < most:
        yield Problem(
            "pcie_narrow",
            f"GPU {gpu.index}: PCIe runs x{width} of x{most}; reseat the board or its riser.",
            f"GPU {gpu.index}：PCIe 宽度 x{width}，低于 x{most}；请重新插紧。",
        )
    down = [link.link for link in gpu.nvlinks if link.up is False]
    if down and len(down) < len(gpu.nvlinks):
        which = ", ".join(map(str, down))
        yield Problem(
            "nvlink_down",
            f"GPU {gpu.index}: NVLink {which} is down.",
            f"GPU {gpu.index}：NVLink {which} 未连接。",
        )
    bad = sum(link.errors or 0 for link in gpu.nvlinks)
    if bad >= 100:
        yield Problem(
            "nvlink_errors",
            f"GPU {gpu.index}: {bad} NVLink errors since the driver was loaded.",
            f"GPU {gpu.index}：驱动加载以来有 {bad} 个 NVLink 错误。",
        )
