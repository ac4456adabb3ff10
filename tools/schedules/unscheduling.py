"""Ending a recurring summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from tools.contract import Act, Call, Effect, Happened, Outcome, Phrases, Plan, Verdict, changing
from tools.errors import Unavailable
from tools.words import Word

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
        raise Unavailable("unschedule_summary is not built yet.")

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """End it, carrying the action's id."""
        raise Unavailable("unschedule_summary is not built yet.")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """The row is gone from what will run."""
        raise Unavailable("unschedule_summary is not built yet.")

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Schedule it again."""
        raise Unavailable("unschedule_summary is not built yet.")

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Was it ended by this action?"""
        raise Unavailable("unschedule_summary is not built yet.")
