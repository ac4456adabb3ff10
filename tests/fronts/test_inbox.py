"""The durable inbox: once, in order, adopted from the dead, led by one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.fronts.dispatch import Again, Dispatch
from agent.fronts.inbox import Inbox, Item
from agent.fronts.leadership import lead
from agent.fronts.metrics import Metrics
from tests.support import FakeClock
from tools.errors import Unavailable
from tools.store import Store


def item(id: str, conversation: str = "c", delivery: str = "") -> Item:
    return Item("slack", id, conversation, {"n": id}, delivery)


def open_inbox(
    home: Path, owner: str, clock: FakeClock, gone: frozenset[str] = frozenset()
) -> Inbox:
    return Inbox(Store.at_home(home), clock, owner, gone.__contains__)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_an_item_is_taken_once_however_it_comes(tmp_path: Path, clock: FakeClock) -> None:
    a, b = open_inbox(tmp_path, "a", clock), open_inbox(tmp_path, "b", clock)
    puts = [x.put(item("1", delivery=f"d{n}")) for n in range(20) for x in (a, b)]
    assert sum(p.result() for p in puts) == 1
    assert a.put(item("2", delivery="d1")).result() is False
    assert a.waiting() == 1
    a.close()
    b.close()


def test_the_living_keep_their_items_and_the_dead_are_inherited_once(
    tmp_path: Path, clock: FakeClock
) -> None:
    a = open_inbox(tmp_path, "a", clock)
    a.beat()
    for n in range(5):
        a.put(item(str(n))).result()
    a.done(item("0")).result()
    heirs = [open_inbox(tmp_path, name, clock) for name in "bc"]
    assert [heir.adopt(["slack"]) for heir in heirs] == [[], []]
    clock.sleep(31)
    for heir in heirs:
        heir.beat()
    assert heirs[0].adopt(["http"]) == []
    taken = [[i.id for i in heir.adopt(["slack"])] for heir in heirs]
    assert taken == [["1", "2", "3", "4"], []]
    for inbox in (a, *heirs):
        inbox.close()
    later = open_inbox(tmp_path, "d", clock)
    assert [i.id for i in later.adopt(["slack"])] == ["1", "2", "3", "4"]
    later.close()


def test_one_leads_until_it_is_gone(tmp_path: Path, clock: FakeClock) -> None:
    a, b = open_inbox(tmp_path, "a", clock), open_inbox(tmp_path, "b", clock)
    assert (lead(a, "cards"), lead(b, "cards"), lead(a, "cards")) == (True, False, True)
    clock.sleep(16)
    assert (lead(b, "cards"), lead(a, "cards")) == (True, False)
    c = open_inbox(tmp_path, "c", clock, gone=frozenset("b"))
    assert lead(c, "cards") is True
    for inbox in (a, b, c):
        inbox.close()


def test_a_cancelled_waiter_costs_nobody_anything(tmp_path: Path, clock: FakeClock) -> None:
    inbox = open_inbox(tmp_path, "a", clock)
    for n in range(50):
        inbox.put(item(str(n))).cancel()
    assert inbox.put(item("last")).result(5) is True
    inbox.close()


def test_what_cannot_be_stored_is_said(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "steward.db").write_bytes(b"this is not a database" * 100)
    inbox = open_inbox(tmp_path, "a", clock)
    with pytest.raises(Unavailable):
        inbox.put(item("1")).result(10)


def test_a_conversation_is_dealt_with_in_order_and_failures_are_tried_again(
    tmp_path: Path, clock: FakeClock
) -> None:
    inbox = open_inbox(tmp_path, "a", clock)
    seen: list[str] = []
    given_up: list[str] = []

    async def handle(one: Item) -> None:
        seen.append(one.id)
        if one.id == "bad" or (one.id == "twice" and one.attempts == 0):
            raise Again("not now")
        await asyncio.sleep(0)

    async def give_up(one: Item) -> None:
        given_up.append(one.id)

    async def work() -> None:
        dispatch = Dispatch(inbox, handle, give_up, Metrics(), retries=(0.0,))
        for id in ("one", "twice", "bad", "last"):
            inbox.put(item(id)).result()
            dispatch.add(item(id))
        while dispatch.busy:  # noqa: ASYNC110  looked at from outside, as a test may
            await asyncio.sleep(0.01)
        await dispatch.stop(1)

    asyncio.run(work())
    assert seen == ["one", "twice", "twice", *["bad"] * 5, "last"]
    assert given_up == ["bad"]
    assert inbox.waiting() == 0
    inbox.close()
