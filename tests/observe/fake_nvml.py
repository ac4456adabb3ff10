"""A pure-Python libnvidia-ml: the binding itself runs, only the C functions are ours.

Importing it in a worker (``--preload tests.observe.fake_nvml``) installs it. The GPUs are described
by the JSON file named in ``FAKE_NVML_STATE``; it is read again at every change, so that a test can
break a GPU while the worker runs. A symbol the state lists as missing behaves like an old driver.
"""

from __future__ import annotations

import ctypes
import json
import os
import time
from pathlib import Path
from typing import Any

import pynvml

Json = dict[str, Any]

OK, NOT_SUPPORTED, INSUFFICIENT_SIZE, TIMEOUT, GPU_IS_LOST = 0, 3, 7, 10, 15
NO_INSTANCE = 0xFFFFFFFF


def gpu(**changes: Any) -> Json:
    """A healthy, busy H100-like GPU; keyword arguments change single values."""
    return {
        "name": "NVIDIA H100 80GB HBM3",
        "utilization": [87, 41],
        "memory": [85899345920, 66571993088, 536870912],
        "power_mw": 612_400,
        "power_limit_mw": 700_000,
        "energy_mj": 9_000_000_000,
        "clocks": {"1": 1755, "2": 2619},
        "max_clocks": {"1": 1980},
        "pstate": 0,
        "temperature": 64,
        "thresholds": {"0": 95, "1": 90},
        "events": 0x4,
        "ecc": {"0,0": 3, "1,0": 0, "1,1": 2},
        "remapped": [1, 0, 0, 0],
        "fields": {"82": 71, "230": 0, "197": 10_000, "198": 20_000},
        "pcie": [5, 5, 16, 16],
        "replays": 0,
        "links": [0, 0, 7],
        "mig": None,
        "processes": [],
        "errors": {},
        "code": 0,
    } | changes


def state(*gpus: Json, **changes: Any) -> Json:
    """What the library sees; keyword arguments: ``init``, ``missing``, ``hang``, ``xids``."""
    return {"gpus": list(gpus), "driver": "595.58.03", "cuda": 13020} | changes


