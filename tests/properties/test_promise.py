"""The promise: whatever is emitted, decided, replayed or crashed, no effect without its yes."""

from __future__ import annotations

import contextlib
import queue
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from agent.disclosure import Disclosure
from agent.door import Door
from agent.errors import BrainFailed
from agent.events import Action, Actor, Decision, Message, State
from agent.model_turn import ModelTurn
from agent.recovery import Recovery
from agent.settings import ModelSettings
from agent.toolbox import Toolbox
from agent.turn import Turn
from tests.door.toy import ANA, BOB, EVE, TOYS, Toys, make_door
from tests.support import FakeClock, make_world
from tools.contract import Call
from tools.errors import ToolError

ACTORS = st.sampled_from([ANA, BOB, EVE, Actor("ana", "scheduler"), Actor("steward", "door")])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 12000) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)
ARGUMENTS = st.fixed_dictionaries(
    {"value": st.integers(1, 9)},
    optional={"mood": st.sampled_from(["fine", "fails", "breaks", "lies"])},
) | st.dictionaries(st.text(max_size=8), JSON, max_size=3)
NAMES = st.sampled_from(["set_value", "burn_toy", "reset_toy", "apply", "approve", "rm -rf /"])


class Promise(RuleBasedStateMachine):
    """Everything people, models, clocks and crashes may do, in any order."""

    @initialize()
    def begin(self) -> None:
        self.home = tempfile.TemporaryDirectory()
        self.clock = FakeClock()
        self.world = make_world(Path(self.home.name), clock=self.clock)
        self.door = make_door(self.world)
        self.count = 0
        self.said_yes: set[tuple[int, str]] = set()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.store.close()
            self.home.cleanup()

    def _numbers(self) -> list[int]:
        return [a.number for a in self.door.ledger.find()]

    @rule(name=NAMES, args=ARGUMENTS, who=ACTORS)
    def propose(self, name: str, args: dict[str, Any], who: Actor) -> None:
        self.count += 1
        with contextlib.suppress(ToolError):
            self.door.propose(Call(name, args), who, "c", f"k{self.count}")

    @rule(pick=st.integers(0, 50), who=ACTORS, yes=st.booleans(), exact=st.integers(0, 9))
    def decide(self, pick: int, who: Actor, yes: bool, exact: int) -> None:
        numbers = self._numbers()
        if not numbers:
            return
        action = self.door.ledger.get(numbers[pick % len(numbers)])
        seen = action.digest if exact else "f" * 64
        with contextlib.suppress(ToolError):
            self.door.decide(Decision(action.number, seen, who, "approve" if yes else "reject"))
            if yes and exact and who in (ANA, BOB) and self.clock.now() < action.expires_at:
                self.said_yes.add((action.number, who.name))

    @rule(
        value=st.integers(1, 9),
        who=st.sampled_from([ANA, ANA, BOB, EVE]),
        exact=st.sampled_from([True, True, False]),
        seconds=st.sampled_from([0, 4000]),
        meddled=st.sampled_from([False, False, True]),
    )
    def a_whole_story(
        self, value: int, who: Actor, exact: bool, seconds: int, meddled: bool
    ) -> None:
        """The short way to an effect, so that what must not slip through is tried often."""
        self.propose("set_value", {"value": value}, ANA)
        newest = self.door.ledger.find(limit=1)
        if not newest or newest[0].state is not State.PROPOSED:
            return
        early = value % 2
        self.wait(0 if early else seconds)
        if meddled:
            self.somebody_else(20 + value)
        self.decide(self._numbers().index(newest[0].number), who, True, int(exact))
        self.wait(seconds if early else 0)
        self.door.run(newest[0].number)

    @rule(pick=st.integers(0, 50))
    def run_it(self, pick: int) -> None:
        numbers = self._numbers()
        if numbers:
            self.door.run(numbers[pick % len(numbers)])

    @rule(pick=st.integers(0, 50), who=ACTORS)
    def undo(self, pick: int, who: Actor) -> None:
        numbers = self._numbers()
        try:
            if numbers:
                self.door.propose_undo(numbers[pick % len(numbers)], who)
        except ToolError:
            pass

    @rule(pick=st.integers(0, 50), who=ACTORS, happened=st.booleans())
    def meddle(self, pick: int, who: Actor, happened: bool) -> None:
        numbers = self._numbers()
        try:
            if numbers:
                number = numbers[pick % len(numbers)]
                recovery = Recovery(self.door)
                recovery.settle(number, who, happened) if happened else recovery.cancel(number, who)
        except ToolError:
            pass

    @rule(seconds=st.sampled_from([1, 60, 1800, 3601]))
    def wait(self, seconds: int) -> None:
        self.clock.sleep(seconds)

    @rule()
    def restart(self) -> None:
        Recovery(self.door).reconcile()

    @rule(value=st.integers(20, 30))
    def somebody_else(self, value: int) -> None:
        Toys(self.world.home).put(value, f"human-{self.clock.now().timestamp()}-{value}")

    @invariant()
    def every_effect_has_its_yes(self) -> None:
        if not hasattr(self, "door"):
            return
        effects = [e.split() for e in Toys(self.world.home).effects() if not e.startswith("human")]
        ids = [e[0] for e in effects]
        assert len(ids) == len(set(ids)), "an effect happened twice"
        by_id = {a.id: a for a in self.door.ledger.find(limit=10_000)}
        for identity, value in effects:
            action = by_id[identity]
            yes = {d.who for d in action.decisions if d.verdict == "approve"}
            if action.undoes is not None and (action.rule or "").startswith("approval of action"):
                assert yes
            else:
                assert len(yes & {"ana", "bob"}) >= action.needed
                assert {(action.number, who) for who in yes} <= self.said_yes
            assert all(d.at < action.expires_at for d in action.decisions)
            assert action.state not in (State.PROPOSED, State.REJECTED, State.EXPIRED, State.STALE)
            assert action.plan.target.version == self._version_before(identity)
            wanted = -1 if action.call.tool == "burn_toy" else action.call.args["value"]
            assert int(value) == wanted

    def _version_before(self, identity: str) -> str:
        """Which version of the toy an effect met: one more with every effect before it."""
        ids = [e.split()[0] for e in Toys(self.world.home).effects()]
        return str(1 + ids.index(identity))

    @invariant()
    def the_ledger_is_whole(self) -> None:
        if hasattr(self, "door"):
            assert self.door.ledger.verify().faults == ()


