"""The policy, asked about a call, a decision or a start. Its trouble is a no, never a way through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from agent import policy
from agent.errors import NotAllowed, TooLate
from agent.events import Action, Actor
from agent.foresight import Foresight
from agent.ledger import Ledger
from agent.policy import Allowed, Ask, Denied, Recent
from agent.redaction import mask
from agent.say import state_words
from tools.contract import Call, Plan
from tools.fleet import Fleet
from tools.world import Clock

MOST = 2000
"""Actions of a day that are counted; the newest, where there were more."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rulings:
    """Pure rules (:mod:`agent.policy`) over what the ledger says of the last day."""

    foresight: Foresight
    clock: Clock
    fleet: Fleet
    ledger: Ledger

    def on(self, call: Call, plan: Plan) -> Ask | Allowed:
        """Who must say yes to ``call``; raises ``NotAllowed`` where nobody can."""
        effect = self.foresight.changing(call.tool).effect
        ruling = _asked(
            lambda: policy.rule(
                call, plan, effect, self.fleet.policy, self._recent(), self.clock.now()
            )
        )
        if isinstance(ruling, Denied):
            raise NotAllowed(ruling.en, ruling.zh)
        return ruling

    def on_decision(self, action: Action, actor: Actor, verdict: str) -> Denied | None:
        """Why ``actor`` may not decide ``action``."""
        return _asked(
            lambda: policy.may_decide(action, actor, verdict, self.fleet.policy, self.fleet.people)
        )

    def against_starting(self, action: Action) -> Denied | None:
        """Why ``action`` may not start now: breaker, freeze, budget, a used-up pre-approval."""
        if action.undoes:  # what Steward changed it may always put back
            return None
        return _asked(
            lambda: policy.hindrance(action, self.fleet.policy, self._recent(), self.clock.now())
        )

    def _recent(self) -> Recent:
        day = self.clock.now() - timedelta(days=1)
        resets = [e.at for e in self.ledger.entries(since=day, kind="breaker_reset")]
        found = self.ledger.find(states=sorted(policy.COUNTED), since=day, limit=MOST)
        return Recent(tuple(found), max(resets, default=None))


def _asked(question: Callable[[], T]) -> T | Denied:
    try:
        return question()
    except Exception as error:  # noqa: BLE001  a broken policy must not let anything pass
        why = f"{type(error).__name__}: {mask(str(error))[:120]}"
        return Denied(
            f"The policy could not be evaluated ({why}), so the answer is no.",
            f"策略无法求值（{why}），因此不予执行。",
        )


def too_late(action: Action) -> TooLate:
    """The polite answer to a decision that comes too late."""
    by = action.decisions[-1] if action.decisions else None
    yes = by is not None and by.verdict == "approve"
    who = f"{by.who} {'approved' if yes else 'rejected'} it at {by.at:%H:%M %Z}; " if by else ""
    zh_who = f"{by.who} 已于 {by.at:%H:%M %Z}{'批准' if yes else '拒绝'}；" if by else ""
    now, zh_now = state_words(action.state, "en"), state_words(action.state, "zh")
    return TooLate(
        f"Action {action.number} no longer waits for a decision: {who}now {now}.",
        f"操作 {action.number} 已不再等待决定：{zh_who}当前状态：{zh_now}。",
    )
