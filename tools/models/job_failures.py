"""Why a job's process ended, in words a person can act on."""

from __future__ import annotations

import errno
import re
import time
import traceback
from pathlib import Path
from typing import Any

from tools.errors import Cancelled, ToolError
from tools.models.job_folder import JobFolder, write

_LOST_PEER = re.compile(
    r"connection (reset|closed|refused)|closed by peer|broken pipe|gloo|nccl|store.*(closed|timeout)",
    re.IGNORECASE,
)
_NO_MEMORY = re.compile(r"out of memory|can't allocate|cannot allocate", re.IGNORECASE)
_SIGNAL = re.compile(r"exitcode\s*:?\s*-(\d+)")


class TrainingFailed(Exception):
    """Training cannot go on; the sentence is the named cause."""


def record(folder: JobFolder, rank: int, error: BaseException) -> bool:
    """Write why this rank ends; returns whether starting it again would be useless."""
    cause, fatal = name(error)
    where = traceback.extract_tb(error.__traceback__)
    plain = isinstance(error, ToolError | TrainingFailed)
    last = "" if plain or not where else f"{Path(where[-1].filename).name}:{where[-1].lineno}"
    write(
        folder.root / f"failure-{rank}.json",
        {"at": time.time(), "rank": rank, "cause": cause, "fatal": fatal, "where": last},
    )
    return fatal


def name(error: BaseException) -> tuple[str, bool]:
    """The cause in words, and whether it would happen again on a restart."""
    said = str(error).strip().splitlines()[0][:200] if str(error).strip() else ""
    if isinstance(error, Cancelled):
        return "cancelled", True
    if isinstance(error, ToolError | TrainingFailed):
        return str(error), True
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"disk full: {error.filename or 'the job folder'} cannot be written", True
    if isinstance(error, MemoryError) or _NO_MEMORY.search(said):
        return f"out of memory: {said or 'an allocation failed'}", True
    if isinstance(error, RuntimeError | ConnectionError) and _LOST_PEER.search(said):
        return f"lost contact with another worker: {said}", False
    return f"{type(error).__name__}: {said}", True


def of_exit(folder: JobFolder, code: int, kills_before: int) -> str:
    """The cause when the processes left no word: signals, the kernel's memory killer."""
    said = _tail(folder.logs / "launcher.log")
    signals = [int(number) for number in _SIGNAL.findall(said)]
    if code < 0:
        signals.append(-code)
    if kernel_kills() > kills_before:
        return "out of memory: the kernel killed a worker"
    if signals:
        return f"lost worker: killed by signal {signals[0]} more often than max_restarts allows"
    last = [line for line in said.splitlines() if line.strip()]
    return f"exit code {code}" + (f": {last[-1].strip()[:160]}" if last else "")


def kernel_kills() -> int:
    """How many processes of our cgroup the kernel killed for memory; 0 where it is not told."""
    try:
        text = Path("/sys/fs/cgroup/memory.events").read_text(encoding="ascii")
    except OSError:
        return 0
    return sum(int(n) for n in re.findall(r"^oom_kill (\d+)$", text, re.MULTILINE))


def _tail(file: Path) -> str:
    try:
        return file.read_bytes()[-20000:].decode(errors="replace")
    except OSError:
        return ""


def culprit(failures: list[dict[str, Any]]) -> str:
    """The cause to show: the first fatal one; a rank that lost its peer is a victim."""
    fatal = [f for f in failures if f.get("fatal")]
    chosen = (fatal or failures)[0]
    rank, where = chosen.get("rank", 0), chosen.get("where", "")
    place = f" (rank {rank}, {where})" if where and ":" in str(where) else ""
    return f"{chosen['cause']}{place}"
