"""What goes on behind a terminal chat, in threads of its own: answers, and approved actions."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.events import Action, Changed, Event, Progress, State
from agent.fronts.terminal_words import words
from agent.redaction import visible
from agent.say import state_words
from tools.amounts import span

if TYPE_CHECKING:
    from agent.assistant import Assistant
    from tools.words import Lang

WAIT_AT_EXIT = 60.0
"""Seconds."""


def heard(answer: Callable[[], Iterator[Event]]) -> Iterator[Event]:
    """The events of an answer that is made in a thread of its own, as they come.

    Ctrl-C interrupts the listening, not the work.
    """
    events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()

    def work() -> None:
        try:
            for event in answer():
                events.put(event)
        except BaseException as error:  # noqa: BLE001  raised again by the listening thread
            events.put(error)
        events.put(None)

    threading.Thread(target=work, name="answer", daemon=True).start()
    while (event := events.get()) is not None:
        if isinstance(event, BaseException):
            raise event
        yield event


@dataclass
class UnderWay:
    """The approved actions that this chat has begun."""

    assistant: Callable[[], Assistant]
    say: Callable[[str], None]
    lang: Callable[[], Lang]
    ended: Callable[[Action], None]
    """Told how an action ended."""
    width: int
    interactive: bool
    """Progress stands below the prompt; else each step of it is said as a line."""
    _threads: dict[int, threading.Thread] = field(default_factory=dict[int, threading.Thread])
    _lines: dict[int, str] = field(default_factory=dict[int, str])

    def toolbar(self) -> str:
        """What runs right now, for the line below the prompt."""
        return "  ".join(self._lines.values())

    def start(self, number: int) -> None:
        """Carry it out in the background; the outcome appears when it comes."""
        thread = threading.Thread(target=self._carry_out, args=(number,), daemon=True)
        self._threads[number] = thread
        thread.start()
        if not self.interactive:
            thread.join()

    def leave(self) -> None:
        """Never half-kill an action: wait for what is at work in the world."""
        for number, thread in list(self._threads.items()):
            if self.assistant().door.ledger.get(number).state is State.APPLYING:
                self.say(words(self.lang()).waiting.format(number=number))
                thread.join(WAIT_AT_EXIT)
            elif thread.is_alive():
                self.say(words(self.lang()).later.format(number=number))

    def _carry_out(self, number: int) -> None:
        assistant = self.assistant()
        runner = threading.Thread(
            target=assistant.run, args=(number,), name=f"run-{number}", daemon=True
        )
        runner.start()
        for event in assistant.follow(number):
            self._note(number, event)
        runner.join()
        self._lines.pop(number, None)
        self._threads.pop(number, None)
        self.ended(assistant.door.ledger.get(number))

    def _note(self, number: int, event: Event) -> None:
        lang = self.lang()
        match event:
            case Progress(text=text, fraction=fraction, eta=eta):
                share = f" {fraction:.0%}" if fraction is not None else ""
                left = f" · {words(lang).left.format(time=span(eta, lang))}" if eta else ""
                line = f"[{number}] {visible(text)}{share}{left}"[: self.width - 2]
            case Changed(action=action) if not action.done:
                line = f"[{number}] {state_words(action.state, lang)}"
            case _:
                return
        if not self.interactive and self._lines.get(number) != line:
            self.say(f"  {line}")
        self._lines[number] = line
