"""Scheduling a recurring summary: a durable row, computed next runs, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from tools.contract import Act, Call, Effect, Happened, Outcome, Phrases, Plan, Verdict, changing
from tools.errors import Unavailable
from tools.words import Channel, Word

if TYPE_CHECKING:
    from tools.world import World

When = Annotated[
    str, Word("when"), Field(max_length=120, description="cron line, e.g. 0 9 * * 1-5")
]


@dataclass(frozen=True, slots=True)
class ScheduleArguments:
    """When to post, and where."""

    when: When
    channel: Channel


@changing(ScheduleArguments)
class ScheduleSummary:
    """Schedule a recurring status summary to a channel or notice target."""

    effect: ClassVar[Effect] = Effect.CHANGE
    phrases: ClassVar[Phrases] = Phrases(
        en=(
            "send a summary to {channel} {when}",
            "schedule a summary {when} to {channel}",
            "post the summary in {channel} {when}",
            "{when} drop a status summary into {channel}",
            "I would like a summary in {channel} {when}",
            "schedule a recurring report {when} in {channel}",
            "set up a recap {when} for {channel}",
            "deliver a digest to {channel} {when}",
            "schedule a digest {when}",
            "{when} summary to {channel}",
            "report the status to {channel} {when}",
            "send summaries to {channel}",
            "schedule a summary",
        ),
        zh=(
            "{when} 往 {channel} 发总结",
            "{when} 在 {channel} 发周报",
            "定时日报，{when}，发到 {channel}",
            "{when} summary 到 {channel}",
            "请{when}在 {channel} 发送摘要",
            "安排 {when} 发 {channel} 的日报",
            "{when} 在 {channel} 推送状态汇总",
            "定个总结",
            "设置定时摘要 {when} 发到 {channel}",
            "{when} 给 {channel} 发一份汇总",
        ),
    )

    def plan(self, world: World, args: ScheduleArguments) -> Plan:
        """The row it would add, and the next three runs."""
        raise Unavailable("schedule_summary is not built yet.")

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Add the row, carrying the action's id."""
        raise Unavailable("schedule_summary is not built yet.")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """The row is there and its next run is computed."""
        raise Unavailable("schedule_summary is not built yet.")

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Unschedule it."""
        raise Unavailable("schedule_summary is not built yet.")

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Is there a row of this action?"""
        raise Unavailable("schedule_summary is not built yet.")
