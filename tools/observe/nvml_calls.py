"""The NVML calls of a sample, as data: which fields each call fills, and what older drivers need.

Every function takes the library (``pynvml``) and a device handle, and answers plain numbers. A
GPU without a feature raises ``NVMLError``, which the caller turns into ``N/A`` with its reason.
Call by call: NVML API reference, R595 and nvidia-ml-py 13.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Raw: TypeAlias = "dict[str, Any]"
Reading: TypeAlias = "tuple[tuple[str, ...], Callable[[Any, Any], Sequence[Any]]]"

NOT_SUPPORTED, FUNCTION_NOT_FOUND = 3, 13
GPU_IS_LOST, RESET_REQUIRED, UNINITIALIZED = 15, 16, 1
ARGUMENT_VERSION_MISMATCH = 25
NOT_MEASURED_YET = -1
"""Not an NVML code: a rate needs two samples."""

_FIELD_MEMORY_TEMPERATURE = 82
_FIELD_RECOVERY_ACTION = 230
FIELD_PCIE_SENT, FIELD_PCIE_RECEIVED = 197, 198
_FIELDS_NVLINK_ERRORS = (161, 162, 163)
_MIG_LIMIT = 16


def _newest(nvml: Any, *calls: Callable[[], Any]) -> Any:
    """The first call the driver knows; older ones follow."""
    for call in calls[:-1]:
        try:
            return call()
        except nvml.NVMLError as error:
            if error.value not in (FUNCTION_NOT_FOUND, ARGUMENT_VERSION_MISMATCH):
                raise
    return calls[-1]()


def fields(nvml: Any, handle: Any, ids: Sequence[Any]) -> list[float | int | None]:
    """Field values by id or ``(id, scope)``; ``None`` where the GPU has no such field."""
    kinds = {0: "dVal", 1: "uiVal", 2: "ulVal", 3: "ullVal", 4: "sllVal", 5: "siVal", 6: "usVal"}
    answers: list[float | int | None] = []
    for item in nvml.nvmlDeviceGetFieldValues(handle, list(ids)):
        kind = kinds.get(int(item.valueType))
        ok = item.nvmlReturn == 0 and kind is not None
        answers.append(getattr(item.value, kind) if ok and kind else None)
    return answers


def _memory(nvml: Any, handle: Any) -> Sequence[Any]:
    try:
        info = nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2)
        return info.total, info.used, info.reserved
    except nvml.NVMLError as error:
        if error.value not in (FUNCTION_NOT_FOUND, ARGUMENT_VERSION_MISMATCH):
            raise
    info = nvml.nvmlDeviceGetMemoryInfo(handle)
    return info.total, info.used, None


def _temperature(nvml: Any, handle: Any) -> Sequence[Any]:
    sensor = nvml.NVML_TEMPERATURE_GPU
    degrees = _newest(
        nvml,
        lambda: nvml.nvmlDeviceGetTemperatureV(handle, sensor),
        lambda: nvml.nvmlDeviceGetTemperature(handle, sensor),
    )
    return (degrees,)


def _throttle(nvml: Any, handle: Any) -> Sequence[Any]:
    bits = _newest(
        nvml,
        lambda: nvml.nvmlDeviceGetCurrentClocksEventReasons(handle),
        lambda: nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle),
    )
    return (int(bits),)


def _utilization(nvml: Any, handle: Any) -> Sequence[Any]:
    rates = nvml.nvmlDeviceGetUtilizationRates(handle)
    return rates.gpu, rates.memory


def _ecc(nvml: Any, handle: Any) -> Sequence[Any]:
    def count(kind: int, span: int) -> int:
        return int(nvml.nvmlDeviceGetTotalEccErrors(handle, kind, span))

    corrected = nvml.NVML_MEMORY_ERROR_TYPE_CORRECTED
    uncorrected = nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED
    return (
        count(corrected, nvml.NVML_VOLATILE_ECC),
        count(uncorrected, nvml.NVML_VOLATILE_ECC),
        count(uncorrected, nvml.NVML_AGGREGATE_ECC),
    )


def _remapped(nvml: Any, handle: Any) -> Sequence[Any]:
    correctable, uncorrectable, pending, failed = nvml.nvmlDeviceGetRemappedRows(handle)
    return correctable, uncorrectable, bool(pending), bool(failed)


def _retired(nvml: Any, handle: Any) -> Sequence[Any]:
    pages = sum(
        len(nvml.nvmlDeviceGetRetiredPages(handle, cause))
        for cause in (
            nvml.NVML_PAGE_RETIREMENT_CAUSE_MULTIPLE_SINGLE_BIT_ECC_ERRORS,
            nvml.NVML_PAGE_RETIREMENT_CAUSE_DOUBLE_BIT_ECC_ERROR,
        )
    )
    return pages, bool(nvml.nvmlDeviceGetRetiredPagesPendingStatus(handle))


def nvlinks(nvml: Any, handle: Any) -> tuple[list[Raw], int | None]:
    """The links with their state and errors, and why there are none."""
    links: list[Raw] = []
    failed: int | None = None
    for link in range(int(nvml.NVML_NVLINK_MAX_LINKS)):
        try:
            links.append({"link": link, "up": bool(nvml.nvmlDeviceGetNvLinkState(handle, link))})
        except nvml.NVMLError as error:
            if error.value in (GPU_IS_LOST, RESET_REQUIRED):
                raise
            failed = error.value
            break  # links are numbered without gaps
    for row in links:
        row["errors"] = _link_errors(nvml, handle, row["link"]) if row["up"] else None
    return links, None if links else failed


def _link_errors(nvml: Any, handle: Any, link: int) -> int | None:
    try:
        counts = fields(nvml, handle, [(field, link) for field in _FIELDS_NVLINK_ERRORS])
    except nvml.NVMLError:
        return None
    known = [int(c) for c in counts if c is not None]
    return sum(known) if known else None


def running_processes(nvml: Any, handle: Any, kind: str) -> Sequence[Any]:
    """Processes of one kind (``Compute``, ``Graphics``, ``MPSCompute``) on a GPU."""
    name = f"nvmlDeviceGet{kind}RunningProcesses"
    return _newest(
        nvml,
        lambda: getattr(nvml, f"{name}_v3")(handle),
        lambda: getattr(nvml, f"{name}_v2")(handle),
    )


def mig_devices(nvml: Any, handle: Any) -> list[Raw]:
    """The slices of a GPU in MIG mode."""
    slices: list[Raw] = []
    for index in range(_MIG_LIMIT):
        try:
            device = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index)
            memory = nvml.nvmlDeviceGetMemoryInfo(device)
            slices.append(
                {
                    "index": index,
                    "uuid": nvml.nvmlDeviceGetUUID(device),
                    "profile": str(nvml.nvmlDeviceGetName(device)).rpartition("MIG ")[2],
                    "memory_used": memory.used,
                    "memory_total": memory.total,
                }
            )
        except nvml.NVMLError as error:
            if error.value == NOT_SUPPORTED:
                break
    return slices


def _one(function: str, *arguments: str, scale: float = 1) -> Callable[[Any, Any], Sequence[Any]]:
    """A call of one number, with constants of the library by name."""

    def call(nvml: Any, handle: Any) -> Sequence[Any]:
        value = getattr(nvml, function)(handle, *(getattr(nvml, a) for a in arguments))
        return (value * scale if scale != 1 else value,)

    return call


FAST: tuple[Reading, ...] = (
    (("utilization", "memory_utilization"), _utilization),
    (("memory_total", "memory_used", "memory_reserved"), _memory),
    (("power_watts",), _one("nvmlDeviceGetPowerUsage", scale=0.001)),
    (("sm_clock_mhz",), _one("nvmlDeviceGetClockInfo", "NVML_CLOCK_SM")),
    (("memory_clock_mhz",), _one("nvmlDeviceGetClockInfo", "NVML_CLOCK_MEM")),
    (("temperature",), _temperature),
    (("throttle",), _throttle),
    (
        ("memory_temperature", "recovery_action"),
        lambda nvml, handle: fields(
            nvml, handle, (_FIELD_MEMORY_TEMPERATURE, _FIELD_RECOVERY_ACTION)
        ),
    ),
)
"""Read at every sample: about ten calls a GPU."""

SLOW: tuple[Reading, ...] = (
    (("name",), _one("nvmlDeviceGetName")),
    (("uuid",), _one("nvmlDeviceGetUUID")),
    (("pci_bus_id",), lambda nvml, handle: (str(nvml.nvmlDeviceGetPciInfo(handle).busId),)),
    (("power_limit_watts",), _one("nvmlDeviceGetEnforcedPowerLimit", scale=0.001)),
    (("energy_joules",), _one("nvmlDeviceGetTotalEnergyConsumption", scale=0.001)),
    (("sm_clock_max_mhz",), _one("nvmlDeviceGetMaxClockInfo", "NVML_CLOCK_SM")),
    (("performance_state",), _one("nvmlDeviceGetPerformanceState")),
    (
        ("temperature_slowdown",),
        _one("nvmlDeviceGetTemperatureThreshold", "NVML_TEMPERATURE_THRESHOLD_SLOWDOWN"),
    ),
    (
        ("temperature_shutdown",),
        _one("nvmlDeviceGetTemperatureThreshold", "NVML_TEMPERATURE_THRESHOLD_SHUTDOWN"),
    ),
    (("fan_percent",), _one("nvmlDeviceGetFanSpeed")),
    (("ecc_enabled",), lambda nvml, handle: (bool(nvml.nvmlDeviceGetEccMode(handle)[0]),)),
    (("ecc_corrected", "ecc_uncorrected", "ecc_uncorrected_lifetime"), _ecc),
    (
        ("remapped_correctable", "remapped_uncorrectable", "remap_pending", "remap_failed"),
        _remapped,
    ),
    (("retired_pages", "retired_pending"), _retired),
    (("pcie_generation",), _one("nvmlDeviceGetCurrPcieLinkGeneration")),
    (("pcie_generation_max",), _one("nvmlDeviceGetMaxPcieLinkGeneration")),
    (("pcie_width",), _one("nvmlDeviceGetCurrPcieLinkWidth")),
    (("pcie_width_max",), _one("nvmlDeviceGetMaxPcieLinkWidth")),
    (("pcie_replays",), _one("nvmlDeviceGetPcieReplayCounter")),
    (("compute_mode",), _one("nvmlDeviceGetComputeMode")),
    (("persistence",), lambda nvml, handle: (bool(nvml.nvmlDeviceGetPersistenceMode(handle)),)),
    (("mig_enabled",), lambda nvml, handle: (bool(nvml.nvmlDeviceGetMigMode(handle)[0]),)),
)
"""Read every 20 s: what changes rarely, or costs more."""
