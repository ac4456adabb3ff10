"""How often a code was seen here lately: in the kernel log and in alerts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tools.alerts.base import alerts
from tools.alerts.signatures.line import parse_line
from tools.alerts.signatures.xid import find_xid
from tools.alerts.xids import Words
from tools.errors import ToolError
from tools.observe.base import telemetry

if TYPE_CHECKING:
    from tools.world import World

_WEEK = timedelta(days=7)


@dataclass(slots=True)
class Sightings:
    """When, and on which devices; ``missing`` says what could not be looked at."""

    times: list[datetime]
    devices: Counter[str]
    missing: Words | None = None


def sightings(world: World, code: int, category: str = "xid") -> Sightings:
    """Every time a code (``xid`` or ``sxid``) was seen in the last seven days."""
    now = world.clock.now()
    found = Sightings([], Counter())
    try:
        for line in telemetry(world).kernel_log(_WEEK):
            signature = find_xid(parse_line(line.text))
            if signature is None or signature.category != category or signature.code != code:
                continue
            found.times.append(line.at or now)
            found.devices[signature.device or "?"] += 1
    except ToolError as error:
        found.missing = Words(error.en, error.zh)
    port = alerts(world)
    for alert in (*port.named("GPUXidFatal"), *port.named("GPUXidApp")):
        if alert.labels.get("xid") == str(code) and now - alert.starts_at <= _WEEK:
            found.times.append(alert.starts_at)
            where = alert.labels.get("instance") or alert.labels.get("node") or "?"
            found.devices[f"{where} GPU {alert.labels.get('gpu', '?')}"] += 1
    return found
