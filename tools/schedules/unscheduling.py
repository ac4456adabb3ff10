"""Ending a recurring summary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from tools.contract import (
    Act,
    Call,
    Effect,
    Happened,
    Json,
    Outcome,
    Phrases,
    Plan,
    PlanWords,
    Target,
    Verdict,
    changing,
)
from tools.errors import Refused
from tools.schedules.base import Schedule, schedules
from tools.schedules.cron import spoken
from tools.words import Word
from tools.zone import zone_of

if TYPE_CHECKING:
    from tools.world import World

ScheduleName = Annotated[
    str, Word("schedule"), Field(max_length=200, description="name of a scheduled summary")
]


@dataclass(frozen=True, slots=True)
class UnscheduleArguments:
    """Which schedule to end."""

    name: ScheduleName


@changing(UnscheduleArguments)
class UnscheduleSummary:
    """Stop a scheduled summary by its name."""

    effect: ClassVar[Effect] = Effect.CHANGE
    phrases: ClassVar[Phrases] = Phrases(
        en=(
            "unschedule the summary {name}",
            "stop the scheduled summary {name}",
            "remove the {name} summary schedule",
            "cancel scheduled summary {name}",
            "drop the summary schedule {name}",
            "delete the recurring summary named {name}",
            "turn off the {name} scheduled summary",
            "no more {name} summaries",
            "stop sending the {name} summary",
            "unschedule {name}",
            "nobody reads the {name} summary, stop it",
            "end the recurring report {name}",
        ),
        zh=(
            "取消定时总结 {name}",
            "{name} 这个定时汇总不要了",
            "把 {name} 的定时摘要删掉",
            "停掉名为 {name} 的定期总结",
            "移除定时摘要 {name}",
            "不用再发 {name} 日报了",
            "关闭定时总结 {name}",
            "删除定时报告 {name}",
        ),
    )

    def plan(self, world: World, args: UnscheduleArguments) -> Plan:
        """The row it would end."""
        schedule = schedules(world).named(args.name)
        if schedule.source == "file":
            raise Refused(
                f"{schedule.name} is written in steward.yaml (schedules.summaries); remove it "
                "there.",
                f"{schedule.name} 写在 steward.yaml（schedules.summaries）中，请在文件里删除。",
            )
        line = f"{schedule.cron} ({schedule.timezone}) to {schedule.channel}"
        return Plan(
            target=Target("schedule", schedule.name, schedule.uid, line),
            title=f"Stop the summary {schedule.name} ({spoken(schedule.cron, 'en')})",
            diff=f"- {schedule.name}: {line}",
            blast_radius=f"{schedule.channel} gets no more of these summaries",
            undo=f"schedule it again: {line}",
            verification="look that it is no longer among the schedules",
            zh=PlanWords(
                f"停止定时汇总 {schedule.name}（{spoken(schedule.cron, 'zh')}）",
                f"{schedule.channel} 不再收到这份汇总",
                f"重新定时：{schedule.cron}（{schedule.timezone}），发往 {schedule.channel}",
                "确认它已不在定时列表中",
            ),
            deadline=timedelta(seconds=15),
            details={"uid": schedule.uid, "name": schedule.name, **_again(world, schedule)},
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """End it, carrying the action's id."""
        port, name = schedules(world), plan.details["name"]
        if not port.end(str(plan.details["uid"]), act.id) and not port.ended_by(act.id):
            return Outcome(f"{name} had been stopped already", zh=f"{name} 此前已停止")
        return Outcome(f"{name} stopped", {"name": name}, zh=f"{name} 已停止")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """The row is gone from what will run."""
        name, uids = plan.details["name"], {s.uid for s in schedules(world).all()}
        if plan.details["uid"] in uids:
            zh = f"{name} 仍在定时列表中"
            en = f"{name} is still scheduled"
            return Verdict(False, en, "still in force", zh=zh, cause_zh="仍然生效")
        zh = f"{name} 已不在定时列表中；还剩 {len(uids)} 个"
        return Verdict(True, f"{name} is no longer scheduled; {len(uids)} remain", zh=zh)

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Schedule it again."""
        again = {"when": plan.details["when"], "channel": plan.details["channel"]}
        return Call("schedule_summary", again)

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Was it ended by this action?"""
        return Happened.YES if schedules(world).ended_by(action_id) else Happened.NO


def _again(world: World, schedule: Schedule) -> dict[str, Json]:
    own = schedule.timezone == zone_of(world.fleet).key
    when = schedule.cron if own else f"CRON_TZ={schedule.timezone} {schedule.cron}"
    return {"when": when, "channel": schedule.channel}
