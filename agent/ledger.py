"""The ledger: every action from proposal to outcome, append-only and hash-chained.

Two tables tell the same story. ``ledger`` holds the lines and is never updated (triggers refuse
it); ``actions`` holds the fold of each action's lines, for looking things up and for the
compare-and-set that makes every step happen once. Both are written in one transaction, and
:meth:`Ledger.verify` proves that they agree and that no line was altered.

Works on SQLite and Postgres: a single ``head`` row is locked first, which orders all writers.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from agent.audit import GENESIS, Audit, audit
from agent.events import Action, State
from agent.record import NEXT, Entry, canonical, chain, entry_of, fold, from_json, to_json
from tools.contract import Json
from tools.errors import BadArguments

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tools.store import Store
    from tools.world import Clock


class Ledger:
    """Durable actions. Every method is one transaction."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @property
    def _t(self) -> Any:
        from agent import ledger_tables

        ledger_tables.ensure(self._store)
        return ledger_tables

    def propose(self, key: str, build: Callable[[int, str], Action]) -> tuple[Action, bool]:
        """Record a proposal once per ``key``; ``build(number, id)`` makes it.

        Returns the action and whether it is new (a re-run turn gets the first one back).
        """
        t = self._t
        with self._store.write() as c:
            head = self._lock(c)
            row = c.execute(t.select(t.actions.c.body).where(t.actions.c.key == key)).first()
            if row:
                return from_json(json.loads(row.body)), False
            number = int(c.execute(t.select(t.func.max(t.actions.c.number))).scalar() or 0) + 1
            action = build(number, f"{head.ledger}-{number}")
            self._append(
                c, head, action.number, State.PROPOSED, action.requester.name, to_json(action)
            )
            return action, True

    def append(
        self,
        number: int,
        kind: str,
        who: str,
        body: Mapping[str, Json] | None = None,
        *,
        expect: Sequence[State] = (),
        also: Callable[[Connection], None] | None = None,
    ) -> Action | None:
        """Add a line, if the action is still in one of ``expect``; otherwise ``None``.

        This is the compare-and-set of the product: of any number of racers exactly one gets the
        action back. ``also`` writes in the same transaction (the lease of whoever takes it).
        """
        with self._store.write() as c:
            head = self._lock(c)
            before = self._get(c, number)
            if expect and before.state not in expect:
                return None
            after = self._append(c, head, number, kind, who, body or {}, before)
            if after.undoes and after.state is State.VERIFIED and kind == State.VERIFIED:
                self._mark_undone(c, after, who)
            if also is not None:
                also(c)
            return after

    def move(
        self, action: Action, state: State, who: str, body: Mapping[str, Json] | None = None
    ) -> Action:
        """Move ``action`` on from the state it was seen in.

        When somebody else moved it first nothing is written: the answer is how it stands now.
        """
        moved = self.append(action.number, state, who, body or {}, expect=[action.state])
        return moved or self.get(action.number)

    def note(self, kind: str, who: str, body: Mapping[str, Json]) -> None:
        """A line about the ledger itself (action 0), such as a breaker reset."""
        with self._store.write() as c:
            self._append(c, self._lock(c), 0, kind, who, body)

    def get(self, number: int) -> Action:
        """One action; raises ``BadArguments`` when there is none."""
        with self._store.read() as c:
            return self._get(c, number)

    def find(
        self,
        *,
        states: Sequence[State] = (),
        since: datetime | None = None,
        conversation: str | None = None,
        undoes: int | None = None,
        limit: int = 200,
    ) -> list[Action]:
        """Actions, newest first."""
        t = self._t
        query = t.select(t.actions.c.body).order_by(t.actions.c.number.desc()).limit(limit)
        if states:
            query = query.where(t.actions.c.state.in_([s.value for s in states]))
        if since:
            query = query.where(t.actions.c.changed_at >= since.isoformat())
        if conversation:
            query = query.where(t.actions.c.conversation == conversation)
        if undoes:
            query = query.where(t.actions.c.undoes == undoes)
        with self._store.read() as c:
            return [from_json(json.loads(row.body)) for row in c.execute(query)]

    def entries(self, since: datetime | None = None, kind: str | None = None) -> Iterator[Entry]:
        """Lines, oldest first."""
        t = self._t
        query = t.select(t.ledger).order_by(t.ledger.c.seq)
        if since:
            query = query.where(t.ledger.c.at >= since.isoformat())
        if kind:
            query = query.where(t.ledger.c.kind == kind)
        with self._store.read() as c:
            for row in c.execute(query):
                yield entry_of(row)

    def verify(self) -> Audit:
        """Recompute every hash and every fold; name what does not agree."""
        t = self._t
        with self._store.snapshot() as c:
            lines = [
                entry_of(row) for row in c.execute(t.select(t.ledger).order_by(t.ledger.c.seq))
            ]
            head = c.execute(t.select(t.head)).first()
            rows = {r.number: r.body for r in c.execute(t.select(t.actions))}
        return audit(lines, (head.seq, head.hash) if head else None, rows)

    def _lock(self, c: Connection) -> Any:
        t = self._t
        c.execute(t.update(t.head).values(touched=t.head.c.touched + 1))
        row = c.execute(t.select(t.head)).first()
        if row is None:
            values = {
                "id": 1,
                "seq": 0,
                "hash": GENESIS,
                "ledger": secrets.token_hex(3),
                "touched": 0,
            }
            # Another process may begin the same ledger right now: whoever is second waits here.
            c.execute(self._store.insert_ignoring(t.head).values(**values))
            c.execute(t.update(t.head).values(touched=t.head.c.touched + 1))
            row = c.execute(t.select(t.head)).first()
        return row

    def _get(self, c: Connection, number: int) -> Action:
        t = self._t
        row = c.execute(t.select(t.actions.c.body).where(t.actions.c.number == number)).first()
        if row is None:
            raise BadArguments(
                f"There is no action {number}; steward actions lists them.",
                f"没有编号为 {number} 的操作；用 steward actions 查看全部。",
            )
        return from_json(json.loads(row.body))

    def _append(
        self,
        c: Connection,
        head: Any,
        number: int,
        kind: str,
        who: str,
        body: Mapping[str, Json],
        before: Action | None = None,
    ) -> Action:
        t = self._t
        seq, at = head.seq + 1, self._clock.now()
        clean = cast("dict[str, Json]", json.loads(canonical(body)))
        mark = chain(head.hash, seq, number, at.isoformat(), str(kind), who, clean)
        entry = Entry(seq, number, at, str(kind), who, clean, head.hash, mark)
        c.execute(
            t.insert(t.ledger).values(
                seq=seq,
                action=number,
                at=at.isoformat(),
                kind=entry.kind,
                who=who,
                body=canonical(clean),
                previous=head.hash,
                hash=mark,
            )
        )
        c.execute(t.update(t.head).values(seq=seq, hash=mark))
        if not number:
            return cast("Action", None)
        after = fold(before, entry)
        self._keep(c, after, new=before is None)
        return after

    def _mark_undone(self, c: Connection, undo: Action, who: str) -> None:
        """In the same transaction: an undo that is verified, and the action it undid."""
        t = self._t
        first = self._get(c, cast("int", undo.undoes))
        if State.UNDONE in NEXT[first.state]:
            head = c.execute(t.select(t.head)).first()
            body: dict[str, Json] = {"undone_by": undo.number}
            self._append(c, head, first.number, State.UNDONE, who, body, first)

    def _keep(self, c: Connection, action: Action, *, new: bool) -> None:
        t = self._t
        values = {
            "state": action.state.value,
            "changed_at": action.changed_at.isoformat(),
            "body": canonical(to_json(action)),
        }
        if new:
            keys = {
                "number": action.number,
                "key": action.key,
                "conversation": action.conversation,
                "undoes": action.undoes,
            }
            c.execute(t.insert(t.actions).values(**keys, **values))
        else:
            c.execute(
                t.update(t.actions).where(t.actions.c.number == action.number).values(**values)
            )
