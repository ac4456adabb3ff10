"""list_events: what happened lately, from every source, on one time line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.contract import Phrases, reading
from tools.observe import wording as say
from tools.observe.timeline import Happening, Timeline, gather
from tools.words import Lang, Target, Window, parse_window

if TYPE_CHECKING:
    from tools.world import World

_PHRASES = Phrases(
    en=(
        "list events",
        "show recent events",
        "what events are there for {target}",
        "events of {target}",
        "what happened to {target}",
        "what happened to {target} in the last {window}",
        "show the events of the last {window}",
        "show events of {target} from the last {window}",
        "any warnings lately",
        "did anything restart",
    ),
    zh=(
        "列出事件",
        "最近有什么事件",
        "{target} 的事件",
        "{target} 发生了什么",
        "{target} 最近 {window} 发生了什么",
        "最近 {window} 的事件",
        "最近有什么告警事件吗",
    ),
)


_SHOWN = 40


@dataclass(frozen=True, slots=True)
class EventsFinding:
    """What happened, oldest first."""

    target: str | None
    window: str
    timeline: Timeline

    def say(self, lang: Lang) -> str:
        """How many and how many warnings, then the time line."""
        zh = lang == "zh"
        events = self.timeline.happenings
        span = say.span(parse_window(self.window), lang)
        bad = sum(e.warning for e in events)
        if not events:
            about = self.target or ""
            first = (
                f"最近 {span} {about} 没有任何事件。".replace("  ", " ")
                if zh
                else f"Nothing happened{' to ' + about if about else ''} in the last {span}."
            )
        elif zh:
            about = f"{self.target} " if self.target else ""
            first = f"{about}最近 {span}有 {len(events)} 个事件，其中 {bad} 个警告："
        else:
            about = f" of {self.target}" if self.target else ""
            first = f"{len(events)} event(s){about} in the last {span}, {bad} of them warnings:"
        lines = [first, *(_line(e) for e in events[-_SHOWN:])]
        if len(events) > _SHOWN:
            rest = len(events) - _SHOWN
            lines.insert(1, f"（更早的 {rest} 个未显示）" if zh else f"({rest} earlier not shown)")
        silent = self.timeline.silent_zh if zh else self.timeline.silent
        lines += [f"未能查询：{s}" if zh else f"Could not be asked: {s}" for s in silent]
        return say.fold(lines)


def _line(event: Happening) -> str:
    sign = "!" if event.warning else " "
    count = f" (x{event.count})" if event.count > 1 else ""
    target = f" {event.target}" if event.target and event.target not in event.text else ""
    return f"{sign} {event.at:%H:%M:%S} {event.source}{target}: {event.text}{count}"


@reading(_PHRASES)
def list_events(world: World, target: Target | None = None, window: Window = "2h") -> EventsFinding:
    """Events of deployments, jobs, the kernel and Steward's own actions on one time line."""
    return EventsFinding(target, window, gather(world, parse_window(window), target))
