"""``steward actions``: the ledger, for people and pipelines."""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from agent.bootstrap import App
from agent.card import card
from agent.commands.ask import terminal_actor
from agent.commands.exits import FAILED, OK, PROPOSED
from agent.commands.watching import Spoken, tell
from agent.errors import TooLate
from agent.events import OPEN, Action, Decision, Event, Notice, Proposed, State
from agent.redaction import visible
from agent.say import outcome_line, state_words
from tools.columns import columns
from tools.contract import as_json
from tools.errors import BadArguments
from tools.words import Lang, parse_window


def run(options: argparse.Namespace) -> int:
    """Dispatch on the verb; the default is ``list``."""
    app = App.start(fleet=options.fleet)
    verb = options.verb or "list"
    return int(_VERBS[verb](app, options))


def _list(app: App, options: argparse.Namespace) -> int:
    states: Sequence[State] = ()
    wanted = getattr(options, "state", None)
    if wanted == "waiting":
        states = (State.PROPOSED,)
    elif wanted == "open":
        states = tuple(OPEN)
    elif wanted:
        if wanted not in [s.value for s in State]:
            known = ", ".join(s.value for s in State)
            raise BadArguments(f"There is no state {wanted!r}; states are: {known}.")
        states = (State(wanted),)
    since = None
    if getattr(options, "since", None):
        try:
            since = datetime.now(UTC) - parse_window(options.since)
        except ValueError as error:
            raise BadArguments(f"--since: {error}.") from None
    found = app.ledger.find(states=states, since=since)
    if options.json:
        return _document([as_json(a) for a in found])
    if not found:
        return _print("No actions.")
    lang = cast("Lang", app.fleet.language)
    for action in found:
        _print(
            f"{action.number:>5}  {action.changed_at:%m-%d %H:%M}  "
            f"{_padded(state_words(action.state, lang))}  {visible(action.plan.words(lang).title)}"
        )
    return OK


def _padded(state: str) -> str:
    return f"{state[:26]}{' ' * max(0, 26 - columns(state))}"


def _show(app: App, options: argparse.Namespace) -> int:
    action = app.door.expire(app.ledger.get(options.number))
    return _document(as_json(action)) if options.json else _card(app, action)


def _approve(app: App, options: argparse.Namespace) -> int:
    action = app.ledger.get(options.number)
    if options.digest and not action.digest.startswith(options.digest):
        raise TooLate(f"Action {action.number} has the digest {action.digest[:12]}…, not that one.")
    if not options.json:
        _card(app, action)
    actor = terminal_actor(app)
    decided = app.assistant.decide(Decision(action.number, action.digest, actor, "approve"))
    if decided.state is not State.APPROVED:
        said = f"{len(decided.approved_by)} of {decided.needed} said yes; another person must."
        return _document(as_json(decided)) if options.json else _print(said)
    if options.detach:
        return _detach(action.number)
    return _carry_out(app, action.number, options.json)


def _detach(number: int) -> int:
    import subprocess

    subprocess.Popen(
        [sys.executable, "-m", "agent", "actions", "run", str(number)],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return _print(f"Action {number} runs on its own; steward actions show {number} tells how far.")


def _run(app: App, options: argparse.Namespace) -> int:
    return _carry_out(app, options.number, options.json)


def _carry_out(app: App, number: int, as_document: bool) -> int:
    """Run it in a thread, so that Ctrl-C leaves the watching, never the action, half done."""
    thread = threading.Thread(target=app.assistant.run, args=(number,), name=f"run-{number}")
    thread.start()
    spoken, lang = Spoken(), cast("Lang", app.fleet.language)
    while True:
        try:
            for event in app.assistant.follow(number):
                spoken = tell(event, spoken, lang)
            thread.join()
            break
        except KeyboardInterrupt:
            sys.stderr.write(
                f"\nAction {number} goes on to its next safe point; waiting for it. "
                f"(steward actions cancel {number} asks it to stop.)\n"
            )
    action = app.ledger.get(number)
    events = list(app.assistant.report(action))
    if as_document:
        _document({**cast("dict[str, Any]", as_json(action)), "next": _next(events)})
    else:
        _print(outcome_line(action, lang))
        _show_next(app, events)
    if action.state is not State.VERIFIED:
        return FAILED
    return PROPOSED if any(isinstance(e, Proposed) for e in events) else OK


def _next(events: Sequence[Event]) -> list[Any]:
    return [as_json(e.action) for e in events if isinstance(e, Proposed)]


def _show_next(app: App, events: Sequence[Event]) -> None:
    for event in events:
        if isinstance(event, Notice):
            _print(event.text)
        elif isinstance(event, Proposed):
            _print("")
            _card(app, event.action)


def _reject(app: App, options: argparse.Namespace) -> int:
    action = app.ledger.get(options.number)
    decision = Decision(action.number, action.digest, terminal_actor(app), "reject", options.reason)
    return _result(app, app.assistant.decide(decision), options)


def _cancel(app: App, options: argparse.Namespace) -> int:
    actor = terminal_actor(app)
    return _result(app, app.assistant.recovery.cancel(options.number, actor), options)


def _undo(app: App, options: argparse.Namespace) -> int:
    action = app.door.propose_undo(options.number, terminal_actor(app))
    if options.json:
        _document(as_json(action))
    else:
        _card(app, action)
    return PROPOSED


def _settle(app: App, options: argparse.Namespace) -> int:
    actor = terminal_actor(app)
    happened = options.happened == "yes"
    return _result(app, app.assistant.recovery.settle(options.number, actor, happened), options)


def _result(app: App, action: Action, options: argparse.Namespace) -> int:
    app.assistant.settled(action)
    if options.json:
        return _document(as_json(action))
    return _print(outcome_line(action, cast("Lang", app.fleet.language)))


def _verify(app: App, options: argparse.Namespace) -> int:
    audit = app.ledger.verify()
    if options.json:
        _document(as_json(audit))
    elif audit.faults:
        _print("The ledger was altered: " + "; ".join(audit.faults) + ".")
    else:
        _print(
            f"The ledger is whole: {audit.lines} lines, {audit.actions} actions, head "
            f"{audit.head[:16]}…"
        )
    return FAILED if audit.faults else OK


def _export(app: App, _options: argparse.Namespace) -> int:
    for entry in app.ledger.entries():
        _print(json.dumps(as_json(entry), ensure_ascii=False))
    return OK


def _reset(app: App, _options: argparse.Namespace) -> int:
    app.assistant.recovery.reset_breaker(terminal_actor(app))
    return _print("The circuit breaker is closed.")


def _card(app: App, action: Action) -> int:
    return _print(card(action, cast("Lang", app.fleet.language), datetime.now(UTC)))


def _document(value: Any) -> int:
    return _print(json.dumps(value, ensure_ascii=False, indent=2))


def _print(text: str) -> int:
    print(text, flush=True)
    return OK


_VERBS = {
    "list": _list,
    "show": _show,
    "approve": _approve,
    "reject": _reject,
    "cancel": _cancel,
    "undo": _undo,
    "settle": _settle,
    "verify": _verify,
    "export": _export,
    "reset": _reset,
    "run": _run,
}
