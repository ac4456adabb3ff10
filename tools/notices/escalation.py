"""Threads that climb from target to target until a person acknowledges them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from tools.notices.base import Severity
from tools.notices.rows import text_of
from tools.notices.written import Escalation

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tools.store import Store


@dataclass(frozen=True, slots=True)
class Step:
    """The next level of a thread that nobody acknowledged in time."""

    thread: str
    severity: Severity
    subject: str
    text: str
    level: int
    """1 is the first escalation."""
    target: str


class Threads:
    """The threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def _t(self) -> Any:
        from tools.notices import tables

        self._store.ensure(tables.tables)
        return tables

    def open(
        self, thread: str, severity: Severity, subject: str, text: str, first: datetime
    ) -> bool:
        """Start a thread; its first escalation comes at ``first``. Once per thread."""
        values = {
            "thread": thread,
            "severity": severity,
            "subject": subject,
            "text": text,
            "level": 0,
            "next_at": text_of(first),
        }
        statement = self._store.insert_ignoring(self._t.threads).values(**values)
        with self._store.write() as c:
            return c.execute(statement).rowcount == 1

    def climb(
        self,
        plans: Mapping[Severity, Escalation],
        now: datetime,
        write: Callable[[Connection, Step], None],
    ) -> Sequence[Step]:
        """Take the steps that are due: of several processes one gets each.

        ``write`` puts the notice of a step down in the same transaction, so that none is lost.
        """
        t = self._t
        waiting = t.threads.c.acknowledged_at.is_(None) & (t.threads.c.next_at <= text_of(now))
        with self._store.read() as c:
            rows: Sequence[Any] = c.execute(t.select(t.threads).where(waiting)).all()
        steps = (
            self._climb(row, plans.get(cast("Severity", row.severity)), now, write) for row in rows
        )
        return [step for step in steps if step is not None]

    def _climb(
        self,
        row: Any,
        plan: Escalation | None,
        now: datetime,
        write: Callable[[Connection, Step], None],
    ) -> Step | None:
        t = self._t
        left = plan.to[row.level :] if plan else ()
        wait = text_of(now + plan.after) if plan and len(left) > 1 else None
        values = {"level": row.level + min(1, len(left)), "next_at": wait}
        same = (
            (t.threads.c.thread == row.thread)
            & (t.threads.c.level == row.level)
            & (t.threads.c.next_at == row.next_at)
            & t.threads.c.acknowledged_at.is_(None)
        )
        with self._store.write() as c:
            won = c.execute(t.update(t.threads).where(same).values(**values)).rowcount == 1
            if not won or not left:
                return None
            severity = cast("Severity", row.severity)
            step = Step(row.thread, severity, row.subject, row.text, row.level + 1, left[0])
            write(c, step)
        return step

    def acknowledged_by(self, thread: str) -> str | None:
        """Who has it; ``None`` while nobody does."""
        t = self._t
        query = t.select(t.threads.c.acknowledged_by).where(t.threads.c.thread == thread)
        with self._store.read() as c:
            row = c.execute(query).first()
        return row.acknowledged_by if row else None

    def acknowledge(self, thread: str, who: str, now: datetime) -> bool:
        """A person has it; false when it was acknowledged already or is unknown."""
        t = self._t
        statement = (
            t.update(t.threads)
            .where((t.threads.c.thread == thread) & t.threads.c.acknowledged_at.is_(None))
            .values(acknowledged_by=who, acknowledged_at=text_of(now), next_at=None)
        )
        with self._store.write() as c:
            return c.execute(statement).rowcount == 1
