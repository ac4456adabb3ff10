"""The tool that lists scheduled summaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tools.contract import Phrases, reading
from tools.schedules.base import schedules
from tools.schedules.cron import following, spoken
from tools.zone import moment, zone_named

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One schedule as a person asks about it."""

    name: str
    cron: str
    timezone: str
    channel: str
    source: str
    next_at: datetime | None
    last_at: datetime | None
    last_state: str | None
    last_note: str


@dataclass(frozen=True, slots=True)
class ScheduleList:
    """What is scheduled."""

    schedules: tuple[Scheduled, ...]

    def say(self, lang: Lang) -> str:
        """How many, when each runs next, and how the last run went."""
        if not self.schedules:
            return (
                "没有定时总结。例如可以说：每天 9 点往 <目标> 发总结。"
                if lang == "zh"
                else "No summary is scheduled. Ask, for example: send a summary to TARGET every day at 9."
            )
        lines = [_line(s, lang) for s in self.schedules]
        return "\n".join([_head(self.schedules, lang), *lines])


def _head(found: Sequence[Scheduled], lang: Lang) -> str:
    total = len(found)
    said = "summary is" if total == 1 else "summaries are"
    head = f"共有 {total} 个定时总结" if lang == "zh" else f"{total} {said} scheduled"
    coming = [(s.next_at, s) for s in found if s.next_at]
    if not coming:
        return head + ("。" if lang == "zh" else ".")
    at, first = min(coming, key=lambda pair: pair[0])
    when = moment(at, zone_named(first.timezone), lang)
    if lang == "zh":
        return f"{head}，下一次：{when}（{first.name}）。"
    return f"{head}; the next comes {when} ({first.name})."


def _line(s: Scheduled, lang: Lang) -> str:
    zone = zone_named(s.timezone)
    said = f"- {s.name}: {spoken(s.cron, lang)} ({s.timezone}) → {s.channel}"
    if s.next_at:
        said += f"{'，下次 ' if lang == 'zh' else ', next '}{moment(s.next_at, zone, lang)}"
    if s.last_at:
        state = _STATES[lang].get(s.last_state or "", s.last_state)
        label = "，上次 " if lang == "zh" else ", last "
        said += f"{label}{moment(s.last_at, zone, lang)} ({state})"
        if s.last_state == "failed" and s.last_note:
            said += f"\n  {s.last_note[:90]}"
    return said


_STATES: dict[str, dict[str, str]] = {
    "en": {"done": "posted", "running": "being posted", "failed": "failed"},
    "zh": {"done": "已发送", "running": "发送中", "failed": "失败"},
}


@reading(
    Phrases(
        en=(
            "list schedules",
            "list scheduled summaries",
            "which summaries are scheduled",
            "what reports are scheduled",
            "show the summary schedules",
            "when is the next summary",
            "when does the next scheduled report go out",
            "which recurring summaries do we have",
        ),
        zh=(
            "列出定时总结",
            "有哪些定时任务",
            "有哪些定时摘要",
            "定时汇总有哪些",
            "下一次总结什么时候发",
            "查看定时报告列表",
        ),
    )
)
def list_schedules(world: World) -> ScheduleList:
    """List scheduled summaries: when each runs next and how its last run went."""
    port, now = schedules(world), world.clock.now()
    found: list[Scheduled] = []
    for s in port.all():
        upcoming = following(s.cron, zone_named(s.timezone), now, 1)
        last = port.last_run(s.uid)
        found.append(
            Scheduled(
                s.name,
                s.cron,
                s.timezone,
                s.channel,
                s.source,
                upcoming[0] if upcoming else None,
                last.at if last else None,
                last.state if last else None,
                last.note if last else "",
            )
        )
    return ScheduleList(tuple(found))
