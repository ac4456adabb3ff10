"""Alertmanager's webhook document, version 4, as values; and the fingerprint it uses.

Format: Alertmanager ``notify/webhook``. A firing alert ends in the year 1. The fingerprint is
FNV-1a (64 bit) over the sorted labels, each name and value followed by byte 0xFF, as in
Prometheus' ``model.LabelsToSignature``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from tools.alerts.base import AlertRecord, Firing
from tools.errors import BadArguments

MOST = 10_000
"""Alerts accepted in one delivery; Alertmanager sends at most a few hundred."""
_TEXT = 4096
_FRACTION = re.compile(r"\.(\d+)")


@dataclass(frozen=True, slots=True)
class Rejected:
    """An entry that is no alert, kept as it came."""

    reason: str
    body: str


def fingerprint(labels: Mapping[str, str]) -> str:
    """The 16 hexadecimal digits by which Alertmanager knows a set of labels."""
    value = 14695981039346656037
    for name in sorted(labels):
        for part in (name.encode(), b"\xff", labels[name].encode(), b"\xff"):
            for byte in part:
                value = ((value ^ byte) * 1099511628211) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def parse_time(text: object) -> datetime | None:
    """RFC 3339 with any fraction; ``None`` for the zero time and for what is no time."""
    if not isinstance(text, str) or not text or text.startswith("0001-"):
        return None
    try:
        trimmed = _FRACTION.sub(lambda m: "." + m[1][:6].ljust(6, "0"), text, count=1)
        at = datetime.fromisoformat(trimmed)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_payload(
    payload: Mapping[str, Any], now: datetime, source: str
) -> tuple[list[AlertRecord], list[Rejected]]:
    """The alerts of a delivery, and what in it was none.

    Raises:
        BadArguments: the document is not version 4, or has no list of alerts.
    """
    version = str(payload.get("version", ""))
    raw = payload.get("alerts")
    if version != "4" or not isinstance(raw, list):
        raise BadArguments(
            f"This is not an Alertmanager webhook document of version 4 (version {version!r}). "
            "Point a webhook receiver of Alertmanager 0.16 or newer here.",
            "这不是 Alertmanager 第 4 版 webhook 文档，请用 Alertmanager 0.16 以上的 webhook 接收器。",
        )
    entries = cast("list[object]", raw)
    if len(entries) > MOST:
        raise BadArguments(
            f"{len(entries)} alerts in one delivery; set max_alerts to at most {MOST}."
        )
    good: list[AlertRecord] = []
    bad: list[Rejected] = []
    for entry in entries:
        found = _alert(entry, now, source)
        if isinstance(found, Rejected):
            bad.append(found)
        else:
            good.append(found)
    return good, bad


def _strings(value: object) -> dict[str, str] | None:
    if not isinstance(value, dict):
        return None
    pairs = cast("dict[object, object]", value)
    if not all(isinstance(k, str) and isinstance(v, str) for k, v in pairs.items()):
        return None
    return {str(k)[:256]: str(v)[:_TEXT] for k, v in pairs.items()}


def _alert(entry: object, now: datetime, source: str) -> AlertRecord | Rejected:
    if not isinstance(entry, dict):
        return _rejected("an entry is not an object", entry)
    item = cast("dict[str, Any]", entry)
    labels = _strings(item.get("labels"))
    status = item.get("status")
    if not labels:
        return _rejected("an alert has no labels", item)
    if status not in ("firing", "resolved"):
        return _rejected(f"status {str(status)[:40]!r} is neither firing nor resolved", item)
    starts = parse_time(item.get("startsAt"))
    if starts is None:
        return _rejected("startsAt is not a time", item)
    ends = parse_time(item.get("endsAt"))
    given = item.get("fingerprint")
    mark = given if isinstance(given, str) and re.fullmatch(r"[0-9a-f]{8,32}", given) else None
    state: Firing = "firing" if status == "firing" else "resolved"
    return AlertRecord(
        mark or fingerprint(labels),
        labels.get("alertname", "unnamed"),
        state,
        labels.get("severity", ""),
        labels,
        _strings(item.get("annotations")) or {},
        starts,
        (ends or now) if state == "resolved" else None,
        now,
        source,
    )


def _rejected(reason: str, entry: object) -> Rejected:
    return Rejected(reason, json.dumps(entry, default=str)[:_TEXT])
