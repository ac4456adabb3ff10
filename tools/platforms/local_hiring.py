"""Seeing that a deployment has a keeper."""

from __future__ import annotations

import sys
import time
from subprocess import Popen

from tools.errors import Failed
from tools.platforms import local_logs
from tools.platforms.local_process import Identity, alive, environment, spawn
from tools.platforms.local_records import Observed
from tools.platforms.local_state import Folder


def keeper_of(observed: Observed) -> Identity | None:
    """The running keeper, or ``None``."""
    who = Identity(observed.keeper_pid, observed.keeper_start)
    return who if who.pid and alive(who) else None


def hire(folder: Folder, action_id: str) -> Popen[bytes] | None:
    """Start a keeper unless one runs, and wait until it is at work; raises ``Failed``.

    Of two started at once, one finds the lock taken and leaves.
    """
    if keeper_of(folder.observed()) is not None:
        return None
    log = folder.logs / "keeper.log"
    command = [sys.executable, "-m", "tools.platforms.local_keeping", str(folder.path)]
    process = spawn(command, log=log, env=environment(action_id))
    deadline = time.monotonic() + 20
    while keeper_of(folder.observed()) is None:
        if time.monotonic() > deadline:
            said = local_logs.last_line(log) or "its log says nothing"
            raise Failed(
                f"The keeper of {folder.path.name} does not start: {said}.",
                f"{folder.path.name} 的守护进程无法启动：{said}。",
            )
        time.sleep(0.02)
    return process


def await_keeper(folder: Folder) -> None:
    """Wait a moment until the keeper has taken an edit up, so that a status shows it."""
    deadline = time.monotonic() + 5
    desired = folder.desired()
    while desired and folder.observed().generation < desired.generation:
        if time.monotonic() > deadline:
            return
        time.sleep(0.02)
