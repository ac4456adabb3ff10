"""What was not verified is looked at again before it is undone, and kept where undoing is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.door import Door
from agent.events import Action, Decision, State
from agent.recovery import Recovery
from tests.door.toy import ANA, SetValue, Toys, make_door
from tests.support import FakeClock, make_world
from tools.contract import Act, Call, Happened, Outcome, Plan, Verdict
from tools.errors import Refused, Unavailable
from tools.world import World

CHANGE = type(SetValue.change)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def door(tmp_path: Path, clock: FakeClock) -> Door:
    return make_door(make_world(tmp_path, clock=clock))


def silent(self: object, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
    raise Unavailable("The toy does not answer.")


def unsure(self: object, world: World, plan: Plan, action_id: str) -> Happened:
    return Happened.UNSURE


def unreachable(self: object, world: World, plan: Plan, outcome: Outcome) -> Call:
    raise LostKey("The toy does not take the key.")


def refused(self: object, world: World, plan: Plan, outcome: Outcome) -> Call:
    raise Refused("The toy is held by a child.")


class LostKey(Unavailable):
    passes = False


def done(door: Door, mood: str = "fine") -> Action:
    call = Call("set_value", {"value": 5, "mood": mood})
    action = door.propose(call, ANA, "c", "k")
    door.decide(Decision(action.number, action.digest, ANA, "approve"))
    return door.run(action.number)


def out_of_sight(door: Door, monkeypatch: pytest.MonkeyPatch) -> Action:
    """An action that took effect and that nobody could look at, nor undo."""
    with monkeypatch.context() as away:
        away.setattr(CHANGE, "verify", silent)
        away.setattr(CHANGE, "undo", unreachable)
        action = done(door)
    assert action.state is State.UNVERIFIED
    assert "It was not undone: The toy does not take the key." in action.reason
    return action


def test_what_turned_out_well_meanwhile_is_verified(
    door: Door, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = out_of_sight(door, monkeypatch).number
    clock.sleep(3600)
    Recovery(door).reconcile()
    assert door.ledger.get(number).state is State.VERIFIED
    assert Toys(door.world.home).state()["value"] == 5
    assert door.ledger.verify().faults == ()


def test_what_turned_out_badly_is_undone(
    door: Door, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(CHANGE, "undo", unreachable)
        number = done(door, "lies").number
    clock.sleep(3600)
    Recovery(door).reconcile()
    assert door.ledger.get(number).state is State.UNDONE
    assert Toys(door.world.home).state()["value"] == 0


def test_while_the_world_is_silent_nothing_is_done(
    door: Door, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = out_of_sight(door, monkeypatch)
    monkeypatch.setattr(CHANGE, "happened", unsure)
    clock.sleep(3600)
    lines = len(list(door.ledger.entries()))
    Recovery(door).reconcile()
    assert door.ledger.get(action.number).state is State.UNVERIFIED
    assert len(list(door.ledger.entries())) == lines


def test_what_may_not_be_undone_is_kept_for_good_and_says_why(
    door: Door, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as held:
        held.setattr(CHANGE, "undo", refused)
        number = done(door, "lies").number
    kept = door.ledger.get(number)
    assert kept.kept
    assert kept.reason.endswith("It was not undone: The toy is held by a child.")
    clock.sleep(3600)
    Recovery(door).reconcile()  # the child is gone, but undoing is a person's choice now
    assert door.ledger.get(number).state is State.UNVERIFIED
    assert Toys(door.world.home).state()["value"] == 5
    assert door.ledger.verify().faults == ()
