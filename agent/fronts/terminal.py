"""The terminal chat: questions, streamed answers, approval cards, live progress.

Speaks events only. The prompt appears before anything heavy is loaded; that happens in the
background while a person reads and types. Without a terminal (a pipe) it is a plain line-by-line
dialogue. Nothing that comes from the world is ever interpreted as markup or as an escape.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TextIO

from agent.card import card
from agent.errors import TooLate
from agent.events import (
    Action,
    Actor,
    Decision,
    Event,
    Looking,
    Message,
    Notice,
    Proposed,
    Replace,
    Reply,
    State,
    Text,
)
from agent.fronts.terminal_threads import UnderWay, heard
from agent.fronts.terminal_words import HELP, Words, words
from agent.language import language_of
from agent.redaction import visible
from agent.say import outcome_line, state_words
from tools.columns import fit
from tools.errors import ToolError
from tools.words import Lang

if TYPE_CHECKING:
    from agent.assistant import Assistant


@dataclass
class Terminal:
    """One person's chat."""

    assistant: Callable[[], Assistant]
    """Loads everything when first called; later calls are free."""
    actor: Actor
    conversation: str
    lang: Lang
    out: TextIO
    width: int
    interactive: bool
    more: Mapping[str, Callable[[str, Lang], str]] = field(
        default_factory=dict[str, Callable[[str, Lang], str]]
    )
    """Further commands: what follows the name and the language in, what to say out."""
    _write: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._under_way = UnderWay(
            self.assistant,
            self._say,
            lambda: self.lang,
            self.announce,
            self.width,
            self.interactive,
        )

    @property
    def _w(self) -> Words:
        return words(self.lang)

    def run(self, lines: Iterator[str], hello: str) -> None:
        """Talk until the lines end or ``/quit``."""
        self._say(hello)
        for line in lines:
            text = line.strip()
            if text in ("/quit", "/exit", "/q"):
                break
            if text:
                self._one(text)
        self._under_way.leave()

    def _one(self, text: str) -> None:
        try:
            if text.startswith("/"):
                self._command(text)
            else:
                self.lang = language_of(text, self.lang)
                self._ask(text)
        except ToolError as error:
            self._say(error.say(self.lang))
        except KeyboardInterrupt:
            self._say(self._w.interrupted)

    def toolbar(self) -> str:
        """What runs right now, for the line below the prompt."""
        return self._under_way.toolbar()

    def _ask(self, text: str) -> None:
        id = secrets.token_hex(8)
        message = Message(self.conversation, id, self.actor, text, datetime.now(UTC))
        proposed: list[Action] = []
        for event in heard(lambda: self.assistant().handle(message)):
            self._show(event, proposed)
        for action in proposed:
            self._offer(action)

    def _show(self, event: Event, proposed: list[Action]) -> None:
        match event:
            case Text(text=text):
                self._say(fit(text, self.width), end="")
            case Replace():
                self._say("\n" + self._w.again)
            case Looking(call=call):
                if self.interactive:
                    args = ", ".join(f"{k}={v}" for k, v in call.args.items())
                    self._say(f"  · {call.tool}({visible(args)})"[: self.width])
            case Notice(text=text):
                self._say(f"({text})")
            case Proposed(action=action):
                proposed.append(action)
            case Reply():
                self._say("")
            case _:
                pass

    def _offer(self, action: Action) -> None:
        self._say("\n" + card(action, self.lang, datetime.now(UTC), self.width))
        if action.state is State.APPROVED:
            self._under_way.start(action.number)
        elif action.state is State.PROPOSED:
            self._say("\n  " + self._w.decide.format(number=action.number))

    def _command(self, text: str) -> None:
        name, _, rest = text[1:].partition(" ")
        known: dict[str, Callable[[str], None]] = {
            "help": lambda _: self._say(HELP[self.lang]),
            "actions": self._actions,
            "show": self._details,
            "approve": self._approve,
            "reject": self._reject,
            "cancel": self._cancel,
            "undo": self._undo,
            "usage": self._usage,
            "new": self._new,
            **{word: partial(self._more, word) for word in self.more},
        }
        command = known.get(name)
        if command is None:
            self._say(
                self._w.unknown_command.format(name=name, known=" ".join(f"/{k}" for k in known))
            )
            return
        command(rest.strip())

    def _more(self, word: str, rest: str) -> None:
        self.assistant()  # waits until everything is loaded
        self._say(self.more[word](rest, self.lang))

    def _number(self, text: str) -> int:
        first = text.split(maxsplit=1)[0] if text else ""
        if not first.isdecimal():
            raise TooLate(self._w.which_number)
        return int(first)

    def _action(self, text: str) -> Action:
        return self.assistant().door.ledger.get(self._number(text))

    def _actions(self, _rest: str) -> None:
        found = self.assistant().door.ledger.find(limit=20)
        if not found:
            self._say(self._w.no_actions)
        for action in reversed(found):
            state = state_words(action.state, self.lang)
            title = visible(action.plan.words(self.lang).title)
            self._say(
                f"{action.number:>4}  {action.changed_at.astimezone():%H:%M}  {state}  {title}"
            )

    def _details(self, rest: str) -> None:
        action = self.assistant().door.expire(self._action(rest))
        self._say(card(action, self.lang, datetime.now(UTC), self.width))

    def _approve(self, rest: str) -> None:
        action = self._action(rest)
        decision = Decision(action.number, action.digest, self.actor, "approve")
        after = self.assistant().decide(decision)
        if after.state is State.APPROVED:
            self._say(self._w.approved.format(number=after.number))
            self._under_way.start(after.number)
        else:
            missing = after.needed - len(after.approved_by)
            self._say(self._w.more_people.format(number=after.number, missing=missing))

    def _reject(self, rest: str) -> None:
        action = self._action(rest)
        reason = rest.partition(" ")[2].strip()
        decision = Decision(action.number, action.digest, self.actor, "reject", reason)
        after = self.assistant().decide(decision)
        self.assistant().settled(after)
        self._say(outcome_line(after, self.lang))

    def _cancel(self, rest: str) -> None:
        after = self.assistant().recovery.cancel(self._number(rest), self.actor)
        asked = after.state in (State.APPLYING, State.APPLIED)
        self._say(self._w.cancelling if asked else outcome_line(after, self.lang))

    def _undo(self, rest: str) -> None:
        self._offer(self.assistant().door.propose_undo(self._number(rest), self.actor))

    def _usage(self, _rest: str) -> None:
        self._say(self.assistant().usage(self.conversation, self.lang))

    def _new(self, _rest: str) -> None:
        self.conversation = f"terminal:{self.actor.identity}:{secrets.token_hex(4)}"
        self._say(self._w.new_conversation)

    def announce(self, action: Action) -> None:
        """Say how an action ended, and offer what follows from it."""
        self._say("\n" + fit(outcome_line(action, self.lang), self.width))
        for event in self.assistant().report(action, self.lang):
            if isinstance(event, Proposed):
                self._offer(event.action)
            elif isinstance(event, Notice):
                self._say(event.text)

    def _say(self, text: str, end: str = "\n") -> None:
        with self._write:
            self.out.write(text + end)
            self.out.flush()
