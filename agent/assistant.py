"""The one use case: a message comes in, an answer and proposals go out; a decision is carried out.

Fronts call :meth:`Assistant.handle`, :meth:`Assistant.decide`, :meth:`Assistant.follow` and
:meth:`Assistant.report`, and show the events. No I/O of its own: everything it needs is given.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from agent import policy
from agent.conversations import Conversations, Line
from agent.door import Door
from agent.events import (
    Action,
    Actor,
    Changed,
    Decision,
    Event,
    Message,
    Notice,
    Progress,
    Proposed,
    Reply,
    Seen,
    State,
)
from agent.following import came_of, fill, held_after
from agent.language import language_of
from agent.record import canonical
from agent.recovery import Recovery
from agent.redaction import mask
from agent.say import held_line, outcome_line, refused_line, usage_line
from agent.toolbox import Toolbox
from agent.turn import Planner, Turn
from tools.contract import Call, Json
from tools.errors import ToolError
from tools.words import Lang

RECENT = 120
"""Rows of a conversation that a turn reads: some thirty turns, so that the thousandth costs the same."""


@dataclass
class Assistant:
    """Listens, thinks, asks and answers."""

    door: Door
    conversations: Conversations
    toolbox: Toolbox
    planner: Callable[[], Planner]
    """Built when first needed: importing a language model library takes a second."""
    _locks: dict[str, threading.Lock] = field(default_factory=dict[str, threading.Lock])

    @property
    def recovery(self) -> Recovery:
        """Cancel, settle, reset, reconcile."""
        return Recovery(self.door)

    def person(self, front: str, identity: str) -> str | None:
        """The name in steward.yaml behind a front's identity, or ``None``."""
        return policy.identify(front, identity, self.door.fleet.people)

    def handle(self, message: Message) -> Iterator[Event]:
        """Answer a message. The same message id is answered once; the answer is repeated."""
        lock = self._locks.setdefault(message.conversation, threading.Lock())
        with lock:
            said, who = mask(message.text), message.actor.name
            new = self.conversations.add(message.conversation, message.id, "user", said, who=who)
            answer = None if new else self.conversations.line(message.conversation, _of(message.id))
            if answer is not None:
                yield _reply(answer)
                return
            history = self.conversations.lines(message.conversation, RECENT)
            yield from self._think(message, [line for line in history if line.id != message.id])

    def _think(self, message: Message, history: Sequence[Line]) -> Iterator[Event]:
        default = cast("Lang", self.door.fleet.language)
        turn = Turn(message, history, self.toolbox, language_of(message.text, default))
        reply: Reply | None = None
        try:
            for event in self.planner().run(turn):
                if isinstance(event, Reply):
                    reply = event
                else:
                    self._remember(message, event)
                    yield event
        except ToolError as error:
            reply = Reply(error.say(turn.lang), "offline", failed=True)
        if reply is None:
            reply = Reply("Nothing came of it; please ask again.", "offline", failed=True)
        self._keep(message.conversation, _of(message.id), reply)
        yield reply

    def _remember(self, message: Message, event: Event) -> None:
        if isinstance(event, Seen):
            told = canonical([event.call.tool, dict(event.call.args)])
            key = f"{message.id}/{hashlib.sha256(told.encode()).hexdigest()[:12]}"
            facts: dict[str, Json] = {"ok": event.ok}
            self.conversations.add(
                message.conversation, key, "tool", event.text, call=event.call, facts=facts
            )
        elif isinstance(event, Proposed):
            self._announce(event.action)

    def _announce(self, action: Action) -> None:
        self.conversations.add(
            action.conversation,
            f"action-{action.number}/proposed",
            "event",
            f"Proposed as action {action.number}: {action.plan.title}",
            call=action.call,
            facts={"action": action.number, "state": action.state.value},
        )

    def _keep(self, conversation: str, id: str, reply: Reply) -> None:
        from tools.contract import as_json

        facts: dict[str, Json] = {
            "brain": reply.brain,
            "proposed": list(reply.proposed),
            "failed": reply.failed,
            "usage": as_json(reply.usage),
            **dict(reply.facts),
        }
        self.conversations.add(
            conversation, id, "assistant", reply.text, who="steward", facts=facts
        )

    def decide(self, decision: Decision) -> Action:
        """Record one person's yes or no; raises ``ToolError`` with the reason when it is refused.

        An approved action does not run here: give its number to :meth:`run`.
        """
        return self.door.decide(decision)

    def run(self, number: int) -> Action:
        """Carry out an approved action to its end (blocking), and tell its conversation."""
        action = self.door.run(number)
        self.settled(action)
        return action

    def settled(self, action: Action) -> None:
        """Write an outcome into the conversation it came from, once."""
        if not action.done:
            return
        facts: dict[str, Json] = {"action": action.number, "state": action.state.value}
        facts["outcome"] = came_of(action)
        self.conversations.add(
            action.conversation,
            f"action-{action.number}/{action.state}",
            "event",
            outcome_line(action, cast("Lang", self.door.fleet.language)),
            call=action.call,
            facts=facts,
        )

    def follow(self, number: int, every: float = 0.25) -> Iterator[Event]:
        """Progress and state changes of an action until its outcome, from the ledger.

        Works whoever carries it out. The last event is ``Changed`` with the outcome.
        """
        last: Progress | None = None
        state: State | None = None
        while True:
            action = self.door.ledger.get(number)
            progress = self.door.work.progress(number)
            if progress and (last is None or progress != last):
                last = progress
                yield progress
            if action.state is not state:
                state = action.state
                yield Changed(action)
            if action.done and not self._undoing(action):
                return
            self.door.world.clock.sleep(every)

    def _undoing(self, action: Action) -> bool:
        if action.undone_by or action.state not in (State.UNVERIFIED, State.FAILED):
            return False
        return any(not a.done for a in self.door.ledger.find(undoes=action.number))

    def report(self, action: Action, lang: Lang | None = None) -> Iterator[Event]:
        """What follows from an outcome: a stale change offered anew, the next step of a plan."""
        self.settled(action)
        lang = lang or cast("Lang", self.door.fleet.language)
        if action.state is State.STALE:
            yield from self._offer(action.call, action, f"again:{action.id}", lang)
        held = held_after(self.conversations.lines(action.conversation), action.number)
        if not held:
            return
        if action.state is not State.VERIFIED:
            yield Notice(held_line(held, action, lang))
            return
        first = fill(held[0], action, self.toolbox.accepts(held[0].tool))
        proposed = list(self._offer(first, action, f"next:{action.id}", lang))
        yield from proposed
        numbers = [e.action.number for e in proposed if isinstance(e, Proposed)]
        if numbers and held[1:]:
            self._hold(action.conversation, numbers[0], held[1:])

    def _offer(self, call: Call, after: Action, key: str, lang: Lang) -> Iterator[Event]:
        try:
            action = self.toolbox.propose_for(call, after.requester, after.conversation, key)
        except ToolError as error:
            yield Notice(refused_line(call, error, lang))
            return
        self._announce(action)
        yield Proposed(action)

    def _hold(self, conversation: str, action: int, calls: Sequence[Call]) -> None:
        held = [{"tool": c.tool, "args": dict(c.args)} for c in calls]
        facts = cast("dict[str, Json]", {"after": action, "held": held})
        self.conversations.add(conversation, f"held-{action}", "event", "", facts=facts)

    def usage(self, conversation: str, lang: Lang) -> str:
        """What a conversation cost at the language model, in one line."""
        turns = [line.facts.get("usage") for line in self.conversations.lines(conversation, 5000)]
        return usage_line(
            [cast("Mapping[str, float]", u) for u in turns if isinstance(u, dict)], lang
        )

    def reconcile(self) -> list[Action]:
        """After a start: finish what was interrupted, and tell the conversations."""
        taken = self.recovery.reconcile()
        for action in taken:
            self.settled(action)
        return taken


def _of(id: str) -> str:
    """The id of the answer to a message."""
    return f"{id}/answer"


def _reply(line: Line) -> Reply:
    proposed = cast("list[int]", line.facts.get("proposed", []))
    brain = "model" if line.facts.get("brain") == "model" else "offline"
    return Reply(line.text, brain, tuple(proposed), bool(line.facts.get("failed")))


def person_or(assistant: Assistant, front: str, identity: str) -> Actor:
    """The actor behind an identity; a stranger keeps the identity as the name."""
    name = assistant.person(front, identity) or identity
    return Actor(name, front, identity)  # type: ignore[arg-type]
