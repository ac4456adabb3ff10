"""The ``schedules`` section of steward.yaml.

schedules:
  timezone: Europe/Berlin
  missed: catch_up          # or skip
  grace: 1h                 # how late a caught-up summary may be
  summaries:
    morning: {when: "0 9 * * 1-5", channel: oncall-email, window: 24h}
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tools.contract import Json
from tools.errors import BadArguments
from tools.schedules.base import Missed, Schedule
from tools.schedules.cron import parse
from tools.words import parse_window
from tools.zone import zone_named, zone_of

if TYPE_CHECKING:
    from tools.fleet import Fleet

_KNOWN = ("when", "channel", "timezone", "window", "missed", "grace")
UNSEEN = datetime(1970, 1, 1, tzinfo=UTC)
"""``since`` of a schedule that no process has met yet."""


def section(fleet: Fleet) -> Mapping[str, Json]:
    """The section, empty where there is none; raises ``BadArguments`` when it is no mapping."""
    found = fleet.sections.get("schedules")
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise _fault("", "a mapping with timezone, missed, grace and summaries")
    for key in found:
        if key not in ("timezone", "missed", "grace", "summaries"):
            raise _fault(key, "one of timezone, missed, grace and summaries")
    return found


def written(fleet: Fleet) -> tuple[Schedule, ...]:
    """The summaries of steward.yaml; raises ``BadArguments`` naming the key that is wrong."""
    common = section(fleet)
    summaries = common.get("summaries") or {}
    if not isinstance(summaries, Mapping):
        raise _fault("summaries", "a mapping of name to when and channel")
    return tuple(_one(fleet, name, body, common) for name, body in sorted(summaries.items()))


def policy(fleet: Fleet) -> tuple[Missed, timedelta]:
    """What happens to a slot that passed while nothing ran, and for how long."""
    common = section(fleet)
    return _missed("missed", common.get("missed")), _grace("grace", common.get("grace"))


def _one(fleet: Fleet, name: str, body: Json, common: Mapping[str, Json]) -> Schedule:
    where = f"summaries.{name}"
    if not isinstance(body, Mapping):
        raise _fault(where, 'a mapping such as {when: "0 9 * * *", channel: team}')
    for key in body:
        if key not in _KNOWN:
            raise _fault(f"{where}.{key}", f"one of {', '.join(_KNOWN)}")
    line, zone = _when(fleet, where, body)
    channel = _text(f"{where}.channel", body.get("channel"))
    mark = hashlib.sha256(f"{line}|{zone}|{channel}".encode()).hexdigest()[:8]
    return Schedule(
        uid=f"file:{name}:{mark}",
        name=name,
        cron=line,
        timezone=zone,
        channel=channel,
        window=_window(f"{where}.window", body.get("window")),
        since=UNSEEN,
        missed=_missed(f"{where}.missed", body.get("missed", common.get("missed"))),
        grace=_grace(f"{where}.grace", body.get("grace", common.get("grace"))),
        source="file",
    )


def _when(fleet: Fleet, where: str, body: Mapping[str, Json]) -> tuple[str, str]:
    own = body.get("timezone")
    try:
        default = zone_named(own) if isinstance(own, str) else zone_of(fleet)
        line, zone = parse(_text(f"{where}.when", body.get("when")), default)
    except BadArguments as error:
        raise BadArguments(f"steward.yaml, schedules.{where}: {error.en}", error.zh) from None
    return line, zone.key


def _text(where: str, value: Json) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _fault(where, "a text")
    return value.strip()


def _window(where: str, value: Json) -> str:
    if value is None:
        return "24h"
    try:
        parse_window(str(value))
    except ValueError:
        raise _fault(where, "a duration such as 24h") from None
    return str(value)


def _missed(where: str, value: Json) -> Missed:
    if value not in (None, "catch_up", "skip"):
        raise _fault(where, "catch_up or skip")
    return "skip" if value == "skip" else "catch_up"


def _grace(where: str, value: Json) -> timedelta:
    if value is None:
        return timedelta(hours=1)
    try:
        grace = parse_window(str(value))
    except ValueError:
        grace = timedelta(days=999)
    if grace > timedelta(days=7):
        raise _fault(where, "a duration of at most 7d, such as 1h")
    return grace


def _fault(where: str, expected: str) -> BadArguments:
    name = f"schedules.{where}".rstrip(".")
    return BadArguments(
        f"steward.yaml: {name} should be {expected}.", f"steward.yaml：{name} 应为 {expected}。"
    )
