"""What the HTTP API works with, and what it does in plain words, free of any web framework."""

from __future__ import annotations

import os
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from agent.assistant import Assistant
from agent.errors import NotAllowed, TooLate
from agent.events import Action, Actor, Decision, Event, Message, Notice, Proposed, Reply
from agent.fronts.http_callers import Caller, Token, bearer, local
from agent.fronts.http_limits import Limits
from agent.fronts.metrics import Metrics
from agent.fronts.notes import IncidentDesk
from agent.fronts.wire import action_json, action_of, actions_of
from tools.contract import Json
from tools.errors import BadArguments, Failed, Refused, ToolError, Unavailable

SlackEvents = Callable[[bytes, Mapping[str, str]], Awaitable[tuple[int, Mapping[str, str], bytes]]]
STATUS: tuple[tuple[type[ToolError], int, str], ...] = (
    (BadArguments, 400, "bad_arguments"),
    (NotAllowed, 403, "not_allowed"),
    (TooLate, 409, "too_late"),
    (Refused, 409, "refused"),
    (Unavailable, 503, "unavailable"),
    (Failed, 502, "failed"),
)


@dataclass
class Desk:
    """The assistant and what else requests need."""

    assistant: Assistant
    user: str
    """The account behind the unix socket, as settings know it."""
    tokens: tuple[Token, ...] = ()
    limits: Limits = field(default_factory=Limits)
    metrics: Metrics = field(default_factory=Metrics)
    receive_alerts: Callable[[Mapping[str, Json]], object] | None = None
    """Stores an Alertmanager delivery durably before it returns."""
    alerts_arrived: Callable[[], None] = lambda: None
    incidents: IncidentDesk | None = None
    slack_events: SlackEvents | None = None
    approved: Callable[[], None] = lambda: None
    """Wakes the workers that run approved actions."""
    parts: Callable[[], Awaitable[Mapping[str, str]]] | None = None
    """State of the fronts for readiness; a value other than ``ok`` is not ready."""
    mcp: Any = None
    """An ASGI application for ``/mcp``, or ``None``."""

    def caller(self, peer: str, authorization: str | None) -> Caller | None:
        """Who calls: the unix peer, or the bearer of a token."""
        if peer.startswith("uid:"):
            return local(peer, self.user, os.geteuid(), self.assistant)
        return bearer(authorization, self.tokens, self.assistant)

    def message(self, caller: Caller, text: str, conversation: str, id: str | None) -> Message:
        """A caller's words as a message."""
        at = self.assistant.door.world.clock.now()
        named = caller.conversation(conversation)
        return Message(named, id or uuid.uuid4().hex, caller.actor, text, at)

    def answer(self, message: Message) -> dict[str, Json]:
        """The whole answer to a message."""
        reply = Reply("", "offline", failed=True)
        proposed: list[int] = []
        notices: list[Json] = []
        for event in self.assistant.handle(message):
            match event:
                case Reply():
                    reply = event
                case Proposed(action):
                    proposed.append(action.number)
                case Notice(text):
                    notices.append(text)
                case _:
                    pass
        numbers = dict.fromkeys([*proposed, *reply.proposed])
        return {
            "conversation": message.conversation,
            "id": message.id,
            "text": reply.text,
            "failed": reply.failed,
            "brain": reply.brain,
            "proposed": [action_json(action_of(self.assistant, n)) for n in numbers],
            "notices": notices,
            "data": [dict(d) for d in reply.data],
        }

    def action(self, number: int) -> Action:
        """One action."""
        return action_of(self.assistant, number)

    def actions(self, states: list[str], hours: float | None, limit: int) -> list[dict[str, Json]]:
        """Actions, newest first."""
        since = None
        if hours is not None:
            since = self.assistant.door.world.clock.now() - timedelta(hours=hours)
        return [action_json(a) for a in actions_of(self.assistant, states, since, limit)]

    def decide(self, actor: Actor, number: int, digest: str, verdict: str, reason: str) -> Action:
        """Record a decision; an approved action is run by the workers."""
        said = "approve" if verdict == "approve" else "reject"
        action = self.assistant.decide(Decision(number, digest, actor, said, reason))
        self.approved()
        return action

    def follow(self, number: int) -> Iterator[Event]:
        """Progress and changes of an action until its outcome."""
        return self.assistant.follow(number)


def status_of(error: ToolError) -> tuple[int, str]:
    """The HTTP status and the stable word of an error."""
    for kind, status, code in STATUS:
        if isinstance(error, kind):
            return status, code
    return 500, "error"
