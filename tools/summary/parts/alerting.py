"""What fired in the window, and what fires now."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tools.actions.wording import cut
from tools.alerts.base import alerts
from tools.amounts import plural, span
from tools.summary.part import Look, Part, Remark
from tools.words import Said
from tools.zone import short

if TYPE_CHECKING:
    from tools.alerts.base import AlertRecord
    from tools.words import Lang

TITLE = Said("Alerts", "告警")
SHOWN = 12


def collect(look: Look) -> Part:
    """Alerts of the window: those that fire first, then the resolved ones."""
    every = alerts(look.world).alerts(limit=1000)
    resolved = alerts(look.world).alerts("resolved", limit=1000)
    seen = {(a.fingerprint, a.starts_at): a for a in (*every, *resolved)}
    recent = [a for a in seen.values() if a.state == "firing" or _end(a) >= look.since]
    firing = [a for a in recent if a.state == "firing"]
    ordered = sorted(recent, key=lambda a: (a.state != "firing", -a.starts_at.timestamp()))
    lines = [Said(_line(a, look, "en"), _line(a, look, "zh")) for a in ordered[:SHOWN]]
    if len(ordered) > SHOWN:
        more = len(ordered) - SHOWN
        lines.append(Said(f"and {more} more", f"另有 {more} 条"))
    loud = [a for a in firing if not a.silenced_by]
    return Part(
        "alerts",
        TITLE,
        tuple(lines) or (Said("none fired.", "没有告警。"),),
        _remarks(loud),
        Said("no alert fires", "没有正在触发的告警") if not loud else None,
        {
            "firing": len(firing),
            "silenced": len(firing) - len(loud),
            "resolved": len(recent) - len(firing),
            "alerts": [
                {"name": a.name, "state": a.state, "severity": a.severity} for a in ordered[:SHOWN]
            ],
        },
    )


def _end(alert: AlertRecord) -> datetime:
    return alert.ends_at or alert.received_at


def _remarks(loud: list[AlertRecord]) -> tuple[Remark, ...]:
    if not loud:
        return ()
    names = list(dict.fromkeys(a.name for a in loud))
    few = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    verb = "fires" if len(loud) == 1 else "fire"
    said = Said(
        f"{plural(len(loud), 'alert')} {verb} ({few})", f"{len(loud)} 条告警正在触发（{few}）"
    )
    return (Remark("problem", said),)


def _line(alert: AlertRecord, look: Look, lang: Lang) -> str:
    zh = lang == "zh"
    begin = short(alert.starts_at, look.until, look.zone)
    told = alert.annotations.get("summary", "")
    told = f": {told}" if told and told != alert.name else ""
    what = f"{alert.name} [{alert.severity or '-'}]{told}"
    if alert.state == "firing":
        lasting = span(look.until - alert.starts_at, lang)
        silent = (", 已静默" if zh else ", silenced") if alert.silenced_by else ""
        state = f"触发中，已 {lasting}{silent}" if zh else f"firing for {lasting}{silent}"
        return cut(f"{begin} {state} · {what}", 98)
    lasting = span(_end(alert) - alert.starts_at, lang)
    state = f"已恢复，历时 {lasting}" if zh else f"resolved after {lasting}"
    return cut(f"{begin} {state} · {what}", 98)
