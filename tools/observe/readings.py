"""What was measured on one machine: plain values, in base units, ``None`` where not measured.

``None`` never means zero. The ``missing`` mapping of a reading names each absent field with the
reason in English (``not supported by this GPU``), so that a person sees ``N/A`` and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a source or a device, and what to do about it."""

    code: str
    """Stable word: ``no_driver``, ``version_mismatch``, ``gpu_lost``, ``hung``, …"""
    en: str
    zh: str

    def say(self, lang: str) -> str:
        """The sentence in ``lang``."""
        return self.zh if lang == "zh" else self.en


@dataclass(frozen=True, slots=True)
class DiskUse:
    """A mounted file system; sizes in bytes."""

    mount: str
    device: str
    fstype: str
    total: int
    used: int
    free: int
    percent: float
    """Used share as ``df`` shows it, 0..100."""
    inodes_percent: float | None = None


@dataclass(frozen=True, slots=True)
class NetworkUse:
    """A network interface; rates in bytes per second, ``None`` at the first sample."""

    name: str
    up: bool
    receive: float | None
    transmit: float | None
    errors: int
    """Receive and transmit errors since boot."""


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """One process; ``cpu_percent`` of one core, so 400 means four cores."""

    pid: int
    name: str
    user: str
    cpu_percent: float
    memory: int
    """Resident bytes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the control group of this process may use; ``None`` means no limit."""

    cpu_cores: float | None = None
    memory: int | None = None
    """Bytes."""
    memory_used: int | None = None
    """Bytes charged to the group, without reclaimable file cache."""
    throttled_percent: float | None = None
    """Share of scheduling periods in which the group was held back, since it started, 0..100."""
    oom_kills: int | None = None


@dataclass(frozen=True, slots=True)
class HostSample:
    """This machine at one moment."""

    at: datetime
    hostname: str
    cpu_percent: float
    cores: tuple[float, ...]
    """Per-core use, 0..100."""
    load: tuple[float, float, float]
    """1, 5 and 15 minutes."""
    iowait_percent: float | None
    pressure: Mapping[str, float]
    """``cpu``, ``memory``, ``io`` → share of the last 10 s in which some task waited, 0..100."""
    memory_total: int
    memory_available: int
    memory_percent: float
    swap_total: int
    swap_used: int
    disks: tuple[DiskUse, ...]
    shm: DiskUse | None
    disk_read: float | None
    """Bytes per second over all disks."""
    disk_write: float | None
    network: tuple[NetworkUse, ...]
    processes: tuple[ProcessUse, ...]
    """The largest by CPU and by memory."""
    limits: Limits
    booted_at: datetime
    missing: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process on a GPU; memory in bytes, ``None`` where the driver does not tell."""

    gpu: int
    pid: int
    name: str
    user: str
    kind: Literal["compute", "graphics", "mps"]
    memory: int | None
    sm_percent: int | None = None
    host_cpu_percent: float | None = None
    host_memory: int | None = None
    command: str = ""
    mig: int | None = None


@dataclass(frozen=True, slots=True)
class MigDevice:
    """A slice of a GPU in MIG mode; memory in bytes."""

    index: int
    uuid: str
    profile: str
    memory_used: int | None
    memory_total: int | None


@dataclass(frozen=True, slots=True)
class NvLink:
    """One NVLink; error counters since the driver was loaded."""

    link: int
    up: bool | None
    errors: int | None


@dataclass(frozen=True, slots=True)
class XidEvent:
    """An XID that the driver reported while Steward listened."""

    at: datetime
    gpu: int | None
    code: int


@dataclass(frozen=True, slots=True)
class GpuSample:
    """One GPU at one moment. Units are in the names; ``None`` is explained in ``missing``."""

    index: int
    state: Literal["ok", "lost", "reset_required", "error"]
    problem: Problem | None = None
    name: str = ""
    uuid: str = ""
    pci_bus_id: str = ""
    utilization: float | None = None
    """Share of time in which any kernel ran, 0..100; not a measure of how full the GPU was."""
    memory_utilization: float | None = None
    memory_total: int | None = None
    """Bytes; ``used`` does not count what the driver reserves (as nvidia-smi shows it)."""
    memory_used: int | None = None
    memory_reserved: int | None = None
    power_watts: float | None = None
    power_limit_watts: float | None = None
    energy_joules: float | None = None
    """Since the driver was loaded."""
    sm_clock_mhz: int | None = None
    sm_clock_max_mhz: int | None = None
    memory_clock_mhz: int | None = None
    performance_state: int | None = None
    temperature: float | None = None
    """Degrees Celsius."""
    temperature_slowdown: float | None = None
    temperature_shutdown: float | None = None
    memory_temperature: float | None = None
    fan_percent: float | None = None
    throttle: tuple[str, ...] = ()
    """Clock-event reasons now active, in DCGM's words: ``sw_thermal``, ``hw_power_brake``, …"""
    ecc_enabled: bool | None = None
    ecc_corrected: int | None = None
    """Since the driver was loaded."""
    ecc_uncorrected: int | None = None
    ecc_uncorrected_lifetime: int | None = None
    remapped_correctable: int | None = None
    remapped_uncorrectable: int | None = None
    remap_pending: bool | None = None
    remap_failed: bool | None = None
    retired_pages: int | None = None
    """Volta and older; Ampere and newer remap rows instead."""
    retired_pending: bool | None = None
    recovery_action: str | None = None
    """The driver's own verdict: ``none``, ``gpu_reset``, ``node_reboot``, …"""
    pcie_generation: int | None = None
    pcie_generation_max: int | None = None
    pcie_width: int | None = None
    pcie_width_max: int | None = None
    pcie_replays: int | None = None
    pcie_receive: float | None = None
    """Bytes per second between the last two samples."""
    pcie_transmit: float | None = None
    nvlinks: tuple[NvLink, ...] = ()
    compute_mode: str | None = None
    persistence: bool | None = None
    mig_enabled: bool | None = None
    mig: tuple[MigDevice, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class GpuReport:
    """All GPUs of this machine, or why none could be read."""

    at: datetime
    problem: Problem | None
    """Set when the library as a whole does not answer; ``gpus`` is then empty or stale."""
    gpus: tuple[GpuSample, ...] = ()
    processes: tuple[GpuProcess, ...] = ()
    processes_missing: str = ""
    """Why the process list is incomplete, when it is."""
    xids: tuple[XidEvent, ...] = ()
    driver_version: str = ""
    cuda_version: str = ""
