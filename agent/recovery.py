"""What people and restarts do to actions under way: cancel, settle, reset, reconcile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from agent.door import Door
from agent.errors import NotAllowed
from agent.events import Action, Actor, Decision, State
from agent.record import because, same_world
from agent.rulings import too_late
from agent.running import Held
from tools.contract import Happened
from tools.errors import ToolError

FRESH = timedelta(seconds=60)
"""How long the verdict of an interrupted process is believed."""
RESUMABLE = (State.PROPOSED, State.APPROVED, State.APPLYING, State.APPLIED, State.UNVERIFIED)


@dataclass(frozen=True, slots=True)
class Recovery:
    """The ways back onto the road."""

    door: Door

    def cancel(self, number: int, actor: Actor) -> Action:
        """Withdraw a waiting action, or ask a running one to stop at its next safe point."""
        door = self.door
        action = door.ledger.get(number)
        denied = door.rulings.on_decision(action, actor, "reject")
        if denied:
            raise NotAllowed(denied.en, denied.zh)
        if action.state is State.PROPOSED:
            return door.decide(Decision(number, action.digest, actor, "reject", "withdrawn"))
        if action.state is State.APPROVED:
            said, zh = f"withdrawn by {actor.name}", f"被 {actor.name} 撤回"
            return door.end(action, State.REJECTED, said, zh)
        running = [State.APPLYING, State.APPLIED]
        asked = door.ledger.append(number, "cancel", actor.name, expect=running)
        if asked is None:
            raise too_late(action)
        return asked

    def settle(self, number: int, actor: Actor, happened: bool) -> Action:
        """A person answers what the world could not: did an ``unknown`` action take effect?"""
        door = self.door
        action = door.ledger.get(number)
        denied = door.rulings.on_decision(action, actor, "reject")
        if denied:
            raise NotAllowed(denied.en, denied.zh)
        said = f"{actor.name} says it {'took' if happened else 'did not take'} effect"
        zh = f"{actor.name} 确认它{'已' if happened else '未'}生效"
        body = because(said, zh)
        if happened:
            body["outcome"] = {"summary": said, "details": {}, "zh": zh}
        state = State.APPLIED if happened else State.FAILED
        after = door.ledger.append(number, state, actor.name, body, expect=[State.UNKNOWN])
        if after is None:
            raise too_late(action)
        return door.finish(after) if happened else after

    def reset_breaker(self, actor: Actor) -> None:
        """A person closes the circuit breaker."""
        if actor.front in ("scheduler", "alert", "door"):
            raise NotAllowed("Only a person resets the circuit breaker.", "只有人可以重置熔断器。")
        self.door.ledger.note("breaker_reset", actor.name, {"front": actor.front})

    def reconcile(self) -> list[Action]:
        """After a start: finish what was interrupted. Returns the actions it took up.

        What the world says did not happen is begun again if its approval still holds; what it
        says happened is completed under the same id, which tools make harmless; what it cannot
        tell becomes ``unknown`` and waits for a person.
        """
        taken: list[Action] = []
        for action in reversed(self.door.ledger.find(states=RESUMABLE, limit=1000)):
            fresh = self.door.expire(action)
            if fresh.state in (State.PROPOSED, State.EXPIRED):
                continue
            if self.door.work.take(action.number, self.door.owner):
                taken += self._resume_held(action.number)
        return taken

    def _resume_held(self, number: int) -> list[Action]:
        work, me = self.door.work, self.door.owner
        action = self.door.ledger.get(number)
        # Approved when it was found, it may have been begun elsewhere since: whoever writes
        # APPLYING takes the lease in the same transaction, so the lease is asked after the state.
        if work.busy(number, me):
            return []
        try:
            return [self._resume(action)]
        finally:
            work.drop(number, me)

    def _resume(self, action: Action) -> Action:
        match action.state:
            case State.APPROVED:
                return self.door.run(action.number)
            case State.APPLYING:
                return self._resume_applying(action)
            case State.APPLIED:
                return self.door.finish(action)
            case State.UNVERIFIED:
                return self._resume_unverified(action)
            case _:
                return action

    def _resume_unverified(self, action: Action) -> Action:
        """Undo what was not verified, after another look where the last one is long ago.

        Credentials may have been renewed since, or what was waited for has come: the world is
        asked again before acting. While it does not answer, or shows no effect, nothing is done.
        """
        door = self.door
        if not door.to_undo(action) or door.foresight.happened(action) is not Happened.YES:
            return action
        if door.world.clock.now() - action.changed_at <= FRESH:
            return door.finish(action)
        with Held(door.work, action.number, door.owner):
            return door.finish(door.execution.verify(action))

    def _resume_applying(self, action: Action) -> Action:
        door = self.door
        happened = door.foresight.happened(action)
        if happened is Happened.UNSURE:
            return door.end(
                action,
                State.UNKNOWN,
                "Steward was interrupted while it ran, and the world cannot tell whether it took "
                "effect.",
                "执行期间 Steward 被中断，环境无法确认它是否已生效。",
            )
        if happened is Happened.NO and not self._still_wanted(action):
            return door.end(
                action,
                State.FAILED,
                "Steward was interrupted before it took effect, and its approval no longer holds.",
                "Steward 在其生效之前被中断，而批准已失效。",
            )
        return door.finish(action)

    def _still_wanted(self, action: Action) -> bool:
        if self.door.world.clock.now() >= action.expires_at:
            return False
        try:
            return same_world(action.plan, self.door.foresight.plan(action.call))
        except ToolError:
            return False
