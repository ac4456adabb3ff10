"""Server processes on this machine: started detached, known by pid and start time."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.contract import Json
from tools.platforms.base import Release

CARRIED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "CUDA_VISIBLE_DEVICES",
)
"""Environment a server inherits. Not all of it: Steward's own holds tokens."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process and no later one with the same pid."""

    pid: int
    start: float


def identify(pid: int) -> Identity | None:
    """The identity of a running process."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Identity(pid, process.create_time())
    except psutil.Error:
        return None


def alive(who: Identity) -> bool:
    """Whether this very process still runs."""
    now = identify(who.pid)
    return now is not None and abs(now.start - who.start) < 0.05


def send(who: Identity, number: signal.Signals) -> None:
    """Signal this very process; nothing happens when it is gone."""
    if who.pid > 1 and alive(who):
        with contextlib.suppress(ProcessLookupError):
            os.kill(who.pid, number)


def memory(who: Identity) -> int:
    """Resident memory in bytes; 0 when it is gone."""
    import psutil

    try:
        return int(psutil.Process(who.pid).memory_info().rss)
    except psutil.Error:
        return 0


def environment(action_id: str, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a detached process sees: little, and the id of the action that started it."""
    root = str(Path(__file__).resolve().parents[2])
    return {
        **{name: os.environ[name] for name in CARRIED if name in os.environ},
        "PYTHONPATH": root,
        "PYTHONUNBUFFERED": "1",
        "STEWARD_ACTION_ID": action_id,
        **(extra or {}),
    }


def spawn(
    command: Sequence[str], *, log: Path, env: Mapping[str, str], fds: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own: it outlives this one and its terminal."""
    with log.open("ab") as out:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=dict(env),
            cwd=str(log.parent),
            pass_fds=tuple(fds),
            start_new_session=True,
        )


def strays(run: Path, known: Collection[str]) -> list[Identity]:
    """Servers of a deployment that nobody wrote down: their keeper was killed as it started them.

    Found by the socket in ``run`` that each is given on its command line.
    """
    import psutil

    found: list[Identity] = []
    for process in psutil.process_iter(["cmdline", "create_time"]):
        command: list[str] = process.info["cmdline"] or []
        sockets = [Path(arg) for arg in command if arg.endswith(".sock")]
        if any(s.parent == run and s.stem not in known for s in sockets):
            found.append(Identity(process.pid, process.info["create_time"]))
    return found


def server_command(
    release: Release,
    fd: int,
    run: Path,
    id: str,
    options: Mapping[str, Json],
    held: bool,
    window: Path | None = None,
) -> list[str]:
    """The command line of one replica."""
    config = release.config
    command = [sys.executable, "-m", "tools.serving"]
    command += ["--artifact", str(release.artifact), "--format", str(config.get("format", "onnx"))]
    command += ["--model", str(release.model), "--version", str(release.version)]
    command += ["--listen-fd", str(fd), "--handover", str(run / f"{id}.sock")]
    command += ["--announce", str(run / f"{id}.json")]
    command += ["--threads", str(config.get("threads", 1))]
    if window is not None:
        command += ["--window", str(window)]
    if release.digest:
        command += ["--digest", release.digest]
    if config.get("module"):
        command += ["--module", str(config["module"])]
    params = config.get("params")
    if params:
        command += ["--params", json.dumps(params)]
    for name in ("drain_grace", "drain_timeout", "connection_age", "max_in_flight"):
        if name in options:
            command += [f"--{name.replace('_', '-')}", str(options[name])]
    return [*command, "--hold"] if held else command


def cause_of_death(code: int | None, last: str) -> str:
    """Why a server ended, from its exit code and the last line of its log."""
    from tools.serving.faults import CAUSES, Exit

    tail = f": {last}" if last else ""
    if code is None:
        return f"ended; its exit code is not known{tail}"
    if code in tuple(Exit) and code != Exit.OK:
        return f"{CAUSES[Exit(code)]}{tail}"
    if code == -signal.SIGKILL:
        return "killed by SIGKILL: by a person, or by the kernel for want of memory"
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"killed by {name}{tail}"
    return f"exited with code {code}{tail}"


FINAL_CODES = (3, 4, 5, 6)
"""Exit codes that another try cannot mend."""
