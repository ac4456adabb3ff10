"""A real assistant over the toy door, with a planner that follows a script in the message."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.assistant import Assistant
from agent.conversations import Conversations
from agent.door import Door
from agent.events import Event, Looking, Notice, Proposed, Replace, Reply, Text
from agent.foresight import Foresight
from agent.ledger import Ledger
from agent.toolbox import Toolbox
from agent.turn import Turn
from agent.work import Work, this_process
from tests.door.toy import POLICY, TOYS, Toys
from tests.support import make_world
from tools.contract import Call, Json, Phrases, Tool, reading
from tools.errors import BadArguments
from tools.fleet import Fleet, Person, PolicySpec
from tools.words import Lang
from tools.world import Clock, World

PEOPLE = {
    "ana": Person("ana", slack="UANA", unix="ana", token="ana-laptop"),
    "bob": Person("bob", slack="UBOB"),
    "eve": Person("eve", slack="UEVE"),
}


@dataclass(frozen=True)
class ToyValue:
    value: int
    note: str

    def say(self, lang: Lang) -> str:
        return f"玩具是 {self.value}。" if lang == "zh" else f"The toy is {self.value}. {self.note}"


@reading(Phrases(("what is the toy",), ("玩具是多少",)))
def toy_status(world: World) -> ToyValue:
    """Show the toy's value."""
    return ToyValue(Toys(world.home).state()["value"], "token=hunter2hunter2")


TOOLS: dict[str, Tool] = {**TOYS, "toy_status": toy_status}  # type: ignore[dict-item]


class Scripted:
    """``set 5``, ``burn``, ``look``, ``stream N``, ``void``, ``long N``, ``wait S``, ``break``…"""

    def run(self, turn: Turn) -> Iterator[Event]:
        said = turn.message.text
        word, _, rest = said.partition(" ")
        step = getattr(self, f"_{word}", None)
        if step is None:
            yield Reply(f"You said: {said}", "offline")
            return
        yield from step(turn, rest)

    def _set(self, turn: Turn, rest: str) -> Iterator[Event]:
        value, _, mood = rest.partition(" ")
        yield from self._propose(turn, "set_value", {"value": int(value), "mood": mood or "fine"})

    def _burn(self, turn: Turn, rest: str) -> Iterator[Event]:
        yield from self._propose(turn, "burn_toy", {})

    def _propose(self, turn: Turn, tool: str, args: Mapping[str, Json]) -> Iterator[Event]:
        action = turn.toolbox.propose(Call(tool, args), turn.message)
        yield Proposed(action)
        yield Reply(f"Proposed as action {action.number}.", "offline", (action.number,))

    def _look(self, turn: Turn, rest: str) -> Iterator[Event]:
        call = Call("toy_status", {})
        yield Looking(call)
        looked = turn.toolbox.look_all([call], turn.lang)[0]
        yield looked.seen
        yield Reply(looked.seen.text, "offline")

    def _stream(self, turn: Turn, rest: str) -> Iterator[Event]:
        words = [f"word{n} " for n in range(int(rest))]
        for word in words:
            yield Text(word)
        yield Reply("".join(words), "model")

    def _drip(self, turn: Turn, rest: str) -> Iterator[Event]:
        for n in range(int(rest)):
            time.sleep(0.1)
            yield Text(f"word{n} ")
        yield Reply("".join(f"word{n} " for n in range(int(rest))), "model")

    def _void(self, turn: Turn, rest: str) -> Iterator[Event]:
        yield Text("half an answer that will not " * 20)
        yield Replace()
        yield Notice("The language model failed; the offline planner goes on.")
        yield Text("the real answer")
        yield Reply("the real answer", "offline")

    def _long(self, turn: Turn, rest: str) -> Iterator[Event]:
        yield Reply("\n".join(f"line {n} of evidence" for n in range(int(rest))), "offline")

    def _which(self, turn: Turn, rest: str) -> Iterator[Event]:
        yield Reply(f"Which {rest} do you mean?", "model")

    def _wait(self, turn: Turn, rest: str) -> Iterator[Event]:
        time.sleep(float(rest.split()[0]))
        yield Reply(f"waited: {rest}", "offline")

    def _broken(self, turn: Turn, rest: str) -> Iterator[Event]:
        yield Text("about to ")
        raise RuntimeError("the planner has a bug")

    def _refuse(self, turn: Turn, rest: str) -> Iterator[Event]:
        raise BadArguments(f"There is no {rest}.")
        yield


def make_assistant(
    home: Path,
    *,
    policy: PolicySpec = POLICY,
    people: Mapping[str, Person] = PEOPLE,
    clock: Clock | None = None,
    sections: Mapping[str, Json] | None = None,
    owner: str | None = None,
    database: str | None = None,
) -> Assistant:
    fleet = Fleet(path=None, policy=policy, people=people, sections=sections or {})
    world = make_world(home, fleet=fleet, clock=clock)
    if database:
        from tools.store import Store

        world.store = Store(database)
    door = Door(
        foresight=Foresight(TOOLS, world),
        world=world,
        fleet=fleet,
        ledger=Ledger(world.store, world.clock),
        work=Work(world.store, world.clock),
        owner=owner or this_process(),
    )
    return Assistant(
        door=door,
        conversations=Conversations(world.store, world.clock),
        toolbox=Toolbox(TOOLS, world, door),
        planner=Scripted,
    )


def effects(assistant: Assistant) -> list[str]:
    return Toys(assistant.door.world.home).effects()
