"""Processes known by pid *and* start time, so that a reused pid is never mistaken for ours."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

_SLACK = 2.0
"""Seconds two readings of a start time may differ: the boot time they rest on drifts with NTP."""


def started(pid: int) -> float | None:
    """When the process began, in seconds since the epoch; ``None`` when it is gone or a zombie."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.Error:
        return None


def alive(pid: int, start: float) -> bool:
    """Whether this very process still runs."""
    now = started(pid)
    return now is not None and abs(now - start) < _SLACK


def carrying(name: str, value: str) -> Iterator[tuple[int, float]]:
    """Our processes whose environment has ``name=value``: pid and start time."""
    import psutil

    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(name) == value:
                yield process.pid, float(process.create_time())


def end(pid: int, start: float) -> None:
    """Kill this very process, if it still runs."""
    if alive(pid, start):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies (Linux; elsewhere nothing)."""
    import ctypes

    with suppress(OSError, AttributeError):
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL, 0, 0, 0)
