"""How a job's process reports: progress lines, the phase it is in, checkpoints, its failure."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from tools.errors import Cancelled
from tools.models.job_folder import JobFolder

_EVERY = 0.25
"""Seconds between two progress lines at most; epochs and checkpoints are always written."""


class Tracker:
    """Used by every process of a job; only rank 0 writes progress, and not when ``quiet``."""

    def __init__(self, folder: JobFolder, rank: int = 0, quiet: bool = False) -> None:
        self.folder = folder
        self._quiet = quiet
        self.rank = rank
        self._written = 0.0
        self._phase: int | None = None
        self._looked = 0.0
        self._leg, self._legs = 0, 1

    def leg(self, index: int, count: int = 1) -> None:
        """The next run is number ``index`` of this job, which has ``count`` equally long ones.

        With a count of one it stands for itself: its steps count from zero again.
        """
        self._leg, self._legs = index, count

    def begin(self, step: int, total: int) -> None:
        """Say that a run starts, or goes on, at ``step``."""
        self.event("start", step=self._base(total) + step, total=total * self._legs, leg=self._leg)

    def _base(self, total: int) -> int:
        return self._leg * total if self._legs > 1 else 0

    def event(self, name: str, **facts: Any) -> None:
        """Append one record; a kill can cost the last line, never an earlier one."""
        if self.rank or self._quiet:
            return
        line = json.dumps({"at": time.time(), "event": name, **facts}) + "\n"
        handle = os.open(self.folder.progress, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)

    def step(
        self, step: int, total: int, loss: float | None = None, force: bool = False, **more: Any
    ) -> None:
        """Report a finished step, at most four times a second unless forced."""
        now = time.monotonic()
        if force or now - self._written >= _EVERY:
            self._written = now
            done, all_ = self._base(total) + step, total * self._legs
            self.event("step", step=done, total=all_, loss=loss, **more)

    def phase(self, name: str, step: int) -> None:
        """Say what this rank is about to do; a microsecond, so that a hang can be named."""
        if self._phase is None:
            path = self.folder.phase(self.rank)
            self._phase = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        os.pwrite(self._phase, f"{name} {step} {time.time():.3f}".ljust(64).encode(), 0)

    def wants_stop(self) -> bool:
        """Whether somebody asked the job to stop."""
        now = time.monotonic()
        if now - self._looked < 0.05:
            return False
        self._looked = now
        return self.folder.cancel.exists()

    def check(self) -> None:
        """Raise ``Cancelled`` when somebody asked the job to stop."""
        if self.folder.cancel.exists():
            raise Cancelled("The job was cancelled.", "任务已取消。")


def phases(folder: JobFolder) -> Mapping[int, tuple[str, int, float]]:
    """Rank → what it does, at which step, since when (seconds since the epoch)."""
    found: dict[int, tuple[str, int, float]] = {}
    for file in folder.root.glob("phase-*"):
        try:
            name, step, since = file.read_text(encoding="utf-8").split()
            found[int(file.name.removeprefix("phase-"))] = (name, int(step), float(since))
        except (OSError, ValueError):
            continue
    return found
