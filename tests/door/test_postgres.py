"""The door on a real Postgres, raced by several processes: of all racers one gets each step."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from agent.door import Door
from agent.errors import TooLate
from agent.events import Action, Decision, State
from tests.door.toy import ANA, BOB, Toys, make_door
from tests.postgres import database, postgres_url  # noqa: F401
from tests.support import FakeClock, make_world
from tools.contract import Call
from tools.fleet import PolicySpec
from tools.store import Store

START = datetime(2026, 11, 23, tzinfo=UTC)
POLICY = PolicySpec(
    approvers={"*": ("ana", "bob")}, expiry=timedelta(days=60), actions_per_hour=10**6
)
RACERS = 3


def door_at(home: Path, url: str, clock: FakeClock, owner: str | None = None) -> Door:
    world = make_world(home, clock=clock)
    world.store = Store(url)
    return make_door(world, POLICY, owner)


def propose(door: Door, number: int) -> Action:
    return door.propose(Call("set_value", {"value": number + 1}), ANA, "c", f"race-{number}")


def race(body: Callable[..., Any], home: Path, url: str, *more: Any) -> list[Any]:
    """Run ``body(home, url, name, ready, *more)`` in several processes; what each answered."""
    context = multiprocessing.get_context("spawn")
    ready, answers = context.Barrier(RACERS), context.Queue()
    racers = [
        context.Process(target=_call, args=(body, answers, home, url, f"r{n}", ready, *more))
        for n in range(RACERS)
    ]
    for racer in racers:
        racer.start()
    found = [answers.get(timeout=450) for _ in racers]
    for racer in racers:
        racer.join(10)
    return found


def _call(body: Callable[..., Any], answers: Any, *given: Any) -> None:
    try:
        answers.put(body(*given))
    except BaseException as error:
        answers.put(f"{type(error).__name__}: {error}")
        raise


def _approve_all(home: Path, url: str, name: str, ready: Barrier, count: int) -> list[int]:
    clock = FakeClock(START)
    door = door_at(home, url, clock)
    actor = BOB if name == "r1" else ANA
    won: list[int] = []
    ready.wait(60)
    for number in range(1, count + 1):
        clock.time = START + timedelta(days=2, minutes=30 * number)
        action = door.ledger.get(number)
        try:
            door.decide(Decision(number, action.digest, actor, "approve"))
        except TooLate:
            continue
        won.append(number)
    return won


@pytest.mark.timeout(500)
@pytest.mark.slow
def test_a_thousand_approvals_are_each_given_once(tmp_path: Path, database: str) -> None:  # noqa: F811
    door = door_at(tmp_path, database, FakeClock(START))
    for number in range(1000):
        propose(door, number)
    found = race(_approve_all, tmp_path, database, 1000)
    assert not [f for f in found if isinstance(f, str)]
    counted = Counter(number for won in found for number in won)
    assert len(counted) == 1000
    assert set(counted.values()) == {1}
    for action in door.ledger.find(limit=2000):
        assert action.state is State.APPROVED
        assert len(action.decisions) == 1
    assert door.ledger.verify().faults == ()


def _run_all(home: Path, url: str, name: str, ready: Barrier, count: int) -> list[str]:
    door = door_at(home, url, FakeClock(START))
    states: list[str] = []
    for number in range(count):
        if name == "r0":
            action = propose(door, number)
            door.decide(Decision(action.number, action.digest, BOB, "approve"))
        ready.wait(60)
        states.append(door.run(number + 1).state.value)
        ready.wait(60)
    return states


@pytest.mark.timeout(240)
def test_each_approved_action_runs_in_one_process(tmp_path: Path, database: str) -> None:  # noqa: F811
    count = 60
    found = race(_run_all, tmp_path, database, count)
    assert not [f for f in found if isinstance(f, str)]
    door = door_at(tmp_path, database, FakeClock(START))
    effects = Counter(line.split()[0] for line in Toys(tmp_path).effects())
    assert len(effects) == count
    assert set(effects.values()) == {1}
    assert all(a.state is State.VERIFIED for a in door.ledger.find(limit=count))
    assert door.ledger.verify().faults == ()


def _take_all(home: Path, url: str, name: str, ready: Barrier, count: int) -> list[int]:
    door = door_at(home, url, FakeClock(START), owner=None)
    ready.wait(60)
    return [n for n in range(1, count + 1) if door.work.take(n, f"elsewhere-{name}:1:1.0")]


def test_each_abandoned_action_is_taken_up_by_one_process(tmp_path: Path, database: str) -> None:  # noqa: F811
    found = race(_take_all, tmp_path, database, 200)
    assert not [f for f in found if isinstance(f, str)]
    counted = Counter(number for won in found for number in won)
    assert len(counted) == 200
    assert set(counted.values()) == {1}


def _first_use(home: Path, url: str, name: str, ready: Barrier) -> list[int]:
    door = door_at(home, url, FakeClock(START))
    ready.wait(60)
    return [propose(door, number).number for number in range(20)]


def test_processes_that_meet_an_empty_database_at_once_agree(
    tmp_path: Path,
    database: str,  # noqa: F811
) -> None:
    found = race(_first_use, tmp_path, database)
    assert found == [list(range(1, 21))] * RACERS
    door = door_at(tmp_path, database, FakeClock(START))
    assert len(door.ledger.find(limit=100)) == 20
    assert door.ledger.verify().faults == ()


def test_lines_of_the_ledger_cannot_be_changed_or_deleted(tmp_path: Path, database: str) -> None:  # noqa: F811
    door = door_at(tmp_path, database, FakeClock(START))
    propose(door, 1)
    with door.world.store.write() as connection:
        connection.exec_driver_sql("UPDATE ledger SET who = 'nobody'")
        connection.exec_driver_sql("DELETE FROM ledger")
    audit = door.ledger.verify()
    assert (audit.lines, audit.faults) == (1, ())
    assert [e.who for e in door.ledger.entries()] == ["ana"]
