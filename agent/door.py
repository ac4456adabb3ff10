"""The door. Nothing in the world changes except through :meth:`Door.run`, and only after a yes.

How a change passes, in order; the methods below stand in this order:

    propose   plan the call (a pure look at the world), write the proposal down, ask people
    decide    a person says yes to one action number and digest; enough yeses approve it, once
              (or a person said it beforehand: :meth:`Door._approve_by_rule`; there is no third way)
    run       touches only what is APPROVED:
              1. ask the policy and the world again: changed since? then stale, offered anew
              2. write the intent down: of all racers one gets APPROVED → APPLYING
              3. apply, then verify (:mod:`agent.execution`); the effect carries the id
              4. undo what failed, where the approval said so

Planners hold a toolbox, which calls ``propose`` and nothing else here; ``decide`` is called where
people click and type, ``run`` by whoever finds an approved action. What a crash leaves between
APPLYING and the outcome is taken up by :mod:`agent.recovery` through :meth:`Door.finish`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from agent import reasons
from agent.errors import NotAllowed, TooLate
from agent.events import Action, Actor, Decision, State
from agent.execution import Execution
from agent.foresight import Foresight, answered
from agent.ledger import Ledger
from agent.policy import Allowed, Ask
from agent.record import because, digest, same_world
from agent.redaction import mask
from agent.rulings import Rulings, too_late
from agent.running import Held
from agent.work import Work
from tools.contract import Call, Happened, Json, Outcome
from tools.errors import BadArguments, Refused, ToolError
from tools.fleet import Fleet
from tools.world import World

STEWARD = Actor("steward", "door")


@dataclass(frozen=True, slots=True)
class Door:
    """Propose, decide, run. Everything it knows is in the ledger."""

    foresight: Foresight
    world: World
    fleet: Fleet
    ledger: Ledger
    work: Work
    owner: str
    """This process, as other processes can check it."""

    @property
    def rulings(self) -> Rulings:
        """The policy, asked so that its trouble is a no."""
        return Rulings(self.foresight, self.world.clock, self.fleet, self.ledger)

    @property
    def execution(self) -> Execution:
        """The hands: what carries an approved action out, and looks whether it worked."""
        return Execution(self.foresight, self.world, self.ledger, self.work, self.owner)

    def propose(
        self, call: Call, requester: Actor, conversation: str, key: str, undoes: int | None = None
    ) -> Action:
        """Plan ``call`` and write it down as a proposal; the same ``key`` proposes once.

        Raises:
            ToolError: the call is nonsense or impossible now; nothing was written.
            NotAllowed: no approval could make it possible.
        """
        call = self.foresight.resolve(call)
        plan = self.foresight.plan(call)
        call = Call(call.tool, {**call.args, **plan.pins})
        now = self.world.clock.now()
        expires = now + self.fleet.policy.expiry
        ruling = self.rulings.on(call, plan)
        asked = ruling if isinstance(ruling, Ask) else Ask(1, ())

        def build(number: int, identity: str) -> Action:
            return Action(
                number=number,
                id=identity,
                key=key,
                call=call,
                plan=plan,
                digest=digest(call, plan, expires),
                requester=requester,
                conversation=conversation,
                state=State.PROPOSED,
                created_at=now,
                changed_at=now,
                expires_at=expires,
                needed=asked.needed,
                approvers=asked.approvers,
                undoes=undoes,
            )

        action, new = self.ledger.propose(key, build)
        if new and isinstance(ruling, Allowed):
            return self._approve_by_rule(action, ruling.rule.author, ruling.rule.name)
        return action

    def decide(self, decision: Decision) -> Action:
        """Record one person's yes or no. A yes is for the digest the person saw, and used once.

        Raises:
            TooLate: already decided, expired, or not the action the person saw.
            NotAllowed: policy does not let this person decide, or nothing may start now.
        """
        action = self.expire(self.ledger.get(decision.action))
        if action.state is not State.PROPOSED:
            raise too_late(action)
        if decision.digest != action.digest:
            raise TooLate(
                f"Action {action.number} is not the one you saw; look at it again, then decide.",
                f"操作 {action.number} 与您看到的内容不一致；请重新查看后再决定。",
            )
        denied = self.rulings.on_decision(action, decision.actor, decision.verdict)
        if denied is None and decision.verdict == "approve":
            denied = self.rulings.against_starting(action)
        if denied:
            raise NotAllowed(denied.en, denied.zh)
        body: dict[str, Json] = {"reason": mask(decision.reason), "front": decision.actor.front}
        after = self.ledger.append(
            action.number, decision.verdict, decision.actor.name, body, expect=[State.PROPOSED]
        )
        if after is None:
            raise too_late(self.ledger.get(action.number))
        return after

    def _approve_by_rule(self, action: Action, author: str, name: str) -> Action:
        """The yes that a person gave beforehand: a rule of steward.yaml, or "undo it if it fails"."""
        body: dict[str, Json] = {"rule": name, "front": "door", "reason": f"pre-approved: {name}"}
        approved = self.ledger.append(
            action.number, "approve", author, body, expect=[State.PROPOSED]
        )
        return approved or self.ledger.get(action.number)

    def run(self, number: int) -> Action:
        """Carry out an approved action to its end. Anything but an approved action is left alone.

        Safe to call from any number of processes: the one that writes APPLYING down does the
        work. Never raises for what goes wrong in the world; the returned action says it.
        """
        action = self.expire(self.ledger.get(number))
        if action.state is not State.APPROVED:
            return action
        if ended := self._end_if_changed(action):
            return ended
        began = self.ledger.append(
            action.number,
            State.APPLYING,
            self.owner,
            expect=[State.APPROVED],
            also=self.work.taking(action.number, self.owner),
        )
        if began is None:
            busy, zh = reasons.ELSEWHERE
            return replace(self.ledger.get(number), reason=busy, reason_zh=zh)
        return self.finish(began)

    def _end_if_changed(self, action: Action) -> Action | None:
        """Ask policy and world once more; what is no longer as approved is ended here."""
        try:
            denied = self.rulings.against_starting(action)
            if denied:
                return self.end(action, State.REJECTED, denied.en, denied.zh)
            look = partial(self.foresight.plan, action.call)
            fresh = answered(self.world.clock, look) if action.undoes else look()
        except ToolError as error:
            return self.end(action, State.STALE, *reasons.no_longer(error))
        if not same_world(action.plan, fresh):
            return self.end(action, State.STALE, *reasons.changed_since(action))
        return None

    def finish(self, action: Action) -> Action:
        """Take an action that ``run`` began, and this process holds, on to its outcome.

        What is not APPLYING or APPLIED is not begun here: a proposal stays a proposal.
        """
        with Held(self.work, action.number, self.owner):
            action = self.execution.finish(action)
            if action.state in (State.UNVERIFIED, State.FAILED):
                action = self._undo_failed(action)
        return action

    def _undo_failed(self, action: Action) -> Action:
        """Undo what failed, if its approval said so; the undo is a linked action of its own."""
        if not self.to_undo(action) or self.foresight.happened(action) is Happened.NO:
            return action
        tried = self.ledger.find(undoes=action.number)
        try:
            ask = partial(self.propose_undo, action.number, STEWARD)
            undo = tried[0] if tried else answered(self.world.clock, ask)
        except ToolError as error:
            return self._keep(action, error)
        if undo.state is State.PROPOSED:
            who = ", ".join(action.approved_by)
            undo = self._approve_by_rule(undo, who, f"approval of action {action.number}")
        self.run(undo.number)
        return self.ledger.get(action.number)

    def to_undo(self, action: Action) -> bool:
        """Whether a failure of this action is undone by itself: once, and where it was approved."""
        wanted = action.plan.undo_on_failure and not (action.undone_by or action.undoes)
        if not wanted or action.kept:
            return False
        tried = self.ledger.find(undoes=action.number)
        return not (tried and tried[0].done)  # a second attempt is a person's choice

    def _keep(self, action: Action, error: ToolError) -> Action:
        """Say why it was not undone; where the world forbids it, that is for good."""
        said, zh = (mask(text) for text in reasons.not_undone(action, error))
        if isinstance(error, Refused | BadArguments):  # and not an outage, or policy for now
            expect = [action.state]
            kept = self.ledger.append(
                action.number, "kept", self.owner, because(said, zh), expect=expect
            )
            return kept or self.ledger.get(action.number)
        return replace(action, reason=said, reason_zh=zh)

    def propose_undo(self, number: int, requester: Actor) -> Action:
        """Propose the undo of an action: an action of its own, linked to the first."""
        action = self.ledger.get(number)
        if action.state not in (State.VERIFIED, State.UNVERIFIED, State.FAILED):
            raise TooLate(
                f"Action {number} is {action.state}; there is nothing to undo.",
                f"操作 {number} 处于 {action.state} 状态，没有可撤销的内容。",
            )
        change = self.foresight.change(action.call.tool)
        if not callable(change.undo):
            raise reasons.irreversible(number, change.undo)
        call = cast("Call", change.undo(self.world, action.plan, action.outcome or Outcome("")))
        ended = [a for a in self.ledger.find(undoes=number) if a.done]
        key = f"undo:{action.id}:{len(ended)}"
        return self.propose(call, requester, action.conversation, key, undoes=number)

    def expire(self, action: Action) -> Action:
        """The action, expired if its time is over. An unused yes expires too."""
        waiting = action.state in (State.PROPOSED, State.APPROVED)
        if not waiting or self.world.clock.now() < action.expires_at:
            return action
        return self.end(action, State.EXPIRED, *reasons.expired(action))

    def end(self, action: Action, state: State, reason: str, zh: str) -> Action:
        """Move to ``state`` with one sentence why, in both languages."""
        return self.ledger.move(action, state, self.owner, because(reason, zh))
