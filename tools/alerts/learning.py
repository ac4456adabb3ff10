"""Learning: a person says what it was, and the next diagnosis knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from tools.contract import Act, Call, Effect, Happened, Outcome, Phrases, Plan, Verdict, changing
from tools.words import Alert, Text

if TYPE_CHECKING:
    from tools.world import World


@dataclass(frozen=True, slots=True)
class CauseArguments:
    """What it was, and for which alert."""

    cause: Annotated[Text, Field(description="the confirmed cause, in your words")]
    alert: Alert | None = None
    withdraw: Annotated[bool, Field(description="take an earlier verdict back")] = False


@changing(CauseArguments)
class RecordCause:
    """Record the confirmed cause of an alert, so that later diagnoses weigh it more."""

    effect: ClassVar[Effect] = Effect.CHANGE
    phrases: ClassVar[Phrases] = Phrases(
        en=(
            "it was {cause}",
            "the cause of {alert} was {cause}",
            "record that {alert} was caused by {cause}",
            "root cause confirmed: {cause}",
            "for the record, {alert} turned out to be {cause}",
            "note that the reason for {alert} was {cause}",
            "remember: {alert} was {cause}",
            "mark {cause} as the cause of {alert}",
        ),
        zh=(
            "原因是 {cause}",
            "{alert} 的原因是 {cause}",
            "记录一下，{alert} 是 {cause} 引起的",
            "根因确认：{cause}",
            "记住 {alert} 是因为 {cause}",
            "{alert} 最后查出来是 {cause}",
        ),
    )

    def plan(self, world: World, args: CauseArguments) -> Plan:
        """Which cause of which playbook it is, and how the prior would move."""
        raise NotImplementedError

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Keep it."""
        raise NotImplementedError

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """It is there."""
        raise NotImplementedError

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Withdraw it."""
        raise NotImplementedError

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Is a verdict of this action there?"""
        raise NotImplementedError
