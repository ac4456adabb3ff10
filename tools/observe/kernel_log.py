"""The kernel's messages: from ``/dev/kmsg``, the journal, or the log files of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tools.errors import Unavailable
from tools.observe.wording import clean
from tools.platforms.base import LogLine

MOST_LINES = 5000
_FILES = ("/var/log/kern.log", "/var/log/messages", "/var/log/syslog")
_TAIL = 4 << 20
_JOURNAL_DEADLINE = 5
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ISO = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*)\s+\S+\s+(.*)")
_CLASSIC = re.compile(r"([A-Z][a-z]{2})\s+(\d+) (\d\d):(\d\d):(\d\d)\s+\S+\s+(.*)")
_PREFIX = re.compile(r"kernel:\s*(?:\[\s*\d+\.\d+\]\s*)?")


class KernelLog:
    """Kernel messages of this machine; ``file`` names one to read instead (a mounted log)."""

    def __init__(self, file: Path | None = None, device: Path = Path("/dev/kmsg")) -> None:
        self._file = file
        self._device = device

    def read(self, since: timedelta, now: datetime) -> Sequence[LogLine]:
        """Lines of the last ``since``, newest last; ``Unavailable`` when no source can be read."""
        start = now - since
        if self._file is not None:
            return _recent(_from_file(self._file, now), start)
        lines = self._from_device()
        if lines is None:
            lines = _from_journal(since)
        for name in _FILES if lines is None else ():
            if os.access(name, os.R_OK):
                lines = _from_file(Path(name), now)
                break
        if lines is None:
            raise Unavailable(
                "The kernel log cannot be read: /dev/kmsg, the journal and /var/log/kern.log need "
                "root or the groups systemd-journal and adm.",
                "无法读取内核日志：/dev/kmsg、journal 和 /var/log/kern.log 需要 root 权限，"
                "或加入 systemd-journal、adm 组。",
            )
        return _recent(lines, start)

    def _from_device(self) -> list[LogLine] | None:
        try:
            handle = os.open(self._device, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return None
        booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        lines: list[LogLine] = []
        try:
            for record in _records(handle):
                line = parse_kmsg(record, booted)
                if line is not None:
                    lines.append(line)
        finally:
            os.close(handle)
        return lines


def _records(handle: int) -> Iterator[str]:
    while True:
        try:
            chunk = os.read(handle, 16384)
        except BlockingIOError:
            return
        except BrokenPipeError:
            continue  # the ring buffer was overwritten while reading; the next read goes on
        except OSError:
            return
        if not chunk:
            return
        yield from chunk.decode("utf-8", "replace").splitlines()


def parse_kmsg(record: str, booted: float) -> LogLine | None:
    """A record ``priority,sequence,microseconds,flags;text``; continuation lines are ``None``."""
    head, separator, text = record.partition(";")
    parts = head.split(",")
    if not separator or len(parts) < 3 or not parts[2].isdigit():
        return None
    if parts[0].isdigit() and int(parts[0]) >> 3:
        return None  # written by a user-space program, not by the kernel
    at = datetime.fromtimestamp(booted + int(parts[2]) / 1e6, UTC)
    return LogLine(at, "kernel", clean(text))


def _from_journal(since: timedelta) -> list[LogLine] | None:
    program = shutil.which("journalctl")
    if program is None:
        return None
    seconds = int(since.total_seconds())
    command = [program, "-k", "-q", "-o", "short-iso-precise", "--no-pager", "-n", str(MOST_LINES)]
    try:
        answer = subprocess.run(
            [*command, "--since", f"-{seconds}s"],
            capture_output=True,
            timeout=_JOURNAL_DEADLINE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = answer.stdout.decode("utf-8", "replace")
    if answer.returncode != 0 or not text.strip():
        return None
    return [line for raw in text.splitlines() if (line := parse_line(raw, datetime.now(UTC)))]


def _from_file(path: Path, now: datetime) -> list[LogLine]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - _TAIL, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be read: {error.strerror}.", f"无法读取 {path}：{error.strerror}。"
        ) from None
    lines: list[LogLine] = []
    for raw in text.splitlines()[1 if size > _TAIL else 0 :]:
        line = parse_line(raw, now)
        if line is not None:
            lines.append(line)
    return lines


def parse_line(raw: str, now: datetime) -> LogLine | None:
    """A line of a log file; ``None`` for what other programs wrote into the same file.

    Times without a year are the latest such day that is not in the future; without a zone, UTC.
    """
    at: datetime | None = None
    rest = raw
    if found := _ISO.match(raw):
        at, rest = _iso(found[1]), found[2]
    elif found := _CLASSIC.match(raw):
        at, rest = _classic(found, now), found[6]
    if at is not None:
        prefix = _PREFIX.match(rest)
        if prefix is None:
            return None
        rest = rest[prefix.end() :]
    return LogLine(at, "kernel", clean(rest)) if rest.strip() else None


def _iso(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _classic(found: re.Match[str], now: datetime) -> datetime | None:
    if found[1] not in _MONTHS:
        return None
    month = _MONTHS.index(found[1]) + 1
    hour, minute, second = (int(found[i]) for i in (3, 4, 5))
    try:
        at = datetime(now.year, month, int(found[2]), hour, minute, second, tzinfo=UTC)
        return at.replace(year=now.year - 1) if at > now + timedelta(days=1) else at
    except ValueError:
        return None


def _recent(lines: Sequence[LogLine], start: datetime) -> list[LogLine]:
    return [x for x in lines if x.at is None or x.at >= start][-MOST_LINES:]
