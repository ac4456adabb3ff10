"""The ledger as people ask about it, over a real door and a real ledger."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from agent.door import Door
from agent.events import Action, Decision, State
from agent.ledger_log import LedgerLog
from tests.door.toy import ANA, BOB, make_door
from tests.support import FakeClock, make_world
from tools.actions.card import show_action
from tools.actions.listing import list_actions
from tools.contract import Call, Tool, as_json
from tools.errors import BadArguments
from tools.fleet import Fleet
from tools.world import World

UTC_FLEET = Fleet(path=None, sections={"schedules": {"timezone": "UTC"}})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def door(tmp_path: Path, clock: FakeClock) -> Door:
    return make_door(make_world(tmp_path, clock=clock))


@pytest.fixture
def world(door: Door, tmp_path: Path, clock: FakeClock) -> World:
    return make_world(tmp_path, fleet=UTC_FLEET, clock=clock, actions=LedgerLog(door.ledger))


def propose(door: Door, value: int, mood: str = "fine") -> Action:
    call = Call("set_value", {"value": value, "mood": mood})
    return door.propose(call, ANA, "c", f"{value}{mood}")


def carry_out(door: Door, value: int, mood: str = "fine") -> Action:
    action = propose(door, value, mood)
    door.decide(Decision(action.number, action.digest, BOB, "approve"))
    return door.run(action.number)


def ask(tool: Tool, world: World, lang: str = "en", **arguments: object) -> str:
    assert tool.read is not None
    return tool.read(world, **tool.arguments(arguments)).say(lang)


def test_an_empty_ledger_says_so(world: World) -> None:
    assert ask(list_actions, world) == "There are no actions yet."
    assert ask(list_actions, world, "zh", state="proposed") == "没有操作在等待批准。"


def test_the_list_tells_what_waits_and_where_each_stands(door: Door, world: World) -> None:
    carry_out(door, 5)
    carry_out(door, 6, "fails")
    propose(door, 7)
    said = ask(list_actions, world)
    assert said.splitlines()[0] == "3 actions; 1 waits for approval."
    assert "Set the toy to 5" in said
    assert "approved by bob. the toy is 5" in said
    assert "FAILED: Set the toy to 6" in said
    assert "The toy is stuck." in said
    assert "expires 04:00 UTC" in said
    assert all(len(line) <= 100 for line in said.splitlines())


@pytest.mark.parametrize(
    ("state", "first"),
    [
        ("proposed", "1 action waits for approval."),
        ("open", "1 action in state open."),
        ("verified", "1 action in state verified."),
        ("unknown", "No actions in state unknown."),
    ],
)
def test_a_state_narrows_the_list(door: Door, world: World, state: str, first: str) -> None:
    carry_out(door, 5)
    propose(door, 7)
    assert ask(list_actions, world, state=state).splitlines()[0] == first


def test_a_state_nobody_knows_is_refused(world: World) -> None:
    with pytest.raises(BadArguments, match="state"):
        ask(list_actions, world, state="sleeping")


def test_the_card_tells_everything(door: Door, world: World) -> None:
    action = carry_out(door, 5)
    said = ask(show_action, world, id=action.number)
    assert said.splitlines()[0] == f"Action {action.number} done and verified: Set the toy to 5"
    for line in (
        "call: set_value(mood='fine', value=5)",
        "asked by: ana (terminal), 03:00",
        "approved by: bob (slack), 03:00",
        "reach: one toy",
        "evidence: the toy is 5",
        "undo: set it back to 0",
        "    - value: 0",
        "    + value: 5",
    ):
        assert line in said


def test_the_card_links_an_undo_both_ways(door: Door, world: World) -> None:
    action = carry_out(door, 5)
    undo = door.propose_undo(action.number, ANA)
    door.decide(Decision(undo.number, undo.digest, BOB, "approve"))
    assert door.run(undo.number).state is State.VERIFIED
    said = ask(show_action, world, id=action.number)
    assert f"undone by: action {undo.number} (Put the toy back to 0)" in said
    assert f"undoes: action {action.number}" in ask(show_action, world, id=undo.number)


def test_a_rejection_shows_who_and_why(door: Door, world: World) -> None:
    action = propose(door, 5)
    door.decide(Decision(action.number, action.digest, BOB, "reject", "not during lunch"))
    said = ask(show_action, world, "zh", id=action.number)
    assert "已拒绝" in said.splitlines()[0]
    assert "拒绝：bob（slack），03:00：not during lunch" in said


def test_yesterdays_times_carry_their_date(door: Door, world: World, clock: FakeClock) -> None:
    carry_out(door, 5)
    clock.time += timedelta(days=2)
    assert "11-23 03:00" in ask(list_actions, world)


def test_an_unknown_number_names_the_newest(door: Door, world: World) -> None:
    propose(door, 5)
    with pytest.raises(BadArguments, match=r"no action 9; the newest is 1\."):
        ask(show_action, world, id=9)


def test_the_json_of_a_card_is_plain(door: Door, world: World) -> None:
    action = carry_out(door, 5)
    assert show_action.read is not None
    data = as_json(show_action.read(world, id=action.number))
    assert isinstance(data, dict)
    assert isinstance(data["more"], dict)
    assert data["more"]["evidence"] == "the toy is 5"
