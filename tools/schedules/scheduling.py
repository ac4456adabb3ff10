"""Scheduling a recurring summary: a durable row, computed next runs, and the way back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from tools.contract import (
    Act,
    Call,
    Effect,
    Happened,
    Outcome,
    Phrases,
    Plan,
    PlanWords,
    Target,
    Verdict,
    changing,
)
from tools.errors import BadArguments
from tools.notices.base import notices
from tools.schedules.base import Schedule, schedules
from tools.schedules.cron import following, parse, rhythm, shortest_gap, spoken
from tools.schedules.written import policy
from tools.words import Channel, Said, Word
from tools.zone import moment, zone_named, zone_of

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
        zone = zone_of(world.fleet)
        line, zone = parse(args.when, zone)
        target = notices(world).target(args.channel)
        port = schedules(world)
        name = _free_name(port.all(), line, zone.key, target.name)
        missed, grace = policy(world.fleet)
        upcoming = following(line, zone, world.clock.now(), 3)
        runs = ", ".join(moment(at, zone, "en") for at in upcoming)
        runs_zh = "、".join(moment(at, zone, "zh") for at in upcoming)
        warnings = _warnings(line)
        return Plan(
            target=Target("schedule", name, "new", "absent"),
            title=f"Post a status summary to {target.name} {spoken(line, 'en')} ({zone.key})",
            diff=f"+ {name}: {line} ({zone.key}) to {target.name} ({target.kind})",
            blast_radius=f"one message to {target.address} per run; the next: {runs}",
            undo=f"unschedule {name}",
            verification="read the schedule back and compute its next run",
            deadline=timedelta(seconds=15),
            undo_on_failure=True,
            warnings=tuple(w.en for w in warnings),
            zh=PlanWords(
                f"{spoken(line, 'zh')}向 {target.name} 发送状态汇总（{zone.key}）",
                f"每次向 {target.address} 发送一条消息；接下来：{runs_zh}",
                f"取消定时汇总 {name}",
                "读回该定时并算出下次运行时间",
                tuple(w.zh for w in warnings),
            ),
            details={
                "name": name,
                "cron": line,
                "timezone": zone.key,
                "channel": target.name,
                "missed": missed,
                "grace": int(grace.total_seconds()),
            },
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Add the row, carrying the action's id."""
        facts = plan.details
        schedules(world).add(
            Schedule(
                uid=act.id,
                name=str(facts["name"]),
                cron=str(facts["cron"]),
                timezone=str(facts["timezone"]),
                channel=str(facts["channel"]),
                window="24h",
                since=world.clock.now(),
                missed="skip" if facts["missed"] == "skip" else "catch_up",
                grace=timedelta(seconds=int(str(facts["grace"]))),
            )
        )
        name = facts["name"]
        return Outcome(f"scheduled as {name}", {"name": name}, zh=f"已定时，名称为 {name}")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """The row is there and its next run is computed."""
        name = str(plan.details["name"])
        found = [s for s in schedules(world).all() if s.name == name and s.uid == act.id]
        if not found:
            en, zh = f"no schedule {name} of this action is kept", f"没有保存本操作的定时 {name}"
            return Verdict(False, en, "not stored", zh=zh, cause_zh="未保存")
        zone = zone_named(found[0].timezone)
        upcoming = following(found[0].cron, zone, world.clock.now(), 1)
        if not upcoming:
            zh = f"{name} 没有下次运行时间"
            return Verdict(
                False, f"{name} has no next run", "never due", zh=zh, cause_zh="永不到期"
            )
        return Verdict(
            True,
            f"{name} runs next {moment(upcoming[0], zone, 'en')}",
            zh=f"{name} 下次运行：{moment(upcoming[0], zone, 'zh')}",
        )

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Unschedule it."""
        return Call("unschedule_summary", {"name": str(plan.details["name"])})

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Is there a row of this action?"""
        return Happened.YES if schedules(world).made_by(action_id) else Happened.NO


def _free_name(kept: Sequence[Schedule], line: str, zone: str, channel: str) -> str:
    for schedule in kept:
        if (schedule.cron, schedule.timezone, schedule.channel) == (line, zone, channel):
            raise BadArguments(
                f"That summary is scheduled already, as {schedule.name}.",
                f"该总结已经定时，名为 {schedule.name}。",
            )
    slug = re.sub(r"[^a-z0-9]+", "-", channel.lower()).strip("-") or "channel"
    base = f"{rhythm(line)}-{slug}"
    taken = {s.name for s in kept}
    names = (base if n == 1 else f"{base}-{n}" for n in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _warnings(line: str) -> tuple[Said, ...]:
    serve = Said(
        "Summaries are posted by steward serve; while it is not running, none is.",
        "汇总由 steward serve 发送；它未运行时不会发送。",
    )
    if shortest_gap(line) >= timedelta(minutes=30):
        return (serve,)
    often = Said(
        f"That is a message {spoken(line, 'en')}; people stop reading such channels.",
        f"这意味着{spoken(line, 'zh')}一条消息；这样的频道很快就没人看了。",
    )
    return serve, often
