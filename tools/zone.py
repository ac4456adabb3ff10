"""The team's time zone, and times as the team reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tools.errors import BadArguments

if TYPE_CHECKING:
    from tools.fleet import Fleet
    from tools.words import Lang

_WEEKDAYS = "一二三四五六日"


def zone_named(name: str) -> ZoneInfo:
    """A zone of the IANA database by its name; raises ``BadArguments``."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadArguments(
            f"There is no time zone {name!r}; write an IANA name such as Europe/Berlin or UTC.",
            f"没有名为 {name!r} 的时区；请写 IANA 名称，例如 Asia/Shanghai 或 UTC。",
        ) from None


def zone_of(fleet: Fleet) -> ZoneInfo:
    """``schedules.timezone`` of steward.yaml, else this machine's zone, else UTC."""
    section = fleet.sections.get("schedules")
    if isinstance(section, Mapping) and isinstance(section.get("timezone"), str):
        return zone_named(str(section["timezone"]))
    return _machine_zone(Path("/etc/localtime"))


def _machine_zone(link: Path) -> ZoneInfo:
    # /etc/localtime is a link into the zone database wherever systemd, macOS or Debian set it.
    try:
        parts = link.resolve().parts
        name = "/".join(parts[parts.index("zoneinfo") + 1 :])
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return ZoneInfo("UTC")


def moment(at: datetime, zone: ZoneInfo, lang: Lang) -> str:
    """``Mon 2026-11-23 09:00 CET``, or ``2026-11-23 周一 09:00``."""
    local = at.astimezone(zone)
    if lang == "zh":
        return f"{local:%Y-%m-%d} 周{_WEEKDAYS[local.weekday()]} {local:%H:%M}"
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[local.weekday()]
    return f"{day} {local:%Y-%m-%d %H:%M} {local.tzname()}"


def short(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """``09:12`` today, ``11-22 21:40`` on another day."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%m-%d %H:%M}"
