"""GPU findings in words: a verdict, a table of at most 80 columns, then what needs attention."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.observe import wording as say
from tools.observe.gpu_concerns import GpuConcern
from tools.observe.readings import GpuReport, GpuSample
from tools.words import Lang


@dataclass(frozen=True, slots=True)
class GpuCourse:
    """How a number of one GPU went over the window."""

    metric: str
    unit: str
    gpu: str
    low: float
    mean: float
    high: float


@dataclass(frozen=True, slots=True)
class GpuFinding:
    """The GPUs, or one of them in full."""

    report: GpuReport
    gpu: int | None
    concerns: tuple[GpuConcern, ...]
    window: str | None = None
    courses: tuple[GpuCourse, ...] = ()
    kernel_xids: tuple[tuple[str, int], ...] = ()
    """PCI bus id and code of each XID of the last day in the kernel log."""

    def say(self, lang: Lang) -> str:
        """The verdict, the table, what needs attention."""
        zh = lang == "zh"
        problem = self.report.problem
        if problem is not None and not self.report.gpus:
            return problem.say(lang)
        gpus = [g for g in self.report.gpus if self.gpu is None or g.index == self.gpu]
        if not gpus:
            return "驱动正常，但没有 GPU。" if zh else "The driver works, but there is no GPU."
        lines = [_verdict_zh(self, gpus) if zh else _verdict_en(self, gpus)]
        lines += [f"- {c.problem.say(lang)}" for c in self.concerns]
        lines += self._xids(zh)
        lines += list(_table(gpus))
        if self.gpu is not None:
            lines += list(_details(gpus[0], zh))
        lines += [_course(c, self.window or "", zh) for c in self.courses]
        if self.window and not self.courses:
            lines.append(
                f"最近 {self.window} 还没有记录。"
                if zh
                else f"Nothing recorded over {self.window} yet."
            )
        if self.report.driver_version:
            name = "驱动" if zh else "Driver"
            cuda = f", CUDA {self.report.cuda_version}" if self.report.cuda_version else ""
            lines.append(f"{name} {self.report.driver_version}{cuda}.")
        return say.fold(lines)

    def _xids(self, zh: bool) -> list[str]:
        lines: list[str] = []
        for event in self.report.xids[-3:]:
            where = "GPU ?" if event.gpu is None else f"GPU {event.gpu}"
            at = f"{event.at:%H:%M:%S}"
            lines.append(
                f"- {where}：{at} UTC 驱动报告 XID {event.code}（可问：解释 XID {event.code}）。"
                if zh
                else f"- {where}: XID {event.code} at {at} UTC (ask: explain xid {event.code})."
            )
        codes = sorted({code for _, code in self.kernel_xids})
        if codes:
            listed, many = ", ".join(map(str, codes)), len(self.kernel_xids)
            lines.append(
                f"- 内核日志最近一天有 {many} 条 XID：{listed}（可问：解释 XID {codes[0]}）。"
                if zh
                else f"- Kernel log of the last day: {many} XID line(s), code {listed} "
                f"(ask: explain xid {codes[0]})."
            )
        return lines


def _mean(values: Iterator[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None


def _figures(gpus: list[GpuSample], zh: bool) -> str:
    parts: list[str] = []
    busy = _mean(g.utilization for g in gpus)
    many = len(gpus) > 1
    if busy is not None:
        parts.append(
            (f"{'平均' if many else ''}利用率 {say.percent(busy)}")
            if zh
            else f"{say.percent(busy)} busy{' on average' if many else ''}"
        )
    used = sum(g.memory_used or 0 for g in gpus)
    total = sum(g.memory_total or 0 for g in gpus)
    if total:
        held = f"{used / 2**30:.0f} / {total / 2**30:.0f} GiB"
        parts.append(f"显存 {held}" if zh else f"memory {held}")
    hot = max((g for g in gpus if g.temperature is not None), key=_heat, default=None)
    if hot is not None and hot.temperature is not None:
        degrees = f"{say.number(hot.temperature)} °C"
        which = f" (GPU {hot.index})" if many else ""
        parts.append(f"最高 {degrees}{which}" if zh and many else f"{degrees}" if not many else
                     f"hottest {degrees}{which}")  # fmt: skip
    return ("，" if zh else ", ").join(parts) or ("没有读数" if zh else "no readings")


def _heat(gpu: GpuSample) -> float:
    return gpu.temperature or 0.0


def _verdict_en(finding: GpuFinding, gpus: list[GpuSample]) -> str:
    sick = sorted({c.gpu for c in finding.concerns if c.gpu is not None})
    what = f"GPU {finding.gpu}"
    if finding.gpu is None:
        what = "1 GPU" if len(gpus) == 1 else f"{len(gpus)} GPUs"
    if finding.report.problem is not None:
        return f"The driver does not answer; last readings, from {finding.report.at:%H:%M:%S} UTC:"
    alive = [g for g in gpus if g.state == "ok"]
    if finding.gpu is not None:
        state = "needs attention" if sick else "is healthy"
        return f"{what} {state}: {_figures(alive, False)}."
    state = "all healthy" if len(gpus) > 1 else "healthy"
    if sick:
        state = f"{len(sick)} need{'s' if len(sick) == 1 else ''} attention"
    return f"{what}, {state}: {_figures(alive, False)}."


def _verdict_zh(finding: GpuFinding, gpus: list[GpuSample]) -> str:
    sick = sorted({c.gpu for c in finding.concerns if c.gpu is not None})
    if finding.report.problem is not None:
        return f"驱动没有响应；以下是 {finding.report.at:%H:%M:%S} UTC 的最后读数："
    alive = [g for g in gpus if g.state == "ok"]
    if finding.gpu is not None:
        return f"GPU {finding.gpu} {'需要注意' if sick else '正常'}：{_figures(alive, True)}。"
    state = f"其中 {len(sick)} 块需要注意" if sick else "全部正常"
    return f"{len(gpus)} 块 GPU，{state}：{_figures(alive, True)}。"


def _na(value: float | None, unit: str) -> str:
    return "N/A" if value is None else say.quantity(round(value), unit)


def _table(gpus: list[GpuSample]) -> Iterator[str]:
    yield "GPU   util  memory GiB       power W    temp   SM MHz  state"
    for g in gpus:
        memory, power = "N/A", _na(g.power_watts, "")
        if g.memory_used is not None and g.memory_total is not None:
            memory = f"{g.memory_used / 2**30:.1f} / {g.memory_total / 2**30:.1f}"
        if g.power_limit_watts is not None:
            power += f" / {g.power_limit_watts:.0f}"
        state = g.state if g.state != "ok" else ", ".join(_busy_words(g)) or "ok"
        yield (
            f"{g.index:>3} {_na(g.utilization, '%'):>6}  {memory:<15}  {power:<9}  "
            f"{_na(g.temperature, '°C'):<6} {_na(g.sm_clock_mhz, ''):<7} "
            f"{state.upper() if g.state != 'ok' else state}"
        ).rstrip()


def _busy_words(gpu: GpuSample) -> list[str]:
    words = [t for t in gpu.throttle if t not in ("gpu_idle", "clocks_setting", "sync_boost")]
    idle = ["idle"] if "gpu_idle" in gpu.throttle else []
    return idle + [w.replace("_", " ") for w in words]


_DETAILS: tuple[tuple[str, str, str, str], ...] = (
    ("memory_utilization", "memory bandwidth in use", "显存带宽利用率", "%"),
    ("memory_temperature", "memory temperature", "显存温度", "°C"),
    ("temperature_slowdown", "slows down at", "降频温度", "°C"),
    ("memory_clock_mhz", "memory clock", "显存频率", "MHz"),
    ("sm_clock_max_mhz", "highest SM clock", "最高 SM 频率", "MHz"),
    ("performance_state", "performance state P", "性能状态 P", ""),
    ("energy_joules", "energy since driver load", "驱动加载以来能耗", "J"),
    ("fan_percent", "fan", "风扇", "%"),
    ("ecc_corrected", "corrected memory errors", "已纠正显存错误", ""),
    ("ecc_uncorrected", "uncorrectable memory errors", "不可纠正显存错误", ""),
    ("remapped_uncorrectable", "rows remapped for errors", "因错误重映射的行", ""),
    ("pcie_generation", "PCIe generation now", "当前 PCIe 代数", ""),
    ("pcie_width", "PCIe lanes", "PCIe 通道数", ""),
    ("pcie_replays", "PCIe replays", "PCIe 重传", ""),
    ("pcie_receive", "PCIe received", "PCIe 接收", "bytes/s"),
    ("recovery_action", "recovery action of the driver", "驱动建议的恢复操作", ""),
    ("compute_mode", "compute mode", "计算模式", ""),
)


def _details(gpu: GpuSample, zh: bool) -> Iterator[str]:
    identity = ", ".join(filter(None, (gpu.name, gpu.pci_bus_id, gpu.uuid)))
    if identity:
        yield identity
    absent: dict[str, list[str]] = {}
    for field, en, chinese, unit in _DETAILS:
        value = getattr(gpu, field)
        name = chinese if zh else en
        if value is None:
            absent.setdefault(gpu.missing.get(field, "not read"), []).append(name)
        else:
            text = say.quantity(value, unit) if isinstance(value, int | float) else str(value)
            yield f"  {name}: {text}"
    if gpu.nvlinks:
        up = sum(bool(link.up) for link in gpu.nvlinks)
        yield f"  NVLink: {up} / {len(gpu.nvlinks)} {'已连接' if zh else 'up'}"
    for piece in gpu.mig:
        used, total = piece.memory_used or 0, piece.memory_total or 0
        yield f"  MIG {piece.index} {piece.profile}: {say.size(used)} / {say.size(total)}"
    for why, names in absent.items():
        yield f"  N/A ({why}): {', '.join(names)}"


def _course(course: GpuCourse, window: str, zh: bool) -> str:
    mean, low, high = (say.quantity(v, course.unit) for v in (course.mean, course.low, course.high))
    name = course.metric.removeprefix("gpu_").replace("_", " ")
    if zh:
        return f"GPU {course.gpu} 最近 {window}：{name} 平均 {mean}（{low} 到 {high}）。"
    return f"GPU {course.gpu}, last {window}: {name} {mean} on average ({low} to {high})."
