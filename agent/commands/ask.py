"""``steward ask``: one question, one answer; by the running service where there is one."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from agent.bootstrap import App
from agent.commands.exits import FAILED, OK, PROPOSED
from tools.columns import fit

if TYPE_CHECKING:
    from agent.events import Actor
    from tools.words import Lang


def run(options: argparse.Namespace) -> int:
    """Answer; exit 3 when a change was proposed."""
    app = App.start(fleet=options.fleet)
    text = " ".join(options.question)
    id = os.urandom(8).hex()
    conversation = options.conversation or home_conversation(app)
    if options.new:
        conversation = f"{conversation}:{id}"
    events = list(_events(app, text, conversation, id, own=bool(options.fleet)))
    reply = events[-1]
    if options.json:
        print(json.dumps(document(events), ensure_ascii=False, indent=2))
    else:
        _show(app, events, text)
    if reply["failed"]:
        return FAILED
    return PROPOSED if reply["proposed"] else OK


def home_conversation(app: App) -> str:
    """The conversation that ``steward chat`` and ``steward ask`` of one account share."""
    return f"terminal:{app.settings.user}"


def terminal_actor(app: App) -> Actor:
    """Whoever sits at this terminal, by the name steward.yaml knows."""
    from agent import policy
    from agent.events import Actor

    user = app.settings.user
    name = policy.identify("terminal", user, app.fleet.people) or user
    return Actor(name, "terminal", user)


def _events(
    app: App, text: str, conversation: str, id: str, *, own: bool
) -> Iterator[dict[str, Any]]:
    """The events of the turn as plain JSON, from the service or from this process."""
    from agent.fronts.client import ServiceClient

    client = None if own else ServiceClient.at(app.settings.home)
    if client is not None:
        yield from client.ask(text, conversation, id)
        return
    if app.settings.model is None:
        app.ahead()
    from agent.events import Message
    from agent.fronts.wire import event_json

    message = Message(conversation, id, terminal_actor(app), text, datetime.now(UTC))
    for event in app.assistant.handle(message):
        yield event_json(event)


def document(events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The stable JSON document of an answer."""
    reply = events[-1]
    return {
        "answer": reply["text"],
        "brain": reply["brain"],
        "failed": reply["failed"],
        "results": reply["data"],
        "notices": [e["text"] for e in events if e["type"] == "notice"],
        "proposals": [e["action"] for e in events if e["type"] == "proposed"],
        "usage": reply["usage"],
    }


def _show(app: App, events: Sequence[dict[str, Any]], text: str) -> None:
    for event in events:
        if event["type"] == "notice":
            sys.stderr.write(f"({event['text']})\n")
    print(fit(events[-1]["text"], min(100, shutil.get_terminal_size((100, 24)).columns)))
    for event in events:
        if event["type"] == "proposed":
            _show_card(app, event["action"]["number"], text)


def _show_card(app: App, number: int, text: str) -> None:
    from agent.card import card
    from agent.language import language_of

    lang = language_of(text, cast("Lang", app.fleet.language))
    said = "批准：steward actions approve" if lang == "zh" else "approve: steward actions approve"
    print(f"\n{card(app.ledger.get(number), lang, datetime.now(UTC))}")
    print(f"\n  {said} {number}")
