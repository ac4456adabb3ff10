"""The tool that reports how everything is and what happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from tools.actions.card import folded
from tools.columns import columns
from tools.contract import Phrases, reading
from tools.errors import ToolError
from tools.fleet import UNNAMED
from tools.observe.wording import span
from tools.summary.gathering import Task, gather
from tools.summary.part import Look, Missing, Part
from tools.summary.parts import alerting, changes, drift, machine, serving, training
from tools.words import Said, Window, parse_window
from tools.zone import moment, zone_named, zone_of

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World


PATIENCE = 8.0
"""Seconds for all parts together."""
HEADLINES = 3


@dataclass(frozen=True, slots=True)
class StatusSummary:
    """How everything is and what happened in a window."""

    fleet: str
    window: str
    since: datetime
    until: datetime
    timezone: str
    parts: tuple[Part, ...]
    missing: tuple[Missing, ...]

    @property
    def well(self) -> bool:
        """No problem was seen (what could not be collected was not seen)."""
        return not any(r.weight == "problem" for p in self.parts for r in p.remarks)

    def say(self, lang: Lang) -> str:
        """Is all well? Then what changed, fired, waits and runs."""
        zh = lang == "zh"
        lines = [_headline(self, lang), _period(self, lang)]
        brief = [one for part in self.parts if (one := _one_line(part, lang))]
        for part in self.parts:
            if not _one_line(part, lang):
                said = [f"- {line.in_(lang)}" for line in part.lines]
                lines += ["", part.title.in_(lang), *said]
        lines += ["", *brief] if brief else []
        if self.missing:
            lines += ["", "未能获取" if zh else "Could not be collected"]
            stop = "：" if zh else ": "
            lines += [f"- {m.title.in_(lang)}{stop}{m.reason.in_(lang)}" for m in self.missing]
        return "\n".join(
            piece for line in lines for row in line.split("\n") for piece in folded(row)
        )


def _headline(summary: StatusSummary, lang: Lang) -> str:
    zh = lang == "zh"
    remarks = [r for p in summary.parts for r in p.remarks]
    problems = [r.said.in_(lang) for r in remarks if r.weight == "problem"]
    notes = [r.said.in_(lang) for r in remarks if r.weight == "note"]
    good = [p.well.in_(lang) for p in summary.parts if p.well]
    told = problems or (notes + good)
    comma = "；" if zh else "; "
    rest = len(told) - HEADLINES
    more = ""
    if problems and rest > 0:
        more = f"，另有 {rest} 项" if zh else f"; and {rest} more"
    said = comma.join(told[: HEADLINES if problems else 4]) + more
    if problems:
        head = "并非一切正常：" if zh else "Not all is well: "
    elif summary.missing:
        head = "就所见而言一切正常" if zh else "As far as could be seen, all is well"
        head += ("：" if zh else ": ") if said else ""
    else:
        head = (
            ("一切正常：" if zh else "All is well: ")
            if said
            else ("一切正常" if zh else "All is well")
        )
    tail = f"{comma}{notes[0]}" if problems and notes else ""
    return f"{head}{said}{tail}" + ("。" if zh else ".")


def _period(summary: StatusSummary, lang: Lang) -> str:
    until = moment(summary.until, zone_named(summary.timezone), lang)
    if lang == "zh":
        where = "本机" if summary.fleet == UNNAMED else summary.fleet
        return f"{where}，截至 {until} 的最近 {span(parse_window(summary.window), 'zh')}"
    return f"{summary.fleet}, the last {span(parse_window(summary.window))} to {until}"


def _one_line(part: Part, lang: Lang) -> str:
    """The whole part on one line, or nothing where it takes more or deserves a section."""
    title = part.title.in_(lang)
    ill = any(r.weight == "problem" for r in part.remarks)
    if ill or len(part.lines) != 1 or part.facts.get("actions"):
        return ""
    stop = "：" if lang == "zh" else ": "
    said = f"{title}{stop}{part.lines[0].in_(lang)}"
    return said if columns(said) <= 100 else ""


@reading(
    Phrases(
        en=(
            "summary",
            "status summary",
            "what happened today?",
            "give me a summary of the last {window}",
            "what happened in the last {window}",
            "how are we doing",
            "is everything ok?",
            "what did I miss",
            "what happened overnight",
            "handover summary",
            "sitrep",
            "catch me up on the last {window}",
            "how does everything look overall",
            "tldr of the last {window}",
            "anything I should know from last night?",
            "overall status of the fleet",
            "recap of the past {window}",
            "brief me",
            "what is new since {window}",
            "how did the night go",
            "state of the fleet",
        ),
        zh=(
            "总结一下",
            "今天发生了什么",
            "最近 {window} 的总结",
            "过去 {window} 发生了什么",
            "整体情况怎么样",
            "一切正常吗",
            "昨晚有什么大事吗",
            "给我一份状态汇总",
            "交接班摘要",
            "最近 {window} 的情况汇总",
            "简单说说 {window} 的情况",
            "我错过了什么",
            "大家都好吗，整体状态如何",
            "出个日报",
        ),
    )
)
def status_summary(world: World, window: Window = "24h") -> StatusSummary:
    """Summarise a window: health, changes, alerts, jobs, GPUs, drift, and what waits for approval."""
    return summarise(world, window)


def summarise(world: World, window: str, seconds: float = PATIENCE) -> StatusSummary:
    """The summary, waiting at most ``seconds`` for its parts together."""
    until = world.clock.now()
    zone = zone_of(world.fleet)
    look = Look(world, until - parse_window(window), until, zone)
    parts, missing = gather(_tasks(look), seconds)
    return StatusSummary(
        world.fleet.name, window, look.since, until, zone.key, _merged(parts), missing
    )


def _tasks(look: Look) -> list[Task]:
    return [
        Task("changes", changes.TITLE, lambda: changes.collect(look)),
        Task("waiting", changes.WAITING, lambda: changes.waiting(look)),
        Task("alerts", alerting.TITLE, lambda: alerting.collect(look)),
        *_serving(look),
        Task("jobs", training.TITLE, lambda: training.collect(look)),
        Task("gpus", machine.GPUS, lambda: machine.gpus(look)),
        Task("host", machine.HOST, lambda: machine.host(look)),
        Task("drift", drift.TITLE, lambda: drift.collect(look)),
    ]


def _serving(look: Look) -> list[Task]:
    try:
        platforms = serving.platforms(look)
    except ToolError as error:
        reason = error
        return [Task("deployments", Said("Deployments", "部署"), lambda: _raise(reason))]
    return [
        Task(
            f"deployments:{platform.name}",
            serving.title(platform.name),
            partial(serving.collect, platform),
        )
        for platform in platforms
    ]


def _raise(error: ToolError) -> Part:
    raise error


def _merged(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """What needs a person before what merely is."""
    order = {"changes": 2, "waiting": 1, "alerts": 3}

    def rank(part: Part) -> tuple[int, int]:
        ill = any(r.weight == "problem" for r in part.remarks)
        return (0 if ill else 1, order.get(part.name, 4))

    return tuple(sorted(parts, key=rank))
