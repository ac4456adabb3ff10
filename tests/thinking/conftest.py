from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.assistant import Assistant
from agent.conversations import Conversations
from agent.events import Event, Message, Reply, Text
from agent.settings import ModelSettings
from agent.toolbox import Toolbox
from agent.turn import Planner, Turn
from tests.door.toy import ANA, TOYS, make_door
from tests.support import make_world
from tools.contract import Phrases, Tool, reading
from tools.fleet import Fleet
from tools.words import Lang
from tools.words import Text as Word


@dataclass(frozen=True)
class Said:
    text: str

    def say(self, lang: Lang) -> str:
        return self.text


@reading(Phrases(("how is the toy", "look at the toy"), ("玩具怎么样",)))
def toy_status(world: Any, detail: Word = "short") -> Said:
    """How the toy is."""
    return Said("x" * 1_000_000 if detail == "huge" else f"The toy is fine ({detail}).")


@dataclass
class Stand:
    """The embedded planner's place in these tests: it answers from what was seen."""

    turns: list[Turn]

    def run(self, turn: Turn) -> Iterator[Event]:
        self.turns.append(turn)
        text = "embedded: " + "; ".join(s.seen.text[:60] for s in turn.seen)
        yield Text(text)
        yield Reply(text, "offline")


CATALOGUE: dict[str, Tool] = {**TOYS, "toy_status": toy_status}


@dataclass
class Talk:
    """An assistant whose model is the test's endpoint."""

    assistant: Assistant
    stand: Stand
    planner: Planner
    conversation: str = "c"
    count: int = 0

    def ask(self, text: str) -> list[Event]:
        self.count += 1
        at = datetime.now(UTC)
        return list(
            self.assistant.handle(Message(self.conversation, f"m{self.count}", ANA, text, at))
        )


@pytest.fixture
def talk(tmp_path: Path) -> Callable[..., Talk]:
    from agent.planner import ModelPlanner

    def make(url: str, **settings: Any) -> Talk:
        world = make_world(tmp_path)
        door = make_door(world)
        toolbox = Toolbox(CATALOGUE, world, door)
        stand = Stand([])
        knobs = ModelSettings("m", url, "k", **{"timeout": 1.0, **settings})
        planner = ModelPlanner(knobs, stand, Fleet(path=None), tmp_path)
        conversations = Conversations(world.store, world.clock)
        return Talk(
            Assistant(door, conversations, toolbox, lambda: planner),
            stand,
            planner,
            url + str(settings),
        )

    return make
