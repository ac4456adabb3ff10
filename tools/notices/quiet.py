"""Quiet hours. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from tools.notices.base import Severity
    from tools.notices.written import Quiet


def earliest(quiet: Quiet | None, severity: Severity, now: datetime, zone: ZoneInfo) -> datetime:
    """When a notice of that severity may go out: ``now``, or the end of the quiet hours."""
    if quiet is None or severity in quiet.excepted or quiet.start == quiet.end:
        return now
    local = now.astimezone(zone)
    clock = local.time().replace(tzinfo=None)
    if quiet.start < quiet.end:
        inside, later = quiet.start <= clock < quiet.end, False
    else:
        inside = clock >= quiet.start or clock < quiet.end
        later = clock >= quiet.start
    if not inside:
        return now
    day = local.date() + timedelta(days=1 if later else 0)
    return datetime.combine(day, quiet.end, tzinfo=zone).astimezone(UTC)