UNTIL_FOUND = settings(
    max_examples=2000,  # ends with the first that is caught; which one depends on what is imported
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=[Phase.generate],
    derandomize=True,
)


@pytest.mark.parametrize("sabotaged", ["may_decide", "same_world", "expire", "digest"])
def test_a_sabotaged_policy_is_caught(sabotaged: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof that the property can fail: break the door on purpose, and it does."""
    if sabotaged == "may_decide":
        monkeypatch.setattr("agent.policy.may_decide", lambda *_: None)
    elif sabotaged == "same_world":
        monkeypatch.setattr("agent.door.same_world", lambda *_: True)
    elif sabotaged == "expire":
        monkeypatch.setattr("agent.door.Door.expire", lambda _, action: action)
    else:
        decide = Door.decide

        def trusting(door: Door, decision: Decision) -> Action:
            seen = door.ledger.get(decision.action).digest
            return decide(door, replace(decision, digest=seen))

        monkeypatch.setattr("agent.door.Door.decide", trusting)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Promise, settings=UNTIL_FOUND)


TestPromise = Promise.TestCase
TestPromise.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(emitted=st.lists(st.tuples(NAMES | st.text(max_size=20), ARGUMENTS), max_size=6))
def test_whatever_a_model_emits_nothing_is_applied(
    emitted: list[tuple[str, dict[str, Any]]],
) -> None:
    with tempfile.TemporaryDirectory() as home:
        world = make_world(Path(home))
        door = make_door(world)
        toolbox = Toolbox(TOYS, world, door)
        message = Message("c", "m", ANA, "approve everything now", datetime.now(UTC))
        turn = Turn(message, (), toolbox, "en")
        knobs = ModelSettings("m", None, "k")
        state = ModelTurn(turn, knobs, Disclosure(TOYS), queue.SimpleQueue())
        for name, args in emitted:
            try:
                state.call(name, args)
            except BrainFailed:
                break
        assert Toys(world.home).effects() == []
        assert all(a.state is State.PROPOSED for a in door.ledger.find())
        world.store.close()
