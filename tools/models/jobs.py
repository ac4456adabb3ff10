"""Jobs on this machine: real detached processes, found again after a restart of anything.

A launch is written down first (row, then ``spec.json``), then started. The supervisor and every
worker carry the action's id in their environment; the supervisor holds a lock, so that starting a
job twice runs it once. ``lost`` is a job whose supervisor is gone without a result: launching it
again under the same action, or ``resume``, continues from its checkpoint.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.contract import Happened
from tools.errors import Failed, unknown
from tools.models import job_rows
from tools.models.base import JobSpec, JobState, JobStatus
from tools.models.cluster_work import prepare
from tools.models.job_folder import JobFolder, read, write
from tools.models.job_reading import status_of
from tools.models.processes import alive, carrying
from tools.models.registries import VARIABLE, section
from tools.platforms.base import LogLine

if TYPE_CHECKING:
    from tools.world import World


class LocalJobs:
    """The jobs port of this machine."""

    def __init__(self, world: World) -> None:
        self._world = world

    def folder(self, name: str) -> JobFolder:
        """Where a job keeps its files."""
        return JobFolder(self._world.home / "jobs" / name)

    def launch(self, spec: JobSpec, action_id: str) -> JobStatus:
        """Start once per action; the same action again finds the job, or continues a lost one."""
        row = job_rows.claim(
            self._world.store,
            {
                "name": spec.name,
                "action_id": action_id,
                "kind": spec.kind,
                "model": spec.model,
                "workers": spec.workers,
                "params": dict(spec.params),
                "created_at": self._world.clock.now(),
            },
        )
        return self._start(row)

    def resume(self, name: str) -> JobStatus:
        """Continue a lost, failed or cancelled job from its checkpoint."""
        row = self._row(name)
        folder = self.folder(name)
        if self._state(name) != "running":
            _leaves(folder)
            folder.cancel.unlink(missing_ok=True)
            folder.result.unlink(missing_ok=True)
        return self._start(row)

    def _start(self, row: Mapping[str, Any]) -> JobStatus:
        name = str(row["name"])
        folder = self.folder(name)
        if self._state(name) in ("pending", "lost"):
            if not folder.spec.exists():
                params = prepare(folder, self._world.home, row["params"])
                write(folder.spec, {**params, **_identity(row)})
            _spawn(folder, self._world, row)
        return self.status(name)

    def status(self, name: str) -> JobStatus:
        """How the job is now; raises ``BadArguments`` for an unknown name."""
        row = self._row(name)
        return status_of(row, self.folder(name), self._state(name))

    def list(self) -> Sequence[JobStatus]:
        """Newest first."""
        rows = job_rows.every(self._world.store)
        return [status_of(r, self.folder(r["name"]), self._state(r["name"])) for r in rows]

    def cancel(self, name: str, action_id: str) -> JobStatus:
        """Ask the job to stop at its next step, and wait until it did."""
        self._row(name)
        folder, state = self.folder(name), self._state(name)
        if state in ("pending", "running", "lost"):
            if not folder.cancel.exists():
                write(folder.cancel, {"action_id": action_id, "at": time.time()})
            deadline = time.monotonic() + 20
            while self._state(name) == "running" and time.monotonic() < deadline:
                time.sleep(0.1)
            if self._state(name) in ("pending", "lost"):
                ended = {"cause": "cancelled by a person", "ended_at": time.time()}
                write(folder.result, {"state": "cancelled", **ended})
        return self.status(name)

    def logs(self, name: str, *, limit: int = 500) -> Sequence[LogLine]:
        """Newest last, over all ranks and the launcher."""
        self._row(name)
        folder, lines = self.folder(name), list[LogLine]()
        for file in sorted(folder.logs.glob("*.log")):
            changed = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            text = file.read_bytes()[-262144:].decode(errors="replace")
            lines += [LogLine(changed, file.stem, line) for line in text.splitlines()[-limit:]]
        return sorted(lines, key=lambda line: line.at or changed_never())[-limit:]

    def happened(self, action_id: str) -> Happened:
        """Whether the launch of this action reached the machine."""
        row = job_rows.find(self._world.store, action_id=action_id)
        if row is None:
            return Happened.NO
        folder = self.folder(row["name"])
        if folder.supervisor.exists() or folder.result.exists():
            return Happened.YES
        if any(carrying("STEWARD_ACTION", action_id)):
            return Happened.YES
        return Happened.NO

    def _row(self, name: str) -> Mapping[str, Any]:
        row = job_rows.find(self._world.store, name=name)
        if row is None:
            known = [r["name"] for r in job_rows.every(self._world.store)]
            raise unknown("job", name, known, "任务")
        return row

    def _state(self, name: str) -> JobState:
        folder = self.folder(name)
        if ended := read(folder.result).get("state"):
            return ended
        running = read(folder.supervisor)
        if not running:
            return "pending"
        if alive(int(running["pid"]), float(running["started"])):
            return "running"
        # It may have written its result between the two looks.
        return read(folder.result).get("state", "lost")


def _leaves(folder: JobFolder) -> None:
    """Wait until a supervisor that has written its result has ended too: it still counts as alive."""
    said, deadline = read(folder.supervisor), time.monotonic() + 20
    while said and alive(int(said["pid"]), float(said["started"])):
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)


def changed_never() -> datetime:
    """A time before any log line."""
    return datetime.fromtimestamp(0, UTC)


def _identity(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("name", "action_id", "kind", "model", "workers")}


def _spawn(folder: JobFolder, world: World, row: Mapping[str, Any]) -> None:
    before = read(folder.supervisor).get("pid")
    given = {
        **os.environ,
        "STEWARD_DATABASE": world.store.url,
        "STEWARD_HOME": str(world.home),
        VARIABLE: json.dumps(dict(section(world.fleet))),
        "STEWARD_ACTION": str(row["action_id"]),
        "PYTHONPATH": os.pathsep.join(
            p for p in (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")) if p
        ),
    }
    arguments = [sys.executable, "-m", "tools.models.job_supervisor", str(folder.root.resolve())]
    try:
        subprocess.run(  # returns at once: the supervisor detaches itself
            arguments,
            env=given,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Failed(
            f"Job {row['name']} could not be started: {error}.",
            f"任务 {row['name']} 无法启动：{error}。",
        ) from error
    deadline = time.monotonic() + 20
    while read(folder.supervisor).get("pid") == before and time.monotonic() < deadline:
        if folder.result.exists():
            break
        time.sleep(0.02)


def open_jobs(world: World) -> LocalJobs:
    """The jobs port of a world."""
    return LocalJobs(world)
