"""Silences: a change like any other, with a preview of whom it hides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from tools.contract import Act, Call, Effect, Happened, Outcome, Phrases, Plan, Verdict, changing
from tools.words import Alert, Window

if TYPE_CHECKING:
    from tools.world import World


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
        """Which alerts it would hide."""
        raise NotImplementedError

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Put it in force."""
        raise NotImplementedError

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """It is listed and active."""
        raise NotImplementedError

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Lift it."""
        raise NotImplementedError

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Is there a silence of this action?"""
        raise NotImplementedError


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
        raise NotImplementedError

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """End them."""
        raise NotImplementedError

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """None of them is in force."""
        raise NotImplementedError

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Silence it again for the time that was left."""
        raise NotImplementedError

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Are they gone?"""
        raise NotImplementedError
