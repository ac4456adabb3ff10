"""A toy world for the door: counters in a file, written and read like a real platform's."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from agent.door import Door
from agent.events import Actor
from agent.foresight import Foresight
from agent.ledger import Ledger
from agent.work import Work, this_process
from tools.contract import (
    Act,
    Call,
    Effect,
    Happened,
    Irreversible,
    Outcome,
    Phrases,
    Plan,
    Target,
    Tool,
    Verdict,
    changing,
)
from tools.errors import BadArguments, Failed, Unavailable
from tools.fleet import Fleet, PolicySpec
from tools.words import Count, Text
from tools.world import World

ANA = Actor("ana", "terminal", "ana")
BOB = Actor("bob", "slack", "U2")
EVE = Actor("eve", "slack", "U666")


@dataclass(frozen=True)
class Toys:
    """The toy platform: one JSON file, each effect an appended line in another."""

    home: Path

    def state(self) -> dict[str, Any]:
        path = self.home / "toys.json"
        return json.loads(path.read_text()) if path.exists() else {"version": 1, "value": 0}

    def put(self, value: int, act: str) -> None:
        state = self.state()
        if state.get("act") == act:
            return
        with (self.home / "effects").open("a") as effects:
            effects.write(f"{act} {value}\n")
            effects.flush()
            os.fsync(effects.fileno())
        fresh = {
            "version": state["version"] + 1,
            "value": value,
            "act": act,
            "before": state["value"],
        }
        temporary = self.home / f"toys.{act}"
        temporary.write_text(json.dumps(fresh))
        temporary.rename(self.home / "toys.json")

    def effects(self) -> list[str]:
        path = self.home / "effects"
        return path.read_text().splitlines() if path.exists() else []


@dataclass(frozen=True)
class ValueArguments:
    value: Count
    mood: Text = "fine"
    """``fine``, ``fails``, ``breaks``, ``lies`` (not there when looked for), ``mute``
    (done, but the answer is lost), ``away`` (never reached)."""


@changing(ValueArguments)
class SetValue:
    """Set the toy's value."""

    effect: ClassVar[Effect] = Effect.CHANGE
    phrases: ClassVar[Phrases] = Phrases(("set the toy to {value}",), ("把玩具设为{value}",))

    def plan(self, world: World, args: ValueArguments) -> Plan:
        state = Toys(world.home).state()
        if args.value == state["value"]:
            raise BadArguments(f"The toy is {args.value} already.")
        return Plan(
            target=Target("toy", "toy", "toy-1", str(state["version"])),
            title=f"Set the toy to {args.value}",
            diff=f"- value: {state['value']}\n+ value: {args.value}",
            blast_radius="one toy",
            undo=f"set it back to {state['value']}",
            verification="read the value",
            deadline=timedelta(seconds=30),
            undo_on_failure=True,
            details={"value": args.value, "before": state["value"], "mood": args.mood},
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        act.progress("setting", 0.5)
        if plan.details["mood"] == "fails":
            raise Failed("The toy is stuck.")
        if plan.details["mood"] == "away":
            raise Unavailable("The toy does not answer.")
        value = plan.details["value"]
        assert isinstance(value, int)
        Toys(world.home).put(value, act.id)
        if plan.details["mood"] == "breaks":
            raise RuntimeError("boom")
        if plan.details["mood"] == "mute":
            raise Unavailable("The toy does not answer.")
        return Outcome(f"set to {value}")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        value = Toys(world.home).state()["value"]
        ok = value == plan.details["value"] and plan.details["mood"] != "lies"
        return Verdict(ok, f"the toy is {value}", "" if ok else "wrong value")

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        return Call("reset_toy", {"value": plan.details["before"]})

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        return Happened.YES if Toys(world.home).state().get("act") == action_id else Happened.NO


@dataclass(frozen=True)
class ResetArguments:
    value: int


@changing(ResetArguments)
class ResetToy:
    """Put the toy back."""

    effect: ClassVar[Effect] = Effect.CHANGE
    phrases: ClassVar[Phrases] = Phrases(("reset the toy",), ("重置玩具",))
    undo = Irreversible("a reset is the undo")

    def plan(self, world: World, args: ResetArguments) -> Plan:
        state = Toys(world.home).state()
        return Plan(
            target=Target("toy", "toy", "toy-1", str(state["version"])),
            title=f"Put the toy back to {args.value}",
            diff=f"- value: {state['value']}\n+ value: {args.value}",
            blast_radius="one toy",
            undo="none",
            verification="read the value",
            deadline=timedelta(seconds=30),
            details={"value": args.value},
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        value = plan.details["value"]
        assert isinstance(value, int)
        Toys(world.home).put(value, act.id)
        return Outcome("put back")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        value = Toys(world.home).state()["value"]
        return Verdict(value == plan.details["value"], f"the toy is {value}")

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        return Happened.YES if Toys(world.home).state().get("act") == action_id else Happened.NO


@dataclass(frozen=True)
class NoArguments:
    pass


@changing(NoArguments)
class BurnToy:
    """Destroy the toy for good."""

    effect: ClassVar[Effect] = Effect.DESTROY
    phrases: ClassVar[Phrases] = Phrases(("burn the toy",), ("烧掉玩具",))
    undo = Irreversible("ashes")

    def plan(self, world: World, args: NoArguments) -> Plan:
        state = Toys(world.home).state()
        return Plan(
            target=Target("toy", "toy", "toy-1", str(state["version"])),
            title="Burn the toy",
            diff=f"- value: {state['value']}",
            blast_radius="everything",
            undo="cannot be undone: ashes",
            verification="look for ashes",
            deadline=timedelta(seconds=30),
            risk=Effect.DESTROY,
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        Toys(world.home).put(-1, act.id)
        return Outcome("burnt")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        return Verdict(Toys(world.home).state()["value"] == -1, "ashes")

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        return Happened.UNSURE


TOYS: dict[str, Tool] = {t.name: t for t in (SetValue, ResetToy, BurnToy)}  # type: ignore[attr-defined]
POLICY = PolicySpec(approvers={"*": ("ana", "bob")})


def make_door(world: World, policy: PolicySpec = POLICY, owner: str | None = None) -> Door:
    fleet = Fleet(path=None, policy=policy)
    return Door(
        foresight=Foresight(TOYS, world),
        world=world,
        fleet=fleet,
        ledger=Ledger(world.store, world.clock),
        work=Work(world.store, world.clock),
        owner=owner or this_process(),
    )
