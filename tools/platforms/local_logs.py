"""Log files of replicas: one each, bounded, with the times their lines carry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tools.platforms.base import LogLine

LIMIT = 5 * 2**20
"""Bytes after which a log is moved aside; one older part is kept."""
KEPT = 12
"""Logs of replicas that are gone, newest first."""
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)Z (.*)")
_TAIL = 256 * 1024


def read(file: Path, source: str) -> list[LogLine]:
    """The lines at the end of a log; lines without a time belong to the one before."""
    at: datetime | None = None
    lines: list[LogLine] = []
    for text in tail(file):
        match = _TIME.match(text)
        if match:
            at = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
            text = match[2]
        lines.append(LogLine(at, source, text))
    return lines


def tail(file: Path) -> list[str]:
    """The last lines of a file, at most 256 KiB of it."""
    try:
        with file.open("rb") as handle:
            size = handle.seek(0, 2)
            handle.seek(max(0, size - _TAIL))
            text = handle.read().decode("utf-8", "replace")
    except OSError:
        return []
    lines = text.splitlines()
    return lines[1:] if size > _TAIL else lines


def last_line(file: Path) -> str:
    """The line that says why it ended: the last one, without its time and level."""
    for text in reversed(tail(file)):
        if text.strip():
            match = _TIME.match(text)
            return re.sub(r"^(FATAL|ERROR) ", "", match[2] if match else text.strip())[:300]
    return ""


def bound(file: Path) -> None:
    """Move a grown log aside. The writer appends, so it goes on at the start of the file."""
    try:
        if file.stat().st_size <= LIMIT:
            return
        older = file.with_suffix(".1.log")
        older.write_bytes(file.read_bytes()[-LIMIT:])
        with file.open("r+b") as handle:
            handle.truncate(0)
    except FileNotFoundError:
        return


def forget(folder: Path, living: Sequence[str]) -> None:
    """Delete the logs of replicas long gone."""
    gone = [f for f in folder.glob("*.log") if f.name.split(".")[0] not in living]
    gone = [f for f in gone if f.name != "keeper.log"]
    for file in sorted(gone, key=lambda f: f.stat().st_mtime, reverse=True)[KEPT:]:
        file.unlink(missing_ok=True)
