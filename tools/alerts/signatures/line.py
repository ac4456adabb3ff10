"""Take a log line apart: its time, who wrote it, how loud, and what remains.

Forms understood: ISO 8601, syslog, ``dmesg`` (seconds since boot, ``-T`` and ``-x``), ``/dev/kmsg``
records, journal JSON, container runtimes (CRI, Docker JSON, compose), glog as PyTorch writes it
(``E626 06:24:44.9``), and the rank prefixes of torchrun, Slurm, Ray, OpenMPI and NCCL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

from tools.alerts.signatures import prefixes
from tools.alerts.signatures.base import Line

LONGEST = 4000
"""Characters of a line that are read; errors announce themselves early."""


class _Reader:
    """One line being taken apart from its left end."""

    def __init__(self, text: str, year: int) -> None:
        self.rest = text
        self.year = year
        self.at: datetime | None = None
        self.uptime: float | None = None
        self.source = ""
        self.rank: int | None = None
        self.level = ""

    def strip(self) -> None:
        for _ in range(8):  # prefixes nest: runtime time, launcher rank, the program's own time
            before = self.rest
            for step in _STEPS:
                if step(self):
                    self.rest = self.rest.lstrip(" \t|")
                    break
            if self.rest == before:
                return

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.rest)
        if found:
            self.rest = self.rest[found.end() :]
        return found


def _iso(reader: _Reader) -> bool:
    found = reader.take(prefixes.ISO)
    if not found:
        return False
    *date, fraction, zone = found.groups()
    micro = (fraction or "0")[:6].ljust(6, "0")
    _set_time(reader, [*map(int, date)], int(micro), _zone(zone))
    return True


def _zone(text: str | None) -> timezone:
    if not text or text in ("Z", "UTC"):
        return UTC
    digits = text[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    if minutes >= 24 * 60:
        return UTC
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _set_time(reader: _Reader, parts: list[int], micro: int, zone: timezone = UTC) -> None:
    # A program's own time inside a runtime's is the more exact one; an impossible date is no time.
    try:
        reader.at = datetime(*parts, micro, zone).astimezone(UTC)  # type: ignore[misc, arg-type]
    except (ValueError, OverflowError):
        return


def _ctime(reader: _Reader) -> bool:
    found = reader.take(prefixes.CTIME)
    if not found:
        return False
    month, day, year, h, m, s, fraction, late_year = found.groups()
    parts = [
        int(late_year or year or reader.year),
        prefixes.MONTHS.index(month.lower()[:3]) + 1,
        int(day),
    ]
    _set_time(reader, [*parts, int(h), int(m), int(s)], int((fraction or "0")[:6].ljust(6, "0")))
    return True


def _glog(reader: _Reader) -> bool:
    found = reader.take(prefixes.GLOG)
    if not found:
        return False
    letter, month, day, h, m, s, fraction = found.groups()
    reader.level = prefixes.NAMED_LEVELS[letter]
    parts = [reader.year, int(month), int(day), int(h), int(m), int(s)]
    _set_time(reader, parts, int((fraction or "0")[:6].ljust(6, "0")))
    return True


def _short(reader: _Reader) -> bool:
    found = reader.take(prefixes.SHORT)
    if not found:
        return reader.take(prefixes.CODE) is not None
    level, *moment, fraction = found.groups()
    reader.level = prefixes.NAMED_LEVELS[level]
    _set_time(reader, [reader.year, *map(int, moment)], int((fraction or "0")[:6].ljust(6, "0")))
    return True


def _uptime(reader: _Reader) -> bool:
    found = reader.take(prefixes.UPTIME)
    if not found:
        return False
    reader.uptime = float(found[2])
    if found[1]:
        reader.level = prefixes.SYSLOG_LEVELS[int(found[1]) & 7]
    return True


def _kmsg(reader: _Reader) -> bool:
    found = reader.take(prefixes.KMSG)
    if not found:
        return False
    reader.level = prefixes.SYSLOG_LEVELS[int(found[1]) & 7]
    reader.uptime = int(found[3][:18]) / 1e6
    reader.source = reader.source or "kernel"
    return True


def _dmesg_x(reader: _Reader) -> bool:
    found = reader.take(prefixes.DMESG_X)
    if not found:
        return False
    reader.level = prefixes.NAMED_LEVELS[found[2]]
    reader.source = reader.source or ("kernel" if found[1] == "kern" else found[1])
    return True


def _host(reader: _Reader) -> bool:
    found = reader.take(prefixes.HOST)
    if found:
        program = found[2].split("[")[0]
        reader.source = program if program == "kernel" else f"{found[1]}/{program}"
        return True
    if reader.take(prefixes.KERNEL):
        reader.source = "kernel"
        return True
    return bool(reader.take(prefixes.CRI))


def _rank(reader: _Reader) -> bool:
    for pattern in prefixes.RANKS:
        if found := reader.take(pattern):
            reader.rank = int(found[1])
            return True
    return False


def _who(reader: _Reader) -> bool:
    if found := reader.take(prefixes.COMPOSE):
        reader.source = found[1]
    elif found := reader.take(prefixes.RAY):
        reader.source = f"{found[1]}@{found[3]}" if found[3] else f"{found[1]}/{found[2]}"
    elif found := reader.take(prefixes.NCCL):
        reader.source = reader.source or f"{found[1]}/{found[2]}"
        reader.rank = int(found[4]) if reader.rank is None else reader.rank
    else:
        return False
    return True


_TIMES = (_iso, _ctime, _glog, _short, _uptime, _kmsg)
_STEPS: tuple[Callable[[_Reader], bool], ...] = (*_TIMES, _dmesg_x, _host, _who, _rank)


def _from_json(text: str) -> tuple[str, dict[str, Any]]:
    try:
        loaded: object = json.loads(text)
    except (ValueError, RecursionError):
        return text, {}
    if not isinstance(loaded, dict):
        return text, {}
    fields = cast("dict[str, Any]", loaded)
    for name in ("MESSAGE", "log", "message", "msg", "text", "event"):
        if isinstance(said := fields.get(name), str):
            details = fields.get("error") or fields.get("exception") or fields.get("err")
            return (f"{said} {details}" if isinstance(details, str) else said), fields
    return text, fields


def _apply_fields(reader: _Reader, fields: dict[str, Any]) -> None:
    stamp = fields.get("__REALTIME_TIMESTAMP")
    if isinstance(stamp, str) and stamp.isdigit() and len(stamp) <= 17:
        reader.at = datetime.fromtimestamp(int(stamp) / 1e6, UTC)
    for name in ("time", "ts", "timestamp", "@timestamp", "asctime"):
        if isinstance(said := fields.get(name), str):
            _iso(inner := _Reader(said, reader.year))
            reader.at = inner.at or reader.at
    level = prefixes.LEVEL.search(str(fields.get("level") or fields.get("levelname") or ""))
    if level:
        reader.level = "error" if level[1] else "warning" if level[2] else "info"
    if str(fields.get("_TRANSPORT") or fields.get("SYSLOG_IDENTIFIER") or "") == "kernel":
        reader.source = "kernel"
    rank = fields.get("rank")
    if isinstance(rank, int) and not isinstance(rank, bool):
        reader.rank = rank


def parse_line(text: str, number: int = 0, *, source: str = "", year: int | None = None) -> Line:
    """Take one line apart. Never raises: what is not understood stays in ``body``."""
    clean = prefixes.CONTROL.sub("", text[:LONGEST]).strip()
    if "\r" in clean:
        clean = clean.rsplit("\r", 1)[-1]
    fields: dict[str, Any] = {}
    if clean.startswith("{"):
        clean, fields = _from_json(text[: LONGEST * 4])
        clean = prefixes.CONTROL.sub("", clean[:LONGEST]).strip()
    reader = _Reader(clean, year or datetime.now(UTC).year)
    if fields:
        _apply_fields(reader, fields)
    reader.strip()
    if reader.rank is None and (inner := prefixes.INNER_RANK.search(reader.rest[:200])):
        reader.rank = int(inner[1] or inner[2])
    if not reader.level and (level := prefixes.LEVEL.search(reader.rest[:120])):
        reader.level = "error" if level[1] else "warning" if level[2] else "info"
    if not reader.source and reader.uptime is not None:
        reader.source = "kernel"
    who = source or reader.source or ("" if reader.rank is None else f"rank {reader.rank}")
    body = reader.rest.strip()
    return Line(number, reader.at, reader.uptime, who, reader.rank, reader.level, body)


def parse_lines(texts: Iterable[str], source: str = "", year: int | None = None) -> Iterator[Line]:
    """Lines in order; blank ones are skipped but counted."""
    told = ((number, text) for number, text in enumerate(texts) if text.strip())
    return (parse_line(text, number, source=source, year=year) for number, text in told)
