"""Who is carrying out an action right now, and how far it is. Not part of the ledger's proof.

A lease tells other processes that an owner is alive; when it lapses (or the owner's process is
gone) :meth:`agent.recovery.Recovery.reconcile` asks the world what happened.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from agent.events import Progress

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

    from tools.store import Store
    from tools.world import Clock

LEASE = timedelta(seconds=30)


def this_process() -> str:
    """``host:pid:start time``: names this process and no later one with the same pid."""
    import psutil

    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def is_gone(owner: str) -> bool:
    """Whether an owner on this host certainly no longer runs; false when it cannot be told."""
    import psutil

    host, pid, started = owner.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(started)) > 0.05
    except psutil.NoSuchProcess:
        return True


class Work:
    """Leases and progress of running actions."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @property
    def _t(self) -> Any:
        from agent import ledger_tables

        ledger_tables.ensure(self._store)
        return ledger_tables

    def taking(self, number: int, owner: str) -> Callable[[Connection], None]:
        """To be run inside a ledger transaction: ``owner`` takes the action."""

        def write(c: Connection) -> None:
            t = self._t
            until = (self._clock.now() + LEASE).isoformat()
            self._put(c, t.leases, number, {"owner": owner, "until": until})

        return write

    def renew(self, number: int, owner: str) -> None:
        """Say that ``owner`` still works on it."""
        with self._store.write() as c:
            self.taking(number, owner)(c)

    def take(self, number: int, me: str) -> bool:
        """Take over what no living owner holds; of all racers one gets it."""
        t = self._t
        until = (self._clock.now() + LEASE).isoformat()
        with self._store.write() as c:
            row = c.execute(t.select(t.leases).where(t.leases.c.action == number)).first()
            if row is not None and self._alive(row):
                return False
            if row is None:
                taken = c.execute(
                    self._store.insert_ignoring(t.leases).values(
                        action=number, owner=me, until=until
                    )
                )
            else:
                same = (
                    (t.leases.c.action == number)
                    & (t.leases.c.owner == row.owner)
                    & (t.leases.c.until == row.until)
                )
                taken = c.execute(t.update(t.leases).where(same).values(owner=me, until=until))
            return taken.rowcount == 1

    def drop(self, number: int, owner: str) -> None:
        """``owner`` works on it no more; another's lease stays."""
        t = self._t
        own = (t.leases.c.action == number) & (t.leases.c.owner == owner)
        with self._store.write() as c:
            c.execute(t.delete(t.leases).where(own))

    def busy(self, number: int, me: str) -> bool:
        """Whether another living owner works on it."""
        t = self._t
        with self._store.read() as c:
            row = c.execute(t.select(t.leases).where(t.leases.c.action == number)).first()
        return row is not None and row.owner != me and self._alive(row)

    def _alive(self, row: Any) -> bool:
        return not is_gone(row.owner) and datetime.fromisoformat(row.until) > self._clock.now()

    def report(self, progress: Progress) -> None:
        """Keep the newest progress of a running action."""
        t = self._t
        values = {
            "at": progress.at.isoformat(),
            "text": progress.text,
            "fraction": progress.fraction,
            "eta": progress.eta.total_seconds() if progress.eta else None,
        }
        with self._store.write() as c:
            self._put(c, t.progress, progress.action, values)

    def _put(self, c: Connection, table: Table, number: int, values: Mapping[str, Any]) -> None:
        """Write an action's one row. Two writers at once both succeed; the later one is kept."""
        t = self._t
        same = table.c.action == number
        if c.execute(t.update(table).where(same).values(**values)).rowcount:
            return
        added = self._store.insert_ignoring(table).values(action=number, **values)
        if not c.execute(added).rowcount:
            c.execute(t.update(table).where(same).values(**values))

    def progress(self, number: int) -> Progress | None:
        """The newest progress of an action."""
        t = self._t
        with self._store.read() as c:
            row = c.execute(t.select(t.progress).where(t.progress.c.action == number)).first()
        if row is None:
            return None
        eta = timedelta(seconds=row.eta) if row.eta is not None else None
        return Progress(number, row.text, row.fraction, eta, datetime.fromisoformat(row.at))
