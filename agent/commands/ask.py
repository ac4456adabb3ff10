"""``steward ask``: one question, one answer."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from datetime import UTC, datetime
from typing import Any, cast

from agent.bootstrap import App
from agent.cli import FAILED, OK, PROPOSED
from agent.events import Actor, Event, Message, Notice, Proposed, Reply
from agent.language import language_of
from tools.contract import as_json


def run(options: argparse.Namespace) -> int:
    """Answer; exit 3 when a change was proposed."""
    app = App.start(fleet=options.fleet)
    text = " ".join(options.question)
    at = datetime.now(UTC)
    actor = terminal_actor(app)
    id = secrets.token_hex(8)
    conversation = options.conversation or f"terminal:{actor.name}"
    if options.new:
        conversation = f"{conversation}:{id}"
    message = Message(conversation, id, actor, text, at)
    events = list(app.assistant.handle(message))
    reply = cast("Reply", events[-1])
    if options.json:
        print(json.dumps(document(events), ensure_ascii=False, indent=2))
    else:
        _show(events, reply, cast("Any", language_of(text, cast("Any", app.fleet.language))), at)
    if reply.failed:
        return FAILED
    return PROPOSED if reply.proposed else OK


def terminal_actor(app: App) -> Actor:
    """Whoever sits at this terminal, by the name steward.yaml knows."""
    from agent import policy

    user = app.settings.user
    name = policy.identify("terminal", user, app.fleet.people) or user
    return Actor(name, "terminal", user)


def document(events: list[Event]) -> dict[str, Any]:
    """The stable JSON document of an answer."""
    reply = cast("Reply", events[-1])
    return {
        "answer": reply.text,
        "brain": reply.brain,
        "failed": reply.failed,
        "results": list(reply.data),
        "notices": [e.text for e in events if isinstance(e, Notice)],
        "proposals": [as_json(e.action) for e in events if isinstance(e, Proposed)],
        "usage": as_json(reply.usage),
    }


def _show(events: list[Event], reply: Reply, lang: Any, now: datetime) -> None:
    from agent.card import card

    for event in events:
        if isinstance(event, Notice):
            sys.stderr.write(f"({event.text})\n")
    print(reply.text)
    for event in events:
        if isinstance(event, Proposed):
            print()
            print(card(event.action, lang, now))
            said = (
                "批准：steward actions approve"
                if lang == "zh"
                else "approve: steward actions approve"
            )
            print(f"\n  {said} {event.action.number}")
