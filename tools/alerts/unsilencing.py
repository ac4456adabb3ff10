"""Lifting silences: the way back from :mod:`tools.alerts.silencing`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from tools.alerts.base import alerts
from tools.alerts.silences import matchers_of, silences_of, stored_matchers, target_of
from tools.amounts import plural
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
    Verdict,
    changing,
)
from tools.errors import BadArguments
from tools.words import Alert

if TYPE_CHECKING:
    from tools.world import World


@dataclass(frozen=True, slots=True)
class UnsilenceArguments:
    """Which alert may notify again; one silence of it, or all."""

    alert: Alert
    silence: Annotated[str | None, Field(description="id of one silence")] = None


@changing(UnsilenceArguments)
class UnsilenceAlert:
    """Lift the silences of an alert, so that it notifies again."""

    effect: ClassVar[Effect] = Effect.CHANGE
    phrases: ClassVar[Phrases] = Phrases(
        en=(
            "unsilence {alert}",
            "unmute {alert}",
            "lift the silence on {alert}",
            "remove the silence for {alert}",
            "end the silence of {alert}",
            "turn notifications for {alert} back on",
            "stop muting {alert}",
            "let {alert} page again",
        ),
        zh=(
            "取消 {alert} 的静默",
            "解除 {alert} 静默",
            "恢复 {alert} 的通知",
            "{alert} 不要再静音了",
            "取消屏蔽 {alert}",
            "让 {alert} 重新报警",
        ),
    )

    def plan(self, world: World, args: UnsilenceArguments) -> Plan:
        """Which silences would end."""
        matchers, hidden = matchers_of(world, args.alert)
        name = matchers["alertname"]
        found = [s for s in silences_of(world, matchers) if args.silence in (None, s.id)]
        if not found:
            raise BadArguments(
                f"{name} is not silenced; list_alerts silenced shows what is.",
                f"{name} 没有被静默；可列出已静默的告警查看。",
            )
        ids = ", ".join(sorted(s.id for s in found))
        return Plan(
            target=target_of(name, matchers, found),
            title=f"Lift the silence of {name}",
            diff=f"- {name} is silent ({ids})\n+ {name} notifies",
            blast_radius=f"{plural(len(hidden), 'firing alert')} may notify again",
            undo=f"silence {name} again for the time that was left",
            verification="no silence of it is in force",
            zh=PlanWords(
                f"解除 {name} 的静默",
                f"{len(hidden)} 个正在触发的告警可能再次通知",
                f"按剩余时间重新静默 {name}",
                "它没有任何生效的静默",
            ),
            deadline=timedelta(seconds=30),
            details={
                "matchers": dict(matchers),
                "ends": {s.id: s.ends_at.timestamp() for s in found},
            },
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """End them."""
        left = 0.0
        now = world.clock.now().timestamp()
        ends = _ends(plan)
        for silence, until in ends.items():
            act.check()
            alerts(world).lift(silence)
            left = max(left, until - now)
        name = stored_matchers(plan)["alertname"]
        facts: dict[str, Json] = {"left": left, "silences": list(ends)}
        return Outcome(f"{name} notifies again.", facts, zh=f"{name} 恢复通知。")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """None of them is in force."""
        wanted = set(_ends(plan))
        until = world.clock.now() + plan.deadline
        while True:
            act.check()
            port = alerts(world)
            left = sorted(s.id for s in port.silences() if s.id in wanted)
            if not left and port.trouble is None:
                en = f"{plural(len(wanted), 'silence')} lifted; none is in force."
                return Verdict(True, en, zh=f"已解除 {len(wanted)} 个静默；没有生效的静默。")
            if world.clock.now() >= until:
                en, zh = f"still in force: {', '.join(left)}", f"仍在生效：{'、'.join(left)}"
                if port.trouble:
                    en, zh = port.trouble.en, port.trouble.zh
                return Verdict(False, en, "silence not lifted", zh=zh, cause_zh="静默未解除")
            world.clock.sleep(1.0)

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Silence it again for the time that was left."""
        left = outcome.details["left"]
        assert isinstance(left, (int, float))
        duration = f"{max(1, int(left // 60))}m"
        return Call(
            "silence_alert", {"alert": stored_matchers(plan)["alertname"], "duration": duration}
        )

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Are they gone?"""
        port = alerts(world)
        live = {s.id for s in port.silences()}
        if port.trouble:
            return Happened.UNSURE
        return Happened.NO if live & set(_ends(plan)) else Happened.YES


def _ends(plan: Plan) -> dict[str, float]:
    raw = plan.details["ends"]
    assert isinstance(raw, dict)
    return {str(k): float(v) for k, v in raw.items() if isinstance(v, (int, float))}
