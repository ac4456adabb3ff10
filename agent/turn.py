"""A turn of a conversation: what a planner is given and what it answers with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.conversations import Line
from agent.events import Event, Message
from agent.toolbox import Looked, Toolbox
from tools.words import Lang


@dataclass(frozen=True, slots=True)
class Turn:
    """One message, what was said before it, and what may be done about it."""

    message: Message
    history: Sequence[Line]
    """Rows before the message, oldest first."""
    toolbox: Toolbox
    lang: Lang
    seen: tuple[Looked, ...] = ()
    """What another planner had already gathered when it failed."""


class Planner(Protocol):
    """Thinks: turns a message into looks, proposals and an answer."""

    def run(self, turn: Turn) -> Iterator[Event]:
        """Yield events; the last is a :class:`agent.events.Reply`."""
        ...
