"""Kill a story at a boundary, restart it, and judge what is left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """One kill and what came of it."""

    story: str
    kill_at: int
    killed: bool
    states: tuple[str, ...]
    effects: tuple[int, ...]
    faults: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """``finished``, ``asks`` (unknown, with a question), or what went wrong."""
        if self.faults:
            return "LEDGER"
        if any(n > 1 for n in self.effects):
            return "TWICE"
        expected = 2 if self.story == "undo" else 1
        if len(self.states) != expected:
            return "LOST"
        wanted = ("undone", "verified") if self.story == "undo" else ("verified",)
        if self.states == wanted and all(n == 1 for n in self.effects):
            return "finished"
        return "asks" if "unknown" in self.states else f"WRONG {self.states}"


def _play(home: Path, story: str, kill_at: int, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.crash.stories", str(home), story, str(kill_at), *more]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=180, env=environment
    )


def _result(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    if done.returncode != 0:
        raise AssertionError(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def boundaries(base: Path, story: str) -> int:
    """How many boundaries an undisturbed run meets."""
    home = base / f"dry-{story}"
    try:
        return int(_result(_play(home, story, 0))["boundaries"])
    finally:
        clean(home)


def crash(base: Path, story: str, kill_at: int) -> Run:
    """Kill at the boundary, play again, judge."""
    home = base / f"{story}-{kill_at}"
    try:
        first = _play(home, story, kill_at)
        killed = first.returncode == -signal.SIGKILL
        if not killed and first.returncode:
            raise AssertionError(first.stderr[-2000:])
        after = _result(_play(home, story, 0))
        return Run(
            story,
            kill_at,
            killed,
            tuple(after["states"]),
            tuple(after["effects"]),
            tuple(after["faults"]),
            tuple(after["reasons"]),
        )
    finally:
        clean(home)


def clean(home: Path) -> None:
    """Stop the servers and jobs a story left, by what stands in their environment."""
    import psutil

    for process in psutil.process_iter(["pid"]):
        try:
            if process.environ().get("STEWARD_HOME") == str(home) or any(
                str(home) in part for part in process.cmdline()
            ):
                process.kill()
        except psutil.Error:
            continue
    shutil.rmtree(home, ignore_errors=True)