class FakeLibrary:
    """Stands in for the ``CDLL``; attribute access behaves like symbol lookup."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = 0
        self._state: Json = {}
        self._devices: list[Any] = [pynvml.struct_c_nvmlDevice_t() for _ in range(64)]
        self._xids_sent = 0

    @property
    def now(self) -> Json:
        stamp = self._path.stat().st_mtime_ns
        if stamp != self._stamp:
            self._state, self._stamp = json.loads(self._path.read_text()), stamp
        return self._state

    def __getattr__(self, symbol: str) -> Any:
        call = getattr(type(self), f"c_{symbol}", None)
        if call is None or symbol in self.now.get("missing", ()):
            raise AttributeError(symbol)

        def function(*arguments: Any) -> int:
            return self._run(symbol, call, arguments)

        return function

    def _run(self, symbol: str, call: Any, arguments: tuple[Any, ...]) -> int:
        if self.now.get("hang") == symbol:
            time.sleep(3600)
        if self.now.get("die") == symbol:
            os.kill(os.getpid(), 11)
        if symbol in self.now.get("errors", {}):
            return int(self.now["errors"][symbol])
        if "Device" in symbol and arguments and isinstance(arguments[0], pynvml.c_nvmlDevice_t):
            index = self._index(arguments[0])
            row = self.now["gpus"][index]
            if row["code"] or symbol in row["errors"]:
                return int(row["code"] or row["errors"][symbol])
            return int(call(self, row, *arguments[1:]) or OK)
        return int(call(self, *arguments) or OK)

    def _index(self, handle: Any) -> int:
        address = ctypes.addressof(handle.contents)
        return next(i for i, d in enumerate(self._devices) if ctypes.addressof(d) == address)

    def _place(self, row: Json) -> int:
        return next(i for i, known in enumerate(self.now["gpus"]) if known is row)

    def c_nvmlInitWithFlags(self, flags: int) -> int:
        return int(self.now.get("init", OK))

    def c_nvmlSystemGetDriverVersion(self, text: Any, size: Any) -> None:
        text.value = self.now["driver"].encode()

    def c_nvmlSystemGetCudaDriverVersion_v2(self, out: Any) -> None:
        out._obj.value = self.now["cuda"]

    def c_nvmlDeviceGetCount_v2(self, out: Any) -> None:
        out._obj.value = len(self.now["gpus"])

    def c_nvmlDeviceGetHandleByIndex_v2(self, index: Any, out: Any) -> int:
        code = int(self.now["gpus"][index.value].get("handle_code", OK))
        out._obj.contents = self._devices[index.value]
        return code

    def c_nvmlDeviceGetIndex(self, row: Json, out: Any) -> None:
        out._obj.value = self._place(row)

    def c_nvmlDeviceGetName(self, row: Json, text: Any, size: Any) -> None:
        text.value = row["name"].encode()

    def c_nvmlDeviceGetUUID(self, row: Json, text: Any, size: Any) -> None:
        index = self._place(row)
        text.value = row.get("uuid", f"GPU-00000000-0000-0000-0000-00000000000{index}").encode()

    def c_nvmlDeviceGetPciInfo_v3(self, row: Json, out: Any) -> None:
        out._obj.busId = f"00000000:{0x10 + self._place(row):02X}:00.0".encode()

    def c_nvmlDeviceGetUtilizationRates(self, row: Json, out: Any) -> int:
        if row["utilization"] is None:
            return NOT_SUPPORTED
        out._obj.gpu, out._obj.memory = row["utilization"]
        return OK

    def c_nvmlDeviceGetMemoryInfo_v2(self, row: Json, out: Any) -> None:
        total, used, reserved = row["memory"]
        out._obj.total, out._obj.used, out._obj.reserved = total, used, reserved
        out._obj.free = total - used - reserved

    def c_nvmlDeviceGetMemoryInfo(self, row: Json, out: Any) -> None:
        total, used, reserved = row["memory"]
        out._obj.total, out._obj.used = total, used + reserved
        out._obj.free = total - used - reserved

    def c_nvmlDeviceGetPowerUsage(self, row: Json, out: Any) -> None:
        out._obj.value = row["power_mw"]

    def c_nvmlDeviceGetEnforcedPowerLimit(self, row: Json, out: Any) -> None:
        out._obj.value = row["power_limit_mw"]

    def c_nvmlDeviceGetTotalEnergyConsumption(self, row: Json, out: Any) -> None:
        out._obj.value = row["energy_mj"]

    def c_nvmlDeviceGetClockInfo(self, row: Json, kind: Any, out: Any) -> int:
        return self._keyed(row["clocks"], kind, out)

    def c_nvmlDeviceGetMaxClockInfo(self, row: Json, kind: Any, out: Any) -> int:
        return self._keyed(row["max_clocks"], kind, out)

    def c_nvmlDeviceGetTemperatureThreshold(self, row: Json, kind: Any, out: Any) -> int:
        return self._keyed(row["thresholds"], kind, out)

    def _keyed(self, table: Json, kind: Any, out: Any) -> int:
        key = str(getattr(kind, "value", kind))
        if key not in table:
            return NOT_SUPPORTED
        out._obj.value = table[key]
        return OK

    def c_nvmlDeviceGetPerformanceState(self, row: Json, out: Any) -> None:
        out._obj.value = row["pstate"]

    def c_nvmlDeviceGetTemperatureV(self, row: Json, out: Any) -> None:
        out._obj.temperature = row["temperature"]

    def c_nvmlDeviceGetTemperature(self, row: Json, sensor: Any, out: Any) -> None:
        out._obj.value = row["temperature"]

    def c_nvmlDeviceGetFanSpeed(self, row: Json, out: Any) -> int:
        return NOT_SUPPORTED

    def c_nvmlDeviceGetCurrentClocksEventReasons(self, row: Json, out: Any) -> None:
        out._obj.value = row["events"]

    def c_nvmlDeviceGetCurrentClocksThrottleReasons(self, row: Json, out: Any) -> None:
        out._obj.value = row["events"]

    def c_nvmlDeviceGetEccMode(self, row: Json, current: Any, pending: Any) -> int:
        if row["ecc"] is None:
            return NOT_SUPPORTED
        current._obj.value = pending._obj.value = 1
        return OK

    def c_nvmlDeviceGetTotalEccErrors(self, row: Json, kind: Any, span: Any, out: Any) -> int:
        if row["ecc"] is None:
            return NOT_SUPPORTED
        out._obj.value = row["ecc"].get(f"{kind.value},{span.value}", 0)
        return OK

    def c_nvmlDeviceGetRemappedRows(self, row: Json, *out: Any) -> int:
        if row["remapped"] is None:
            return NOT_SUPPORTED
        for place, value in zip(out, row["remapped"], strict=True):
            place._obj.value = value
        return OK

    def c_nvmlDeviceGetRetiredPages(self, row: Json, cause: Any, count: Any, pages: Any) -> int:
        if row.get("retired") is None:
            return NOT_SUPPORTED
        known = row["retired"][cause.value]
        count._obj.value = known
        return OK if pages is not None or not known else INSUFFICIENT_SIZE

    def c_nvmlDeviceGetRetiredPagesPendingStatus(self, row: Json, out: Any) -> None:
        out._obj.value = int(row.get("retired_pending", 0))

    def c_nvmlDeviceGetCurrPcieLinkGeneration(self, row: Json, out: Any) -> None:
        out._obj.value = row["pcie"][0]

    def c_nvmlDeviceGetMaxPcieLinkGeneration(self, row: Json, out: Any) -> None:
        out._obj.value = row["pcie"][1]

    def c_nvmlDeviceGetCurrPcieLinkWidth(self, row: Json, out: Any) -> None:
        out._obj.value = row["pcie"][2]

    def c_nvmlDeviceGetMaxPcieLinkWidth(self, row: Json, out: Any) -> None:
        out._obj.value = row["pcie"][3]

    def c_nvmlDeviceGetPcieReplayCounter(self, row: Json, out: Any) -> None:
        out._obj.value = row["replays"]

    def c_nvmlDeviceGetComputeMode(self, row: Json, out: Any) -> None:
        out._obj.value = int(row.get("compute_mode", 0))

    def c_nvmlDeviceGetPersistenceMode(self, row: Json, out: Any) -> None:
        out._obj.value = 1

    def c_nvmlDeviceGetMigMode(self, row: Json, current: Any, pending: Any) -> int:
        if row["mig"] is None:
            return NOT_SUPPORTED
        current._obj.value = pending._obj.value = int(bool(row["mig"]))
        return OK

    def c_nvmlDeviceGetMigDeviceHandleByIndex(self, row: Json, index: Any, out: Any) -> int:
        if not row["mig"] or index.value >= len(row["mig"]):
            return NOT_SUPPORTED
        place = 16 + self._place(row) * 7 + index.value
        self.now["gpus"] += [gpu()] * max(0, place + 1 - len(self.now["gpus"]))
        self.now["gpus"][place] = row["mig"][index.value]
        out._obj.contents = self._devices[place]
        return OK

    def c_nvmlDeviceGetNvLinkState(self, row: Json, link: int, out: Any) -> int:
        if link >= len(row["links"]):
            return 2
        out._obj.value = int(row["links"][link] is not None)
        return OK

    def c_nvmlDeviceGetFieldValues(self, row: Json, count: Any, values: Any) -> None:
        for item in values._obj:
            if item.fieldId in (161, 162, 163):
                known = row["links"][item.scopeId] if item.fieldId == 161 else 0
            else:
                known = row["fields"].get(str(item.fieldId))
            item.nvmlReturn = OK if known is not None else NOT_SUPPORTED
            item.valueType = 3
            item.value.ullVal = known or 0

    def c_nvmlDeviceGetComputeRunningProcesses_v3(self, row: Json, count: Any, out: Any) -> int:
        rows = row["processes"]
        if out is None:
            count._obj.value = len(rows)
            return INSUFFICIENT_SIZE if rows else OK
        count._obj.value = len(rows)
        for place, item in zip(out, rows, strict=False):
            hidden = pynvml.NVML_VALUE_NOT_AVAILABLE_ulonglong.value
            place.pid = item["pid"]
            place.usedGpuMemory = hidden if item.get("memory") is None else item["memory"]
            place.gpuInstanceId = item.get("instance", NO_INSTANCE)
        return OK

    def c_nvmlDeviceGetProcessUtilization(self, row: Json, out: Any, count: Any, since: Any) -> int:
        rows = [p for p in row["processes"] if "sm" in p]
        count._obj.value = len(rows)
        if out is None:
            return INSUFFICIENT_SIZE if rows else 6
        for place, item in zip(out, rows, strict=True):
            place.pid, place.smUtil, place.timeStamp = item["pid"], item["sm"], 1
        return OK

    def c_nvmlEventSetCreate(self, out: Any) -> None:
        pass

    def c_nvmlDeviceGetSupportedEventTypes(self, row: Json, out: Any) -> None:
        out._obj.value = pynvml.nvmlEventTypeXidCriticalError

    def c_nvmlDeviceRegisterEvents(self, row: Json, kinds: Any, events: Any) -> None:
        pass

    def c_nvmlEventSetWait_v2(self, events: Any, out: Any, limit: Any) -> int:
        end = time.monotonic() + limit.value / 1000
        while time.monotonic() < end:
            known = self.now.get("xids", [])
            if len(known) > self._xids_sent:
                event = known[self._xids_sent]
                self._xids_sent += 1
                out._obj.device = ctypes.pointer(self._devices[event["gpu"]])
                out._obj.eventType = pynvml.nvmlEventTypeXidCriticalError
                out._obj.eventData = event["code"]
                return OK
            time.sleep(0.01)
        return TIMEOUT


def install(path: Path) -> None:
    """Make the binding of this process talk to the fake."""
    pynvml.nvmlLib = FakeLibrary(path)  # pyright: ignore[reportAttributeAccessIssue]
    pynvml._nvmlGetFunctionPointer_cache.clear()


if "FAKE_NVML_STATE" in os.environ:
    install(Path(os.environ["FAKE_NVML_STATE"]))
