"""Cron lines: reading, computing slots across clock changes, and saying them in words.

Slots are computed by cronsim, which follows Debian's cron at clock changes: a job at a fixed time
that the change skips runs right after it, and one in the repeated hour runs once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tools.errors import BadArguments
from tools.zone import zone_named

if TYPE_CHECKING:
    from tools.words import Lang

_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 9 * * *",
    "@weekly": "0 9 * * 1",
    "@monthly": "0 9 1 * *",
}
_EN_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ZH_DAYS = "日一二三四五六日"


def parse(text: str, default: ZoneInfo) -> tuple[str, ZoneInfo]:
    """A cron line, optionally after ``CRON_TZ=Zone``, as five fields and its zone.

    Raises:
        BadArguments: it is no cron line, or one that never comes.
    """
    words, zone = text.split(), default
    if words and words[0].startswith(("CRON_TZ=", "TZ=")):
        zone = zone_named(words[0].split("=", 1)[1])
        words = words[1:]
    line = " ".join(words)
    line = _MACROS.get(line.lower(), line)
    if len(line.split()) != 5 or not _ever(line):
        raise BadArguments(
            f"{text!r} is not a cron line; write minute hour day month weekday, "
            "for example 0 9 * * 1-5 for weekdays at 9.",
            f"{text!r} 不是 cron 表达式；请写“分 时 日 月 周”，例如 0 9 * * 1-5 表示工作日 9 点。",
        )
    return line, zone


def _ever(line: str) -> bool:
    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(line, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration, RuntimeError):
        return False
    return True


def slots(line: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Slots later than ``after``, in UTC, earliest first."""
    from cronsim import CronSim

    start = after.astimezone(UTC).replace(microsecond=0)
    day = timedelta(days=1)
    if (start - day).astimezone(zone).utcoffset() != (start + day).astimezone(zone).utcoffset():
        # Near a clock change every process must walk through it from the same side.
        start = (start - day).replace(hour=0, minute=0, second=0)
    before: datetime | None = None
    for at in CronSim(line, start.astimezone(zone)):
        slot = at.astimezone(UTC)
        if slot > after and slot != before:
            yield slot
        before = slot


def following(line: str, zone: ZoneInfo, after: datetime, count: int) -> list[datetime]:
    """The next ``count`` slots."""
    return list(islice(slots(line, zone, after), count))


def newest(line: str, zone: ZoneInfo, after: datetime, until: datetime) -> datetime | None:
    """The latest slot in ``(after, until]``."""
    found: datetime | None = None
    for slot in slots(line, zone, after):
        if slot > until:
            break
        found = slot
    return found


def count(line: str, zone: ZoneInfo, after: datetime, before: datetime, limit: int = 1000) -> int:
    """How many slots lie strictly between two times, at most ``limit``."""
    total = 0
    for slot in slots(line, zone, after):
        if slot >= before or total >= limit:
            break
        total += 1
    return total


def shortest_gap(line: str) -> timedelta:
    """The shortest time between two of the next 20 slots, in a zone without clock changes."""
    times = following(line, ZoneInfo("UTC"), datetime(2026, 1, 1, tzinfo=UTC), 21)
    return min((b - a for a, b in pairwise(times)), default=timedelta(days=366))


def rhythm(line: str) -> str:
    """One word for a name: ``hourly``, ``daily``, ``weekdays``, ``weekly``, ``monthly``, …"""
    minute, hour, day, month, weekday = line.split()
    if month != "*":
        return "yearly"
    if day != "*":
        return "monthly"
    if weekday in ("1-5", "MON-FRI", "mon-fri"):
        return "weekdays"
    if weekday != "*":
        return "weekly"
    if hour.isdigit() and minute.isdigit():
        return "daily"
    return "hourly" if minute.isdigit() else "frequent"


def spoken(line: str, lang: Lang) -> str:
    """``every day at 09:00``; the cron line itself where it is not one of the common shapes."""
    minute, hour, day, month, weekday = line.split()
    if not minute.isdigit() or month != "*":
        return _every_minutes(line, lang)
    if hour == "*" and day == weekday == "*":
        return f"每小时第 {int(minute)} 分" if lang == "zh" else f"every hour at :{int(minute):02d}"
    if not hour.isdigit():
        return line
    days = _days(day, weekday, lang)
    if days is None:
        return line
    clock = f"{int(hour):02d}:{int(minute):02d}"
    return f"{days} {clock}" if lang == "zh" else f"{days} at {clock}"


def _every_minutes(line: str, lang: Lang) -> str:
    step = line.removeprefix("*/").removesuffix(" * * * *")
    if not step.isdigit():
        return line
    return f"每 {step} 分钟" if lang == "zh" else f"every {step} minutes"


def _days(day: str, weekday: str, lang: Lang) -> str | None:
    zh = lang == "zh"
    if day.isdigit() and weekday == "*":
        return f"每月 {day} 日" if zh else f"on day {day} of every month"
    if day != "*":
        return None
    if weekday == "*":
        return "每天" if zh else "every day"
    if weekday == "1-5":
        return "每个工作日" if zh else "every weekday"
    numbers = weekday.split(",")
    if not all(n.isdigit() and int(n) <= 7 for n in numbers):
        return None
    if zh:
        return "每周" + "、".join(_ZH_DAYS[int(n)] for n in numbers)
    return "every " + " and ".join(_EN_DAYS[int(n)] for n in numbers)
