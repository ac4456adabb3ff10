"""GPUs from the side of Steward: a worker process with a deadline, its answers as values, a cache.

A driver that hangs costs one deadline; until the stuck process is gone, answers come at once from
what was known, marked with the finding.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from tools.observe import gpu_faults as faults
from tools.observe.gpu_worker import Worker
from tools.observe.readings import (
    GpuProcess,
    GpuReport,
    GpuSample,
    MigDevice,
    NvLink,
    Problem,
    XidEvent,
)

_LIBRARY_NOT_FOUND = 12
_COMPUTE_MODES = ("default", "exclusive_thread", "prohibited", "exclusive_process")
_RETRY_SECONDS = 30.0
_START_SECONDS = 6.0


class Gpus:
    """All GPUs of this machine. Thread-safe; keeps one worker process while it is used."""

    def __init__(
        self,
        *,
        deadline: float = 4.0,
        fresh: float = 2.0,
        slow: float = 20.0,
        preload: str = "",
        proc: Path = Path("/proc"),
    ) -> None:
        self._deadline = deadline
        self._fresh = fresh
        self._slow = slow
        self._preload = preload
        self._proc = proc
        self._lock = Lock()
        self._worker: Worker | None = None
        self._stuck: subprocess.Popen[bytes] | None = None
        self._rest_until = 0.0
        self._report: GpuReport | None = None
        self._reported = self._slow_at = float("-inf")
        self._processes: tuple[GpuProcess, ...] = ()
        self._processes_missing = ""

    def report(self) -> GpuReport:
        """The GPUs, at most ``fresh`` seconds old, or the problem; never raises."""
        with self._lock:
            now = time.monotonic()
            if self._report is None or now - self._reported >= self._fresh:
                self._report = self._ask(now)
                self._reported = time.monotonic()
            return self._report

    def close(self) -> None:
        """End the worker process."""
        with self._lock:
            if self._worker is not None:
                self._worker.close()
                self._worker = None

    def _ask(self, now: float) -> GpuReport:
        last = self._report
        if last is not None and last.problem is not None and now < self._rest_until:
            return last
        if self._stuck is not None and self._stuck.poll() is None:
            return last or GpuReport(datetime.now(UTC), None)
        self._stuck = None
        if not self._preload and not _library_present():
            self._rest_until = now + _RETRY_SECONDS
            return GpuReport(datetime.now(UTC), _absent(self._proc))
        slow = now - self._slow_at >= self._slow
        try:
            raw = self._answer(slow)
        except TimeoutError:
            return self._gave_up(now, faults.hung(self._deadline, f"{datetime.now(UTC):%H:%M:%S}"))
        except (OSError, ValueError) as error:
            return self._gave_up(now, faults.crashed(str(error)))
        if slow and "gpus" in raw:
            self._slow_at = now
        return self._decode(raw)

    def _answer(self, slow: bool) -> Mapping[str, Any]:
        if self._worker is not None:
            try:
                return self._worker.ask(slow, self._deadline)
            except TimeoutError:
                raise
            except OSError:
                self._worker.abandon()  # it was killed while idle; a new one may do
        self._worker = Worker(self._preload, self._proc)
        return self._worker.ask(slow, self._deadline + _START_SECONDS)

    def _gave_up(self, now: float, problem: Problem) -> GpuReport:
        self._rest_until = now + _RETRY_SECONDS
        if self._worker is not None:
            self._stuck = self._worker.abandon()
            self._worker = None
        known = self._report.gpus if self._report else ()
        at = self._report.at if self._report else datetime.now(UTC)
        return GpuReport(at, problem, known)

    def _decode(self, raw: Mapping[str, Any]) -> GpuReport:
        at = datetime.now(UTC)
        versions: dict[str, Any] = {
            "driver_version": str(raw.get("driver") or raw.get("kernel_module") or ""),
            "cuda_version": str(raw.get("cuda") or ""),
        }
        xids = tuple(
            XidEvent(datetime.fromtimestamp(x["at"], UTC), x["gpu"], x["code"])
            for x in raw.get("xids", ())
        )
        if "error" in raw:
            around = faults.look_around(raw.get("kernel_module"), raw.get("library"))
            return GpuReport(at, faults.library_problem(raw["error"], around), **versions)
        if "processes" in raw:
            self._processes = _decode_processes(raw["processes"])
            failed = raw["processes_error"]
            self._processes_missing = "" if failed is None else faults.reason(failed)
        gpus = tuple(_decode_gpu(g) for g in raw["gpus"])
        return GpuReport(at, None, gpus, self._processes, self._processes_missing, xids, **versions)


def _library_present() -> bool:
    import ctypes

    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return False
    return True


def _absent(proc: Path) -> Problem:
    from tools.observe.nvml import MODULE_VERSION, first_match

    module = first_match(proc / "driver/nvidia/version", MODULE_VERSION)
    return faults.library_problem(_LIBRARY_NOT_FOUND, faults.look_around(module))


def _decode_gpu(raw: Mapping[str, Any]) -> GpuSample:
    index = int(raw["index"])
    values = dict(raw["values"])
    missing = {name: faults.reason(code) for name, code in raw["missing"].items()}
    if "error" in raw:
        code = int(raw["error"])
        state = {15: "lost", 16: "reset_required"}.get(code, "error")
        return GpuSample(index, state, faults.gpu_problem(code, index), **values)  # pyright: ignore[reportArgumentType]
    convert: Mapping[str, Callable[[Any], Any]] = {
        "throttle": faults.clock_events,
        "recovery_action": lambda v: faults.recovery_action(int(v)),
        "compute_mode": _compute_mode,
        "nvlinks": lambda v: tuple(NvLink(**link) for link in v),
        "mig": lambda v: tuple(MigDevice(**device) for device in v),
    }
    for name, call in convert.items():
        if name in values:
            values[name] = call(values[name])
    return GpuSample(index, "ok", missing=missing, **values)


def _compute_mode(value: int) -> str:
    return _COMPUTE_MODES[value] if value < len(_COMPUTE_MODES) else str(value)


def _decode_processes(rows: Sequence[Mapping[str, Any]]) -> tuple[GpuProcess, ...]:
    from tools.observe.host import describe_process

    return tuple(
        GpuProcess(
            gpu=row["gpu"],
            pid=row["pid"],
            kind=row["kind"],
            memory=row["memory"],
            sm_percent=row["sm_percent"],
            mig=row["mig"],
            **describe_process(row["pid"]),
        )
        for row in rows
    )
