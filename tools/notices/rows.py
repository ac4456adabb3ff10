"""The outbox: rows written once per key, taken by one sender at a time, tried until they go.

A sender that dies leaves its row ``sending``; after a lease another takes it. Works on SQLite and
Postgres: taking is a compare-and-set over state, owner and attempts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tools.notices.base import Notice, NoticeState, Severity

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tools.store import Store

LEASE = timedelta(seconds=60)
"""How long an attempt may take before another process may make it."""
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=15)
ESCALATION = "escalation:"
"""How the keys of escalations begin."""


def wait_after(attempts: int, key: str) -> timedelta:
    """How long to wait after that many attempts: doubling from 5 s to 15 min, ±20 % by key."""
    plain = min(FIRST_WAIT * 2 ** min(attempts - 1, 12), LONGEST_WAIT)
    spread = int(hashlib.sha256(f"{key}/{attempts}".encode()).hexdigest()[:4], 16) / 0xFFFF
    return plain * (0.8 + 0.4 * spread)


def notice_id(key: str) -> str:
    """The short id a message carries."""
    return hashlib.sha256(key.encode()).hexdigest()[:10]


class Outbox:
    """The rows."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def tables(self) -> Any:
        """The tables, created where they are missing."""
        return self._t

    @property
    def _t(self) -> Any:
        from tools.notices import tables

        self._store.ensure(tables.tables)
        return tables

    def put(self, notice: Notice) -> bool:
        """Write a row once per key; false when it was there."""
        t = self._t
        with self._store.write() as c:
            return self.put_in(c, t, notice)

    def put_in(self, c: Connection, t: Any, notice: Notice) -> bool:
        """:meth:`put` inside a transaction of the caller's, with the tables ensured before."""
        values = {
            "key": notice.key,
            "id": notice.id,
            "target": notice.target,
            "kind": notice.kind,
            "severity": notice.severity,
            "subject": notice.subject,
            "text": notice.text,
            "attachment": str(notice.attachment) if notice.attachment else None,
            "thread": notice.thread,
            "state": "queued",
            "created_at": text_of(notice.created_at),
            "next_try": text_of(notice.next_try),
            "gives_up": text_of(notice.gives_up),
            "attempts": 0,
            "owner": "",
            "error": "",
        }
        statement = self._store.insert_ignoring(t.outbox).values(**values)
        return c.execute(statement).rowcount == 1

    def get(self, key: str) -> Notice | None:
        """The row of a key."""
        t = self._t
        with self._store.read() as c:
            row = c.execute(t.select(t.outbox).where(t.outbox.c.key == key)).first()
        return _notice(row) if row else None

    def due(self, now: datetime, skip: Sequence[str], limit: int) -> Sequence[Notice]:
        """Rows that somebody should try now, oldest first, without kinds this process cannot."""
        t = self._t
        query = (
            t.select(t.outbox)
            .where(
                t.outbox.c.state.in_(("queued", "sending"))
                & (t.outbox.c.next_try <= text_of(now))
                & t.outbox.c.kind.not_in(list(skip))
            )
            .order_by(t.outbox.c.next_try)
            .limit(limit)
        )
        with self._store.read() as c:
            return [_notice(row) for row in c.execute(query)]

    def take(self, notice: Notice, owner: str, now: datetime) -> Notice | None:
        """Take a row as it was seen, for one attempt; ``None`` when another did."""
        if notice.state not in ("queued", "sending") or notice.next_try > now:
            return None
        t = self._t
        same = (
            (t.outbox.c.key == notice.key)
            & (t.outbox.c.state == notice.state)
            & (t.outbox.c.attempts == notice.attempts)
            & (t.outbox.c.next_try == text_of(notice.next_try))
        )
        values = {
            "state": "sending",
            "owner": owner,
            "attempts": notice.attempts + 1,
            "next_try": text_of(now + LEASE),
        }
        with self._store.write() as c:
            won = c.execute(t.update(t.outbox).where(same).values(**values)).rowcount == 1
        return self.get(notice.key) if won else None

    def delivered(self, notice: Notice, owner: str, now: datetime) -> bool:
        """Note that it went out."""
        values = {"state": "delivered", "delivered_at": text_of(now), "error": ""}
        return self._settle(notice, owner, values)

    def again(self, notice: Notice, owner: str, now: datetime, error: str) -> bool:
        """Note why it did not, and when it is tried again; give up when its time is over."""
        next_try = now + wait_after(notice.attempts, notice.key)
        if next_try > notice.gives_up:
            said = f"given up after {notice.attempts} attempts: {error}"
            return self._settle(notice, owner, {"state": "failed", "error": said})
        values = {"state": "queued", "next_try": text_of(next_try), "error": error}
        return self._settle(notice, owner, values)

    def failed(self, notice: Notice, owner: str, error: str) -> bool:
        """Note that trying again is useless."""
        return self._settle(notice, owner, {"state": "failed", "error": error})

    def _settle(self, notice: Notice, owner: str, values: dict[str, Any]) -> bool:
        t = self._t
        mine = (
            (t.outbox.c.key == notice.key)
            & (t.outbox.c.state == "sending")
            & (t.outbox.c.owner == owner)
            & (t.outbox.c.attempts == notice.attempts)
        )
        with self._store.write() as c:
            return c.execute(t.update(t.outbox).where(mine).values(**values)).rowcount == 1

    def cancel(self, key: str) -> bool:
        """Keep a waiting row from being sent; false when it is not waiting."""
        return self._cancel(self._t.outbox.c.key == key) == 1

    def cancel_escalations(self, thread: str) -> int:
        """Keep the waiting escalations of a thread from being sent; how many."""
        t = self._t
        return self._cancel((t.outbox.c.thread == thread) & t.outbox.c.key.startswith(ESCALATION))

    def _cancel(self, which: Any) -> int:
        t = self._t
        waiting = which & (t.outbox.c.state == "queued")
        with self._store.write() as c:
            changed = c.execute(t.update(t.outbox).where(waiting).values(state="cancelled"))
            return int(changed.rowcount)

    def recent(self, limit: int) -> Sequence[Notice]:
        """Newest first."""
        t = self._t
        query = t.select(t.outbox).order_by(t.outbox.c.created_at.desc()).limit(limit)
        with self._store.read() as c:
            return [_notice(row) for row in c.execute(query)]


def _notice(row: Any) -> Notice:
    return Notice(
        id=row.id,
        key=row.key,
        target=row.target,
        kind=row.kind,
        severity=cast("Severity", row.severity),
        subject=row.subject,
        text=row.text,
        state=cast("NoticeState", row.state),
        created_at=datetime.fromisoformat(row.created_at),
        next_try=datetime.fromisoformat(row.next_try),
        gives_up=datetime.fromisoformat(row.gives_up),
        attempts=row.attempts,
        delivered_at=datetime.fromisoformat(row.delivered_at) if row.delivered_at else None,
        error=row.error,
        thread=row.thread,
        attachment=Path(row.attachment) if row.attachment else None,
    )


def text_of(at: datetime) -> str:
    """A time as the tables keep it: UTC, fixed width, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
