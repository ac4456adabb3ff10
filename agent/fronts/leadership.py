"""One process of many leads a task for a while: a lease in the store."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from agent.fronts.inbox import Inbox

if TYPE_CHECKING:
    from sqlalchemy import Connection


def lead(inbox: Inbox, name: str, seconds: float = 15.0) -> bool:
    """Whether this process leads ``name`` now; renewed by asking again before it lapses."""
    from agent.fronts import inbox_tables as t

    now = inbox.clock.now()
    mine = {"owner": inbox.owner, "until": (now + timedelta(seconds=seconds)).isoformat()}

    def write(c: Connection) -> bool:
        row: Any = c.execute(t.select(t.leaders).where(t.leaders.c.name == name)).first()
        if row is None:
            added = inbox.store.insert_ignoring(t.leaders).values(name=name, **mine)
            return c.execute(added).rowcount == 1
        if row.owner != inbox.owner and row.until >= now.isoformat() and not inbox.gone(row.owner):
            return False
        same = (t.leaders.c.name == name) & (t.leaders.c.until == row.until)
        return c.execute(t.update(t.leaders).where(same).values(**mine)).rowcount == 1

    return inbox.submit(write).result()
