"""Two processes at one approved action: each paused at every place, the other goes on meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.door import Door
from agent.events import Decision, State
from agent.recovery import Recovery
from tests.door.toy import ANA, Toys, make_door
from tests.support import FakeClock, make_world
from tools.contract import Call
from tools.store import Store

PATIENCE = 60.0
"""Seconds; only a deadlock takes as long."""
NEVER = 1_000_000
ENTRIES: dict[str, Callable[[Door], Any]] = {
    "run": lambda door: door.run(1),
    "start": lambda door: Recovery(door).reconcile(),
}


@dataclass
class Places:
    """Counts the transactions that a process opens, and does something before one of them."""

    store: Store
    at: int
    before: Callable[[], None]
    seen: int = 0
    _inside: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        for name in ("read", "write", "snapshot"):
            setattr(self.store, name, self._counting(getattr(self.store, name)))

    def _counting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def counted(*args: Any, **kwargs: Any) -> Iterator[Any]:
            if not getattr(self._inside, "a_transaction", False):
                self.seen += 1
                if self.seen == self.at:
                    self.before()
            self._inside.a_transaction = True
            try:
                with real(*args, **kwargs) as connection:
                    yield connection
            finally:
                self._inside.a_transaction = False

        return counted


def process(home: Path, clock: FakeClock, owner: str) -> Door:
    door = make_door(make_world(home, clock=clock), owner=owner)
    door.ledger.find(limit=1)  # tables are there: only what follows is counted
    door.work.progress(1)
    return door


def interleaved(home: Path, first: str, second: str, at: int, paused_at: int) -> tuple[int, Door]:
    """``first`` up to its transaction ``at``; ``second`` up to ``paused_at``; first; second.

    Returns how many places ``first`` has, and a door to look through.
    """
    clock = FakeClock()
    one, two = process(home, clock, "one:1:1.0"), process(home, clock, "two:2:1.0")
    action = one.propose(Call("set_value", {"value": 5}), ANA, "c", "k")
    one.decide(Decision(action.number, action.digest, ANA, "approve"))
    halted, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        halted.set()
        assert go_on.wait(PATIENCE)

    def other() -> None:
        ENTRIES[second](two)
        halted.set()

    thread = threading.Thread(target=other, daemon=True)

    def let_the_other_go() -> None:
        thread.start()
        assert halted.wait(PATIENCE)

    Places(two.world.store, paused_at, pause)
    places = Places(one.world.store, at, let_the_other_go)
    ENTRIES[first](one)
    go_on.set()
    if thread.ident is not None:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    return places.seen, one


@pytest.mark.parametrize(
    ("first", "second"), [("run", "run"), ("start", "run"), ("run", "start"), ("start", "start")]
)
def test_one_of_two_processes_applies_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    applied: list[str] = []
    put = Toys.put

    def counted(toys: Toys, value: int, act: str) -> None:
        applied.append(act)
        put(toys, value, act)

    monkeypatch.setattr(Toys, "put", counted)
    alone = tmp_path / "alone"
    alone.mkdir()
    places, _ = interleaved(alone, first, second, NEVER, 1)
    assert places > 8
    for at in range(1, places + 1):
        for paused_at in range(1 + at % 3, places + 2, 3):
            applied.clear()
            home = tmp_path / f"{at}-{paused_at}"
            home.mkdir()
            _, door = interleaved(home, first, second, at, paused_at)
            where = f"{first} at {at}, {second} paused at {paused_at}"
            assert len(applied) == 1, where
            assert door.ledger.get(1).state is State.VERIFIED, where
            assert door.ledger.verify().faults == (), where
