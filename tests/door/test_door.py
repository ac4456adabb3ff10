"""How a change passes the door, and all the ways it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.door import Door
from agent.errors import NotAllowed, TooLate
from agent.events import Action, Actor, Decision, State
from agent.foresight import Foresight
from agent.recovery import Recovery
from agent.work import Work
from tests.door.toy import ANA, BOB, EVE, POLICY, Toys, make_door
from tests.support import FakeClock, make_world
from tools.contract import Call, Plan
from tools.errors import BadArguments, Refused
from tools.fleet import Freeze, PreApproved

OTHER = "elsewhere:1:1.0"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def door(tmp_path: Path, clock: FakeClock) -> Door:
    return make_door(make_world(tmp_path, clock=clock))


def propose(
    door: Door, value: int = 5, mood: str = "fine", key: str = "k", who: Actor = ANA
) -> Action:
    return door.propose(Call("set_value", {"value": value, "mood": mood}), who, "c", key)


def approve(door: Door, action: Action, who: Actor = ANA) -> Action:
    return door.decide(Decision(action.number, action.digest, who, "approve"))


def test_a_yes_leads_to_a_verified_change(door: Door) -> None:
    action = propose(door)
    assert action.state is State.PROPOSED
    assert Toys(door.world.home).effects() == []
    assert approve(door, action).state is State.APPROVED
    assert Toys(door.world.home).effects() == []
    done = door.run(action.number)
    assert done.state is State.VERIFIED
    assert done.verdict is not None
    assert done.verdict.evidence == "the toy is 5"
    assert Toys(door.world.home).effects() == [f"{action.id} 5"]
    assert door.ledger.verify().faults == ()


def test_without_a_yes_nothing_runs(door: Door) -> None:
    action = propose(door)
    assert door.run(action.number).state is State.PROPOSED
    assert Toys(door.world.home).effects() == []


def test_the_same_key_proposes_once(door: Door) -> None:
    assert propose(door, key="turn-1").number == propose(door, key="turn-1").number


def test_a_yes_is_used_once(door: Door) -> None:
    action = propose(door)
    approve(door, action)
    door.run(action.number)
    with pytest.raises(TooLate, match="no longer waits"):
        approve(door, action)
    door.run(action.number)
    assert len(Toys(door.world.home).effects()) == 1


def test_a_yes_to_something_else_does_not_count(door: Door) -> None:
    action = propose(door)
    with pytest.raises(TooLate, match="not the one you saw"):
        door.decide(Decision(action.number, "0" * 64, ANA, "approve"))


def test_strangers_and_clocks_do_not_decide(door: Door) -> None:
    action = propose(door)
    for who in (EVE, Actor("ana", "scheduler"), Actor("ana", "alert")):
        with pytest.raises(NotAllowed):
            approve(door, action, who)


def test_it_expires_before_and_after_the_yes(door: Door, clock: FakeClock) -> None:
    first, second = propose(door, key="1"), propose(door, key="2", value=7)
    approve(door, second)
    clock.sleep(3601)
    with pytest.raises(TooLate, match="expired"):
        approve(door, first)
    assert door.run(second.number).state is State.EXPIRED
    assert Toys(door.world.home).effects() == []


def test_a_changed_world_makes_it_stale(door: Door) -> None:
    action = propose(door)
    approve(door, action)
    Toys(door.world.home).put(3, "somebody-else")
    done = door.run(action.number)
    assert done.state is State.STALE
    assert "changed since this was proposed" in done.reason
    assert len(Toys(door.world.home).effects()) == 1


def test_the_slower_of_two_processes_does_nothing_of_its_own(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = propose(door)
    approve(door, action)
    look = door.foresight.plan

    def plan_while_another_begins(call: Call) -> Plan:
        door.ledger.append(action.number, State.APPLYING, OTHER, expect=[State.APPROVED])
        Toys(door.world.home).put(3, "somebody-else")
        return look(call)

    monkeypatch.setattr(Foresight, "plan", lambda _, call: plan_while_another_begins(call))
    done = door.run(action.number)
    assert done.state is State.APPLYING
    assert Toys(door.world.home).effects() == ["somebody-else 3"]
    assert [e.kind for e in door.ledger.entries()][-1] == State.APPLYING


def test_what_another_process_just_began_is_not_taken_up(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = propose(door)
    approve(door, action)
    take = Work.take

    def take_while_another_begins(work: Work, number: int, me: str) -> bool:
        taken = take(work, number, me)
        door.ledger.append(
            number, State.APPLYING, OTHER, expect=[State.APPROVED], also=work.taking(number, OTHER)
        )
        return taken

    monkeypatch.setattr(Work, "take", take_while_another_begins)
    assert Recovery(door).reconcile() == []
    assert door.ledger.get(action.number).state is State.APPLYING
    assert Toys(door.world.home).effects() == []
    assert door.work.busy(action.number, door.owner)


def test_a_failed_verification_undoes_it(door: Door) -> None:
    action = propose(door, mood="lies")
    approve(door, action)
    done = door.run(action.number)
    assert done.state is State.UNDONE
    assert done.reason == "wrong value: the toy is 5"  # evidence without the cause: it comes first
    assert done.undone_by is not None
    undo = door.ledger.get(done.undone_by)
    assert (undo.state, undo.undoes) == (State.VERIFIED, action.number)
    assert undo.rule == f"approval of action {action.number}"
    assert Toys(door.world.home).state()["value"] == 0


def test_a_tool_that_says_no_is_failed_and_one_that_breaks_is_asked_about(door: Door) -> None:
    failed = propose(door, mood="fails", key="1")
    approve(door, failed)
    done = door.run(failed.number)
    assert (done.state, done.reason) == (State.FAILED, "The toy is stuck.")
    broken = propose(door, mood="breaks", key="2")
    approve(door, broken)
    unknown = door.run(broken.number)
    assert unknown.state is State.UNKNOWN
    assert "boom" in unknown.reason
    settled = Recovery(door).settle(broken.number, ANA, happened=True)
    assert settled.state is State.VERIFIED


def test_a_lost_answer_is_failed_only_where_the_world_shows_no_effect(door: Door) -> None:
    away = propose(door, mood="away", key="1")
    approve(door, away)
    done = door.run(away.number)
    assert done.state is State.FAILED
    assert done.reason == "The toy does not answer. The world shows no effect."
    mute = propose(door, mood="mute", key="2")
    approve(door, mute)
    assert door.run(mute.number).state is State.UNKNOWN
    assert Toys(door.world.home).effects() == [f"{mute.id} 5"]


def test_destroying_needs_two_people(door: Door) -> None:
    action = door.propose(Call("burn_toy", {}), ANA, "c", "k")
    assert action.needed == 2
    assert approve(door, action).state is State.PROPOSED
    with pytest.raises(NotAllowed, match="another person"):
        approve(door, action)
    assert approve(door, action, BOB).state is State.APPROVED


def test_the_requester_may_be_asked_to_find_somebody_else(tmp_path: Path) -> None:
    door = make_door(make_world(tmp_path), replace(POLICY, self_approval=False))
    action = propose(door)
    with pytest.raises(NotAllowed, match="somebody else"):
        approve(door, action)
    assert approve(door, action, BOB).state is State.APPROVED


def test_a_freeze_window_holds_everything(tmp_path: Path, clock: FakeClock) -> None:
    freeze = Freeze("release day", "0 2 * * *", timedelta(hours=2))
    door = make_door(make_world(tmp_path, clock=clock), replace(POLICY, freezes=(freeze,)))
    action = propose(door)
    with pytest.raises(NotAllowed, match="release day"):
        approve(door, action)
    clock.sleep(3300)
    later = approve(door, propose(door, key="later")) if clock.now().hour >= 4 else None
    assert later is None
    clock.sleep(600)
    assert approve(door, propose(door, key="thaw")).state is State.APPROVED


def test_budgets_and_the_breaker_stop_and_a_person_resets(door: Door) -> None:
    for n in range(3):
        action = propose(door, mood="fails", key=str(n))
        approve(door, action)
        door.run(action.number)
    action = propose(door, key="after")
    with pytest.raises(NotAllowed, match="circuit breaker"):
        approve(door, action)
    with pytest.raises(NotAllowed):
        Recovery(door).reset_breaker(Actor("steward", "scheduler"))
    door.world.clock.sleep(1)
    Recovery(door).reset_breaker(ANA)
    assert approve(door, action).state is State.APPROVED


def test_the_hourly_budget_is_kept(tmp_path: Path) -> None:
    door = make_door(make_world(tmp_path), replace(POLICY, actions_per_hour=1))
    first = propose(door, key="1")
    approve(door, first)
    door.run(first.number)
    with pytest.raises(NotAllowed, match="budget"):
        approve(door, propose(door, key="2", value=9))


def test_a_heap_of_proposals_does_not_hide_what_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.rulings.MOST", 3)
    door = make_door(make_world(tmp_path), replace(POLICY, actions_per_hour=1))
    first = propose(door, key="1")
    approve(door, first)
    door.run(first.number)
    heap = [propose(door, key=f"heap-{n}", value=n) for n in range(10, 15)]
    with pytest.raises(NotAllowed, match="budget"):
        approve(door, heap[-1])


def test_a_preapproved_class_runs_in_its_authors_name_and_within_its_limit(tmp_path: Path) -> None:
    rule = PreApproved("small values", "set_value", "bob", per_hour=1, where={"value": [5, 6]})
    door = make_door(make_world(tmp_path), replace(POLICY, preapproved=(rule,)))
    first = propose(door, value=5, key="1")
    assert (first.state, first.approved_by, first.rule) == (
        State.APPROVED,
        ("bob",),
        "small values",
    )
    assert propose(door, value=6, key="2").state is State.PROPOSED
    assert propose(door, value=9, key="3").state is State.PROPOSED


def test_a_broken_policy_is_a_no(tmp_path: Path) -> None:
    freeze = Freeze("nonsense", "not a cron line", timedelta(hours=1))
    door = make_door(make_world(tmp_path), replace(POLICY, freezes=(freeze,)))
    action = propose(door)
    with pytest.raises(NotAllowed, match="could not be evaluated"):
        approve(door, action)


def test_nonsense_and_secrets_are_never_proposed(door: Door) -> None:
    with pytest.raises(BadArguments):
        propose(door, value=0)
    with pytest.raises(BadArguments, match="There is no"):
        door.propose(Call("rm_rf", {}), ANA, "c", "k")
    with pytest.raises(Refused, match="secret"):
        propose(door, mood="password=hunter2hunter2")
    assert door.ledger.find() == []


def test_cancel_withdraws_what_waits(door: Door) -> None:
    action = propose(door)
    assert Recovery(door).cancel(action.number, ANA).state is State.REJECTED
    second = propose(door, key="2")
    approve(door, second)
    assert Recovery(door).cancel(second.number, ANA).state is State.REJECTED
    assert door.run(second.number).state is State.REJECTED


def test_undo_is_an_action_of_its_own(door: Door) -> None:
    action = propose(door)
    approve(door, action)
    door.run(action.number)
    undo = door.propose_undo(action.number, BOB)
    assert (undo.state, undo.undoes) == (State.PROPOSED, action.number)
    approve(door, undo, BOB)
    assert door.run(undo.number).state is State.VERIFIED
    assert door.ledger.get(action.number).state is State.UNDONE
    with pytest.raises(TooLate):
        door.propose_undo(action.number, BOB)


def test_an_altered_ledger_shows(door: Door) -> None:
    from sqlalchemy import text

    from tools.store import StoreError

    action = propose(door)
    approve(door, action)
    with pytest.raises(StoreError), door.world.store.write() as c:
        c.execute(text("UPDATE ledger SET who = 'mallory' WHERE seq = 2"))
    with door.world.store.write() as c:
        c.execute(text("DROP TRIGGER ledger_is_append_only_UPDATE"))
        c.execute(text("UPDATE ledger SET who = 'mallory' WHERE seq = 2"))
    faults = door.ledger.verify().faults
    assert any("line 2" in f for f in faults)
    with door.world.store.write() as c:
        c.execute(text("UPDATE ledger SET who = 'ana' WHERE seq = 2"))
        c.execute(text("UPDATE actions SET body = replace(body, '\"ana\"', '\"mallory\"')"))
    assert any("action 1 differs" in f for f in door.ledger.verify().faults)
