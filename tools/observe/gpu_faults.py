"""NVML's failure modes, each as one clear sentence with what to do. Codes: ``nvmlReturn_t``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tools.amounts import plural
from tools.observe.readings import Problem


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the machine itself says about NVIDIA, apart from the library."""

    kernel_module: str | None = None
    """Version of the loaded kernel module."""
    library: str | None = None
    """Version of the user-space library."""
    container: bool = False
    pci_devices: int = 0
    """NVIDIA display controllers on the PCI bus."""


def look_around(kernel_module: str | None = None, library: str | None = None) -> Surroundings:
    """The surroundings of this process; costs a few file reads."""
    return Surroundings(kernel_module, library, in_container(), len(pci_gpus()))


def in_container() -> bool:
    """Whether this process seems to run in a container."""
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return True
    return any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv"))


def pci_gpus(devices: Path = Path("/sys/bus/pci/devices")) -> list[str]:
    """PCI addresses of NVIDIA's display and 3D controllers."""
    found: list[str] = []
    for device in sorted(devices.glob("*")):
        try:
            vendor = (device / "vendor").read_text().strip()
            display = (device / "class").read_text().strip().startswith("0x03")
        except OSError:
            continue
        if vendor == "0x10de" and display:
            found.append(device.name)
    return found


def library_problem(code: int, around: Surroundings) -> Problem:
    """Why the library as a whole does not answer."""
    match code:
        case 12:
            return _no_library(around)
        case 9:
            return Problem(
                "driver_not_loaded",
                "The NVIDIA kernel module is not loaded: check `lsmod | grep nvidia`, Secure Boot "
                "and the DKMS build for this kernel.",
                "NVIDIA 内核模块没有加载：请检查 lsmod | grep nvidia、Secure Boot，"
                "以及 DKMS 是否已为当前内核编译。",
            )
        case 18:
            return _mismatch(around)
        case 4:
            return Problem(
                "no_permission",
                "The NVIDIA driver refuses this user; check who may read /dev/nvidiactl.",
                "NVIDIA 驱动拒绝了当前用户；请检查 /dev/nvidiactl 的访问权限。",
            )
        case 999 if around.container:
            return Problem(
                "device_access_lost",
                "The driver answers 'unknown error' inside this container: its access to the GPU "
                "was probably revoked by a `systemctl daemon-reload` on the host. Restart the "
                "container; CDI devices or the cgroupfs driver prevent it.",
                "容器内驱动返回“未知错误”：很可能主机执行 systemctl daemon-reload 后收回了 GPU "
                "访问权限。请重启容器；使用 CDI 或 cgroupfs 驱动可避免再次发生。",
            )
        case _:
            return generic_problem(code)


def _no_library(around: Surroundings) -> Problem:
    if around.kernel_module:
        return Problem(
            "no_library",
            f"The NVIDIA driver {around.kernel_module} is loaded, but its library "
            "libnvidia-ml.so.1 is not here: start the container with "
            "NVIDIA_DRIVER_CAPABILITIES=utility (or all).",
            f"NVIDIA 驱动 {around.kernel_module} 已加载，但这里没有 libnvidia-ml.so.1："
            "请以 NVIDIA_DRIVER_CAPABILITIES=utility（或 all）启动容器。",
        )
    if around.pci_devices:
        many = plural(around.pci_devices, "NVIDIA GPU")
        return Problem(
            "no_driver",
            f"{many} on the PCI bus, but no NVIDIA driver is installed; install one.",
            f"PCI 总线上有 {around.pci_devices} 块 NVIDIA GPU，但没有安装驱动；请先安装驱动。",
        )
    return Problem(
        "no_driver",
        "There is no NVIDIA driver on this machine, so no GPU can be read here.",
        "这台机器上没有 NVIDIA 驱动，因此读不到 GPU。",
    )


def _mismatch(around: Surroundings) -> Problem:
    library = around.library or "of another version"
    module = around.kernel_module or "unknown"
    return Problem(
        "version_mismatch",
        f"NVIDIA library {library} and kernel module {module} do not match, as after an "
        "unattended upgrade: reboot or reload the modules, then pin the driver packages.",
        f"NVIDIA 用户态库 {around.library or '（版本未知）'} 与内核模块 "
        f"{around.kernel_module or '（版本未知）'} 不匹配，常见于自动升级之后："
        "请重启或重新加载模块，并锁定驱动包版本。",
    )


