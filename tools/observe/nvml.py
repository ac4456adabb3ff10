"""Reading GPUs through NVML (nvidia-ml-py): the only file that knows the library.

It runs inside the worker process of :mod:`tools.observe.nvml_worker`, because a call into a sick
driver may never return. Everything it answers is plain JSON: values in base units, and for each
value that is absent the NVML return code, so that ``N/A`` keeps its reason.

A GPU that is lost or needs a reset fails alone. An older driver lacks newer symbols (code 13):
each reading names the older call to fall back to. Call by call: NVML API reference, R595.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.observe.nvml_calls import (
    FAST,
    FIELD_PCIE_RECEIVED,
    FIELD_PCIE_SENT,
    GPU_IS_LOST,
    NOT_MEASURED_YET,
    NOT_SUPPORTED,
    RESET_REQUIRED,
    SLOW,
    UNINITIALIZED,
    Raw,
    Reading,
    fields,
    mig_devices,
    nvlinks,
    running_processes,
)


class Nvml:
    """One initialised library for the life of the process."""

    def __init__(self, library: Any, proc: Path = Path("/proc")) -> None:
        self._nvml = library
        self._proc = proc
        self._ready = False
        self._slow: dict[int, Raw] = {}
        self._pcie: dict[int, tuple[float, int, int]] = {}
        self._seen: dict[int, int] = {}

    def read(self, slow: bool) -> Raw:
        """All GPUs; with ``slow`` also what changes rarely or costs more, and the processes."""
        nvml = self._nvml
        try:
            if not self._ready:
                nvml.nvmlInit()
                self._ready = True
            count = int(nvml.nvmlDeviceGetCount())
        except nvml.NVMLError as error:
            self._ready = self._ready and error.value != UNINITIALIZED
            return {"error": error.value, **self._versions()}
        gpus = [self._gpu(index, slow) for index in range(count)]
        answer: Raw = {"gpus": gpus, **self._versions()}
        if slow:
            answer["processes"], answer["processes_error"] = self._processes(count)
        return answer

    def handle(self, index: int) -> Any:
        """The handle of a GPU; a lost one raises already here."""
        return self._nvml.nvmlDeviceGetHandleByIndex(index)

    def _gpu(self, index: int, slow: bool) -> Raw:
        nvml = self._nvml
        try:
            handle = self.handle(index)
            fast, missing = self._collect(handle, FAST)
            if slow or index not in self._slow:
                values, absent = self._collect(handle, SLOW)
                links, links_error = nvlinks(nvml, handle)
                rates = self._pcie_rates(index, handle)
                values.update(rates, nvlinks=links)
                if not rates:
                    absent.update(pcie_receive=NOT_MEASURED_YET, pcie_transmit=NOT_MEASURED_YET)
                values["mig"] = mig_devices(nvml, handle)
                if links_error:
                    absent["nvlinks"] = links_error
                self._slow[index] = {"values": values, "missing": absent}
            kept = self._slow[index]
            return {
                "index": index,
                "values": {**kept["values"], **fast},
                "missing": {**kept["missing"], **missing},
            }
        except nvml.NVMLError as error:
            known = self._slow.get(index, {}).get("values", {})
            identity = {k: known[k] for k in ("name", "uuid", "pci_bus_id") if known.get(k)}
            return {"index": index, "error": error.value, "values": identity, "missing": {}}

    def _collect(self, handle: Any, readings: Sequence[Reading]) -> tuple[Raw, dict[str, int]]:
        values: Raw = {}
        missing: dict[str, int] = {}
        for names, call in readings:
            try:
                values.update(zip(names, call(self._nvml, handle), strict=True))
            except self._nvml.NVMLError as error:
                if error.value in (GPU_IS_LOST, RESET_REQUIRED):
                    raise
                missing.update({name: int(error.value) for name in names})
        for name in [n for n, v in values.items() if v is None]:
            del values[name]
            missing[name] = NOT_SUPPORTED
        return values, missing

    def _pcie_rates(self, index: int, handle: Any) -> Raw:
        # nvmlDeviceGetPcieThroughput blocks for 20 ms a counter; byte counters cost nothing.
        try:
            sent, received = fields(self._nvml, handle, (FIELD_PCIE_SENT, FIELD_PCIE_RECEIVED))
        except self._nvml.NVMLError:
            return {}
        if sent is None or received is None:
            return {}
        now = time.monotonic()
        before = self._pcie.get(index)
        self._pcie[index] = (now, int(sent), int(received))
        if before is None or now <= before[0] or sent < before[1] or received < before[2]:
            return {}
        seconds = now - before[0]
        return {
            "pcie_transmit": (sent - before[1]) / seconds,
            "pcie_receive": (received - before[2]) / seconds,
        }

    def _processes(self, count: int) -> tuple[list[Raw], int | None]:
        found: list[Raw] = []
        failed: int | None = None
        for index in range(count):
            try:
                found.extend(self._processes_of(index))
            except self._nvml.NVMLError as error:
                failed = error.value
        return found, failed

    def _processes_of(self, index: int) -> list[Raw]:
        nvml, handle = self._nvml, self.handle(index)
        busy = self._process_load(index, handle)
        rows: list[Raw] = []
        for kind, name in (
            ("compute", "Compute"),
            ("graphics", "Graphics"),
            ("mps", "MPSCompute"),
        ):
            try:
                processes = running_processes(nvml, handle, name)
            except nvml.NVMLError as error:
                if kind == "compute" and error.value != NOT_SUPPORTED:
                    raise
                continue
            instance = 0xFFFFFFFF
            rows.extend(
                {
                    "gpu": index,
                    "pid": p.pid,
                    "kind": kind,
                    "memory": p.usedGpuMemory,
                    "sm_percent": busy.get(p.pid),
                    "mig": None if p.gpuInstanceId in (None, instance) else p.gpuInstanceId,
                }
                for p in processes
                if not any(r["pid"] == p.pid for r in rows)
            )
        return rows

    def _process_load(self, index: int, handle: Any) -> dict[int, int]:
        # Without the time of the last look the driver averages over a window of its own choice.
        try:
            samples = self._nvml.nvmlDeviceGetProcessUtilization(handle, self._seen.get(index, 0))
        except self._nvml.NVMLError:
            return {}
        newest = [s for s in samples if s.timeStamp > 0]
        if newest:
            self._seen[index] = max(s.timeStamp for s in newest)
        return {s.pid: s.smUtil for s in newest if s.smUtil <= 100}

    def _versions(self) -> Raw:
        versions: Raw = {
            "kernel_module": first_match(self._proc / "driver/nvidia/version", MODULE_VERSION),
            "library": first_match(self._proc / "self/maps", _LIBRARY),
        }
        if not self._ready:
            return versions
        try:
            versions["driver"] = self._nvml.nvmlSystemGetDriverVersion()
            cuda = int(self._nvml.nvmlSystemGetCudaDriverVersion_v2())
            versions["cuda"] = f"{cuda // 1000}.{cuda % 1000 // 10}"
        except self._nvml.NVMLError:
            pass  # the versions are a courtesy; the report stands without them
        return versions


MODULE_VERSION = re.compile(r"Kernel Module\D*?(?:for \S+\s+)?(\d+\.\d+[\d.]*)")
_LIBRARY = re.compile(r"libnvidia-ml\.so\.(\d+\.\d+[\d.]*)")


def first_match(path: Path, pattern: re.Pattern[str]) -> str | None:
    """The first group of the first match in a file; ``None`` without file or match."""
    try:
        found = pattern.search(path.read_text(errors="replace"))
    except OSError:
        return None
    return found[1] if found else None
