"""The durable inbox: what arrived at any front, written down before it is acknowledged.

An item is identified twice: by its delivery (a retried event has the same one) and by what it is
(the same message may arrive as two different events). Either makes a repeat harmless. Items belong
to the process that received them; when that process is gone another one adopts them.

Writes from many fronts are gathered into one transaction (group commit), so that acknowledging
stays fast under load on SQLite.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tools.contract import Json
from tools.errors import ToolError, Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tools.store import Store
    from tools.world import Clock

ALIVE = timedelta(seconds=30)
KEEP = timedelta(days=7)
BATCH = 200
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that arrived. ``delivery`` may be empty when ``id`` says it all."""

    front: str
    id: str
    conversation: str
    body: Mapping[str, Json]
    delivery: str = ""
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class _Write:
    run: Callable[[Connection], Any]
    result: Future[Any]


class Inbox:
    """Items waiting in the store. Thread-safe; one writer thread per process."""

    def __init__(self, store: Store, clock: Clock, owner: str, gone: Callable[[str], bool]) -> None:
        self.store = store
        self.clock = clock
        self.owner = owner
        self.gone = gone
        """Whether another owner's process certainly no longer runs."""
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="inbox", daemon=True)
        self._thread.start()

    @property
    def _t(self) -> Any:
        from agent.fronts import inbox_tables

        self.store.ensure(inbox_tables.tables)
        return inbox_tables

    def put(self, item: Item) -> Future[bool]:
        """Write an item down; resolves after the commit, false for a repeat.

        The future raises ``ToolError`` when it could not be stored: do not acknowledge.
        """
        return self.submit(lambda c: self._insert(c, item))

    def first(self, front: str, delivery: str) -> Future[bool]:
        """Whether this delivery was never seen before; it counts as seen from now on."""
        key = {"front": front, "delivery": delivery[:200], "at": self.clock.now().isoformat()}

        def write(c: Connection) -> bool:
            added = self.store.insert_ignoring(self._t.deliveries).values(**key)
            return c.execute(added).rowcount == 1

        return self.submit(write)

    def done(self, item: Item) -> Future[None]:
        """The item was dealt with."""
        return self.submit(lambda c: self._set(c, item, state="done"))

    def failed(self, item: Item, dead: bool) -> Future[None]:
        """An attempt failed; a ``dead`` item is kept for a person and not tried again."""
        state = "dead" if dead else "new"
        return self.submit(lambda c: self._set(c, item, state=state, attempts=item.attempts + 1))

    def beat(self) -> None:
        """Say that this process lives; forget what is older than a week."""
        t, now = self._t, self.clock.now()
        until, old = (now + ALIVE).isoformat(), (now - KEEP).isoformat()

        def write(c: Connection) -> None:
            c.execute(t.delete(t.owners).where(t.owners.c.owner == self.owner))
            c.execute(t.insert(t.owners).values(owner=self.owner, until=until))
            c.execute(t.delete(t.inbox).where(t.inbox.c.state == "done", t.inbox.c.at < old))
            c.execute(t.delete(t.deliveries).where(t.deliveries.c.at < old))

        self.submit(write).result()

    def adopt(self, fronts: Sequence[str], *, own: bool = False) -> list[Item]:
        """Take over waiting items of processes that are gone, oldest first.

        ``own`` returns this process's items too: for the start.
        """
        t = self._t
        query = (
            t.select(t.inbox)
            .where(t.inbox.c.state == "new", t.inbox.c.front.in_(list(fronts)))
            .order_by(t.inbox.c.seq)
        )
        if not own:
            query = query.where(t.inbox.c.owner != self.owner)
        with self.store.read() as c:
            rows: list[Any] = [*c.execute(query)]
            alive = self._alive(c) if rows else set[str]()
        mine = [r for r in rows if r.owner == self.owner]
        orphans = [r for r in rows if r.owner != self.owner and r.owner not in alive]
        taken: list[Any] = []
        if orphans:
            taken = self.submit(lambda c: self._take(c, orphans)).result()
        return [_item(row) for row in sorted([*mine, *taken], key=lambda r: r.seq)]

    def waiting(self) -> int:
        """How many items nobody dealt with yet, in all processes."""
        t = self._t
        query = t.select(t.func.count()).select_from(t.inbox).where(t.inbox.c.state == "new")
        with self.store.read() as c:
            return int(c.execute(query).scalar() or 0)

    def close(self) -> None:
        """Write what is queued, let others adopt what waits, and end."""
        t = self._t
        self.submit(
            lambda c: c.execute(t.delete(t.owners).where(t.owners.c.owner == self.owner))
        ).result()
        self._queue.put(None)
        self._thread.join(10)

    def _insert(self, c: Connection, item: Item) -> bool:
        t, at = self._t, self.clock.now().isoformat()
        if item.delivery:
            key = {"front": item.front, "delivery": item.delivery[:200], "at": at}
            if not c.execute(self.store.insert_ignoring(t.deliveries).values(**key)).rowcount:
                return False
        row = {
            "front": item.front,
            "id": item.id,
            "conversation": item.conversation,
            "body": json.dumps(item.body, ensure_ascii=False),
            "at": at,
            "state": "new",
            "owner": self.owner,
            "attempts": 0,
        }
        return c.execute(self.store.insert_ignoring(t.inbox).values(**row)).rowcount == 1

    def _set(self, c: Connection, item: Item, **values: Any) -> None:
        t = self._t
        same = (t.inbox.c.front == item.front) & (t.inbox.c.id == item.id)
        c.execute(t.update(t.inbox).where(same).values(**values))

    def _take(self, c: Connection, rows: Sequence[Any]) -> list[Any]:
        t = self._t
        taken: list[Any] = []
        for row in rows:
            same = (
                (t.inbox.c.seq == row.seq)
                & (t.inbox.c.owner == row.owner)
                & (t.inbox.c.state == "new")
            )
            if c.execute(t.update(t.inbox).where(same).values(owner=self.owner)).rowcount:
                taken.append(row)
        return taken

    def _alive(self, c: Connection) -> set[str]:
        t, now = self._t, self.clock.now()
        rows: list[Any] = [*c.execute(t.select(t.owners))]
        return {
            r.owner
            for r in rows
            if datetime.fromisoformat(r.until) > now and not self.gone(r.owner)
        }

    def submit(self, run: Callable[[Connection], Any]) -> Future[Any]:
        """Run a small write in the next common transaction; resolves after its commit."""
        write = _Write(run, Future())
        self._queue.put(write)
        return write.result

    def _write_all(self) -> None:
        while True:
            batch = self._gather()
            if not batch:
                return
            # A waiter that was cancelled no longer listens; what it asked for is written anyway.
            waiting = [write.result.set_running_or_notify_cancel() for write in batch]
            results, fault = self._commit(batch)
            for write, waits, result in zip(batch, waiting, results, strict=True):
                if waits and fault is not None:
                    write.result.set_exception(fault)
                elif waits:
                    write.result.set_result(result)

    def _commit(self, batch: Sequence[_Write]) -> tuple[list[Any], ToolError | None]:
        try:
            _ = self._t
            with self.store.write(urgent=True) as c:
                return [write.run(c) for write in batch], None
        except ToolError as error:
            return [None] * len(batch), error
        except Exception as error:  # the writer thread must outlive a bug
            log.error("inbox write broke", exc_info=error)
            return [None] * len(batch), Unavailable("The inbox could not be written.")

    def _gather(self) -> list[_Write]:
        """The next writes, waiting for the first; empty when closed."""
        first = self._queue.get()
        if first is None:
            return []
        batch = [first]
        while len(batch) < BATCH:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                break
            if more is None:
                self._queue.put(None)
                break
            batch.append(more)
        return batch


def _item(row: Any) -> Item:
    body = json.loads(row.body)
    return Item(row.front, row.id, row.conversation, body, attempts=row.attempts)