_GENERIC: dict[int, tuple[str, str, str]] = {
    1: ("uninitialized", "was shut down under Steward; ask again", "被关闭；请重试"),
    8: ("no_power", "misses its external power cable", "外接供电不足"),
    11: ("irq_issue", "has an interrupt problem; check BIOS and kernel log", "中断异常"),
    14: ("corrupted_inforom", "has a damaged infoROM; run nvidia-smi -q", "infoROM 已损坏"),
    17: ("blocked_by_os", "was blocked by the operating system (cgroup?)", "被操作系统阻止"),
    19: ("in_use", "is in use by another tool; ask again", "正被占用；请稍后再试"),
    20: ("out_of_memory", "found too little host memory", "主机内存不足"),
    21: ("no_data", "has no data yet", "暂无数据"),
    23: ("no_resources", "is out of resources; ask again", "资源不足；请稍后再试"),
    27: ("not_ready", "is not ready yet; ask again in a minute", "尚未就绪；请稍后再试"),
    28: ("gpu_not_found", "no longer finds the GPU", "找不到该 GPU"),
    29: ("invalid_state", "is in an invalid state; check the kernel log", "状态无效"),
}


def generic_problem(code: int) -> Problem:
    """A failure without a story of its own."""
    word, en, zh = _GENERIC.get(
        code, (f"nvml_{code}", f"answers error {code}; check the kernel log", f"返回错误 {code}")
    )
    return Problem(word, f"The NVIDIA driver {en}.", f"NVIDIA 驱动：{zh}。")


def gpu_problem(code: int, index: int) -> Problem:
    """Why one GPU does not answer while the others do."""
    match code:
        case 15:
            return Problem(
                "gpu_lost",
                f"GPU {index} is LOST: it fell off the bus (the class of XID 79). Drain the node, "
                "power-cycle it; if it happens again, have the board replaced.",
                f"GPU {index} 已丢失：从总线上掉线（XID 79 一类）。请腾空节点并断电重启；"
                "若再次发生，请更换。",
            )
        case 16:
            return Problem(
                "reset_required",
                f"GPU {index} needs a reset before it can work again (nvidia-smi --gpu-reset "
                f"-i {index} once nothing uses it).",
                f"GPU {index} 需要重置后才能继续使用（无进程占用后执行 nvidia-smi --gpu-reset "
                f"-i {index}）。",
            )
        case _:
            cause = generic_problem(code)
            return Problem(cause.code, f"GPU {index}: {cause.en}", f"GPU {index}：{cause.zh}")


def hung(seconds: float, since: str) -> Problem:
    """The driver did not answer within the deadline."""
    return Problem(
        "hung",
        f"The NVIDIA driver hangs: no answer within {seconds:.0f} s (since {since} UTC). "
        "A GPU or the driver is stuck; look for XID lines in the kernel log and drain this node.",
        f"NVIDIA 驱动无响应：{seconds:.0f} 秒内没有回答（自 {since} UTC 起）。"
        "GPU 或驱动可能已卡死；请查看内核日志中的 XID，并腾空该节点。",
    )


def crashed(how: str) -> Problem:
    """The reading process died inside the driver's library."""
    return Problem(
        "crashed",
        f"The NVIDIA library crashed while it was read ({how}); reinstall the driver if it "
        "happens again.",
        f"读取时 NVIDIA 库崩溃（{how}）；若再次发生，请重新安装驱动。",
    )


_REASONS = {
    -1: "needs two samples",
    2: "not accepted by this driver",
    3: "not supported by this GPU",
    4: "needs root",
    13: "not known to this driver version",
    15: "a GPU is lost",
    16: "a GPU needs a reset",
    21: "no data yet",
}


def reason(code: int) -> str:
    """Why one value is absent, in a few words."""
    return _REASONS.get(code, f"NVML error {code}")


_CLOCK_EVENTS: tuple[tuple[int, str], ...] = (
    (0x1, "gpu_idle"),
    (0x2, "clocks_setting"),
    (0x4, "power_cap"),
    (0x8, "hw_slowdown"),
    (0x10, "sync_boost"),
    (0x20, "sw_thermal"),
    (0x40, "hw_thermal"),
    (0x80, "hw_power_brake"),
    (0x100, "display_clocks"),
    (0x200, "board_limit"),
    (0x400, "reliability"),
)

_RECOVERY = (
    "none",
    "gpu_reset",
    "node_reboot",
    "drain_p2p",
    "drain_and_reset",
    "recover_imex_domain",
    "bus_reset",
    "system_reboot",
)


def clock_events(bits: int) -> tuple[str, ...]:
    """Reasons why clocks are below their maximum, in the words DCGM uses."""
    known = tuple(name for bit, name in _CLOCK_EVENTS if bits & bit)
    rest = bits & ~sum(bit for bit, _ in _CLOCK_EVENTS)
    return (*known, f"0x{rest:x}") if rest else known


def recovery_action(value: int) -> str:
    """The driver's own verdict as a word (field 230)."""
    return _RECOVERY[value] if 0 <= value < len(_RECOVERY) else f"action_{value}"
