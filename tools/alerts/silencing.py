"""Silences: a change like any other, with a preview of whom it hides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from tools.alerts.base import Silence, alerts
from tools.alerts.silences import matchers_of, shown, silences_of, stored_matchers, target_of
from tools.amounts import plural
from tools.contract import (
    Act,
    Call,
    Effect,
    Happened,
    Outcome,
    Phrases,
    Plan,
    PlanWords,
    Verdict,
    changing,
)
from tools.errors import Refused
from tools.words import Alert, Said, Window, parse_window

if TYPE_CHECKING:
    from tools.world import World

LONGEST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class SilenceArguments:
    """Which alert, for how long."""

    alert: Alert
    duration: Window


@changing(SilenceArguments)
class SilenceAlert:
    """Silence an alert for a duration: it still fires, but nobody is notified."""

    effect: ClassVar[Effect] = Effect.CHANGE
    phrases: ClassVar[Phrases] = Phrases(
        en=(
            "silence {alert} for {duration}",
            "mute {alert} for {duration}",
            "snooze {alert} {duration}",
            "stop paging me about {alert} for the next {duration}",
            "shut up {alert} for {duration}",
            "hush {alert} for {duration}",
            "suppress {alert} for {duration}",
            "acknowledge {alert} and keep it quiet for {duration}",
            "quiet {alert} for {duration}, I am on it",
            "do not notify about {alert} for {duration}",
        ),
        zh=(
            "把 {alert} 静默 {duration}",
            "静音 {alert} {duration}",
            "{alert} 先别报警，屏蔽 {duration}",
            "屏蔽告警 {alert} {duration}",
            "{alert} 暂停通知 {duration}",
            "接下来 {duration} 不要再发 {alert} 告警",
            "抑制 {alert} {duration}",
        ),
    )

    def plan(self, world: World, args: SilenceArguments) -> Plan:
        """Which alerts it would hide, and until when."""
        length = parse_window(args.duration)
        if length > LONGEST:
            raise Refused(
                f"A silence lasts at most {LONGEST.days} days; {args.duration} is longer. "
                "Change the rule instead if the alert is not wanted.",
                f"静默最长 {LONGEST.days} 天；{args.duration} 过长。若不再需要该告警，请修改规则。",
            )
        matchers, hidden = matchers_of(world, args.alert)
        already = silences_of(world, matchers)
        warnings: tuple[Said, ...] = ()
        if already:
            en = f"Already in force for it: {plural(len(already), 'silence')}."
            warnings += (Said(en, f"已有 {len(already)} 个静默对它生效。"),)
        if any(a.severity == "critical" for a in hidden):
            en = "It is a critical alert: nobody will be paged for it."
            warnings += (Said(en, "这是严重告警：不会有人因它被呼叫。"),)
        name = matchers["alertname"]
        return Plan(
            target=target_of(name, matchers, already),
            title=f"Silence {shown(matchers)} for {args.duration}",
            diff=f"- {name} notifies\n+ {name} is silent for {args.duration}",
            blast_radius=f"{plural(len(hidden), 'firing alert')} hidden now, and new ones like them",
            undo=f"lift the silence of {name}",
            verification="the silence is listed as active",
            deadline=timedelta(seconds=30),
            warnings=tuple(w.en for w in warnings),
            zh=PlanWords(
                f"静默 {shown(matchers)} {args.duration}",
                f"目前隐藏 {len(hidden)} 个正在触发的告警，以及之后的同类告警",
                f"解除 {name} 的静默",
                "该静默显示为生效",
                tuple(w.zh for w in warnings),
            ),
            details={"matchers": dict(matchers), "seconds": length.total_seconds()},
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Put it in force, from now."""
        act.check()
        now = world.clock.now()
        matchers = stored_matchers(plan)
        seconds = plan.details["seconds"]
        assert isinstance(seconds, (int, float))
        wanted = Silence(
            "", matchers, now, now + timedelta(seconds=seconds), "steward", plan.title, act.id
        )
        made = alerts(world).silence(wanted)
        until = f"{wanted.ends_at:%Y-%m-%d %H:%M} UTC"
        act.progress(f"Silence {made} is in force until {until}.", 1.0)
        zh = f"{shown(matchers)} 静默至 {until}。"
        return Outcome(f"{shown(matchers)} is silent until {until}.", {"silence": made}, zh=zh)

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """It is listed and active."""
        wanted = str(outcome.details["silence"])
        ends = world.clock.now() + plan.deadline
        while True:
            act.check()
            port = alerts(world)
            held = next((s for s in port.silences() if s.id == wanted), None)
            if held:
                until = f"{held.ends_at:%Y-%m-%d %H:%M} UTC"
                zh = f"静默 {wanted} 生效至 {until}。"
                return Verdict(True, f"Silence {wanted} is active until {until}.", zh=zh)
            if world.clock.now() >= ends:
                said = port.trouble or Said("It is not listed.", "没有列出该静默。")
                return Verdict(
                    False,
                    f"Silence {wanted}: {said.en}",
                    "silence not in force",
                    zh=f"静默 {wanted}：{said.zh}",
                    cause_zh="静默未生效",
                )
            world.clock.sleep(1.0)

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Lift it."""
        args = {
            "alert": stored_matchers(plan)["alertname"],
            "silence": str(outcome.details["silence"]),
        }
        return Call("unsilence_alert", args)

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Is there a silence of this action?"""
        port = alerts(world)
        held = port.silences()
        if any(s.action_id == action_id for s in held):
            return Happened.YES
        return Happened.UNSURE if port.trouble else Happened.NO
