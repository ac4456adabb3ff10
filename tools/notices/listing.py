"""The tool that lists notice targets and what was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tools.contract import Phrases, reading
from tools.notices.base import Notice, NoticeTarget, notices
from tools.zone import short, zone_named, zone_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from tools.words import Lang
    from tools.world import World


@dataclass(frozen=True, slots=True)
class Sent:
    """One notice as a person asks about it."""

    id: str
    target: str
    severity: str
    state: str
    created_at: datetime
    next_try: datetime | None
    attempts: int
    error: str
    beginning: str


@dataclass(frozen=True, slots=True)
class NoticeList:
    """Targets and recent notices."""

    targets: tuple[NoticeTarget, ...]
    notices: tuple[Sent, ...]
    now: datetime
    timezone: str

    def say(self, lang: Lang) -> str:
        """What was delivered, what still waits, and where notices can go."""
        zone = zone_named(self.timezone)
        lines = [_head(self.notices, lang)]
        lines += [_line(n, self.now, zone, lang) for n in self.notices]
        lines.append("可用目标：" if lang == "zh" else "Targets:")
        lines += [f"- {t.name} ({t.kind}, {t.address})"[:100] for t in self.targets]
        return "\n".join(lines)


def _head(found: Sequence[Sent], lang: Lang) -> str:
    waiting = sum(n.state in ("queued", "sending") for n in found)
    failed = sum(n.state == "failed" for n in found)
    if not found:
        return "还没有发过通知。" if lang == "zh" else "No notice has been sent yet."
    if lang == "zh":
        return f"最近 {len(found)} 条通知：{waiting} 条待发，{failed} 条失败。"
    if not waiting and not failed:
        return f"Delivered: all of the last {len(found)} notices."
    return f"Of the last {len(found)} notices {waiting} wait and {failed} failed."


def _line(n: Sent, now: datetime, zone: ZoneInfo, lang: Lang) -> str:
    words = _STATES[lang].get(n.state, n.state)
    said = f"- {short(n.created_at, now, zone)} {n.target}: {words}"
    if n.next_try:
        again = "下次尝试" if lang == "zh" else "next try"
        said += f", {again} {short(n.next_try, now, zone)}"
    said += f": {n.beginning}"
    return said[:99] + (f"\n  {n.error[:96]}" if n.error else "")


_STATES: dict[str, dict[str, str]] = {
    "en": {},
    "zh": {
        "queued": "待发",
        "sending": "发送中",
        "delivered": "已送达",
        "failed": "失败",
        "cancelled": "已取消",
    },
}


@reading(
    Phrases(
        en=(
            "list notices",
            "which notices were sent",
            "was the notice delivered",
            "which notices are still queued",
            "which notice targets are there",
            "where can you send notices",
            "show the outbox",
            "did the message go out",
        ),
        zh=(
            "列出通知",
            "发过哪些通知",
            "通知送达了吗",
            "哪些通知还没发出去",
            "可以通知哪些目标",
            "查看发件箱",
        ),
    )
)
def list_notices(world: World) -> NoticeList:
    """List notice targets, and which notices were delivered, wait or failed."""
    port = notices(world)
    sent = tuple(_sent(n) for n in port.recent(20))
    zone = zone_of(world.fleet).key
    return NoticeList(tuple(port.targets()), sent, world.clock.now(), zone)


def _sent(n: Notice) -> Sent:
    waits = n.next_try if n.state == "queued" else None
    beginning = n.text.strip().splitlines()[0][:80] if n.text.strip() else ""
    return Sent(
        n.id, n.target, n.severity, n.state, n.created_at, waits, n.attempts, n.error, beginning
    )
