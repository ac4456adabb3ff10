"""Who serves which slot.

``schedule_runs`` has the primary key (job, due): inserting the row *is* taking the slot. A holder
renews its lease; a lapsed one is taken over by comparing owner and lease, so that of any number of
racers one wins. Works on SQLite and Postgres.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, cast

from tools.schedules.base import Run, RunState

if TYPE_CHECKING:
    from tools.store import Store

LEASE = timedelta(seconds=60)
"""How long a silent holder keeps a slot."""
ATTEMPTS = 3
"""So many processes may die over one slot before it is left alone."""


class Runs:
    """The slots taken so far."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def _t(self) -> Any:
        from tools.schedules import tables

        self._store.ensure(tables.tables)
        return tables

    def over(self, job: str, at: datetime) -> bool:
        """Whether the slot was served (or given up)."""
        row = self._row(job, at)
        return row is not None and row.state != "running"

    def take(self, job: str, at: datetime, owner: str, now: datetime) -> int:
        """Try to take a slot: the number of this attempt, or 0 when another has it."""
        row = self._row(job, at)
        if row is None:
            return int(self._insert(job, at, owner, now))
        if row.state != "running" or time_of(row.lease) > now:
            return 0
        return self._take_over(row, owner, now)

    def _row(self, job: str, at: datetime) -> Any:
        with self._store.read() as c:
            return c.execute(self._t.select(self._t.runs).where(self._slot(job, at))).first()

    def _slot(self, job: str, at: datetime) -> Any:
        return (self._t.runs.c.job == job) & (self._t.runs.c.due == text_of(at))

    def _insert(self, job: str, at: datetime, owner: str, now: datetime) -> bool:
        values = {
            "job": job,
            "due": text_of(at),
            "state": "running",
            "owner": owner,
            "lease": text_of(now + LEASE),
            "attempts": 1,
            "started_at": text_of(now),
            "note": "",
        }
        with self._store.write() as c:
            return (
                c.execute(self._store.insert_ignoring(self._t.runs).values(**values)).rowcount == 1
            )

    def _take_over(self, row: Any, owner: str, now: datetime) -> int:
        t = self._t
        lapsed = (
            (t.runs.c.job == row.job)
            & (t.runs.c.due == row.due)
            & (t.runs.c.state == "running")
            & (t.runs.c.owner == row.owner)
            & (t.runs.c.lease == row.lease)
        )
        if row.attempts >= ATTEMPTS:
            note = f"given up: {row.attempts} processes died over it"
            values = {"state": "failed", "ended_at": text_of(now), "note": note}
        else:
            lease = text_of(now + LEASE)
            values = {"owner": owner, "lease": lease, "attempts": row.attempts + 1}
        with self._store.write() as c:
            won = c.execute(t.update(t.runs).where(lapsed).values(**values)).rowcount == 1
        return row.attempts + 1 if won and "owner" in values else 0

    def renew(self, job: str, at: datetime, owner: str, now: datetime) -> bool:
        """Hold a slot longer; false when another took it over."""
        return self._held(job, at, owner, {"lease": text_of(now + LEASE)})

    def finish(
        self,
        job: str,
        at: datetime,
        owner: str,
        now: datetime,
        state: Literal["done", "failed"],
        note: str,
    ) -> bool:
        """End a slot; false when another took it over."""
        values = {"state": state, "ended_at": text_of(now), "note": note[:2000]}
        return self._held(job, at, owner, values)

    def _held(self, job: str, at: datetime, owner: str, values: dict[str, str]) -> bool:
        t = self._t
        mine = self._slot(job, at) & (t.runs.c.owner == owner) & (t.runs.c.state == "running")
        with self._store.write() as c:
            return c.execute(t.update(t.runs).where(mine).values(**values)).rowcount == 1

    def last(self, job: str) -> Run | None:
        """The newest slot anybody took."""
        t = self._t
        query = t.select(t.runs).where(t.runs.c.job == job).order_by(t.runs.c.due.desc()).limit(1)
        with self._store.read() as c:
            row = c.execute(query).first()
        if row is None:
            return None
        return Run(time_of(row.due), cast("RunState", row.state), row.attempts, row.note)


def text_of(at: datetime) -> str:
    """A time as the tables keep it: UTC, fixed width, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def time_of(text: str) -> datetime:
    """The time kept as ``text``."""
    return datetime.fromisoformat(text)
