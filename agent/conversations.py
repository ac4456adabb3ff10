"""Conversations as rows: what was said, seen, proposed and decided. They outlive every process.

A turn is a run over these rows, safe to run again after a crash: it only reads and proposes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from tools.contract import Call, Json

if TYPE_CHECKING:
    from tools.store import Store
    from tools.world import Clock

Role = Literal["user", "assistant", "tool", "event"]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a conversation."""

    id: str
    """Unique in the conversation; a retried message has the same one."""
    role: Role
    text: str
    at: datetime
    who: str = ""
    call: Call | None = None
    """For ``tool``: what was looked at. For ``event``: the call of the action."""
    facts: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Action numbers, brain, usage, held calls, outcome details: plain data by role."""


class Conversations:
    """The rows of every conversation."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @property
    def _t(self) -> Any:
        from agent import conversation_tables

        self._store.ensure(conversation_tables.tables)
        return conversation_tables

    def add(
        self,
        conversation: str,
        id: str,
        role: Role,
        text: str,
        *,
        who: str = "",
        call: Call | None = None,
        facts: Mapping[str, Json] | None = None,
    ) -> bool:
        """Append a row once per ``id``; false when it was there already."""
        t = self._t
        body = {"call": [call.tool, dict(call.args)] if call else None, "facts": dict(facts or {})}
        with self._store.write() as c:
            taken = c.execute(
                t.select(t.lines.c.seq).where(
                    (t.lines.c.conversation == conversation) & (t.lines.c.id == id)
                )
            ).first()
            if taken:
                return False
            c.execute(
                t.insert(t.lines).values(
                    conversation=conversation,
                    id=id,
                    role=role,
                    text=text,
                    who=who,
                    at=self._clock.now().isoformat(),
                    body=json.dumps(body, ensure_ascii=False),
                )
            )
        return True

    def lines(self, conversation: str, limit: int = 400) -> list[Line]:
        """The newest ``limit`` rows, oldest first."""
        t = self._t
        query = self._rows.where(t.lines.c.conversation == conversation)
        with self._store.read() as c:
            found = c.execute(query.order_by(t.lines.c.seq.desc()).limit(limit))
            return [_line(*row) for row in found][::-1]

    def line(self, conversation: str, id: str) -> Line | None:
        """One row."""
        t = self._t
        query = self._rows.where((t.lines.c.conversation == conversation) & (t.lines.c.id == id))
        with self._store.read() as c:
            row = c.execute(query).first()
        return _line(*row) if row else None

    @property
    def _rows(self) -> Any:
        t = self._t
        return t.select(*(t.lines.c[name] for name in ("id", "role", "text", "at", "who", "body")))

    def recent(self, since: timedelta) -> Sequence[str]:
        """Conversations with a row in the last ``since``."""
        t = self._t
        begin = (self._clock.now() - since).isoformat()
        query = t.select(t.lines.c.conversation).where(t.lines.c.at >= begin).distinct()
        with self._store.read() as c:
            return [row.conversation for row in c.execute(query)]

    def forget(self, older_than: timedelta) -> int:
        """Delete rows older than that (the ledger keeps what was done); returns how many."""
        t = self._t
        begin = (self._clock.now() - older_than).isoformat()
        with self._store.write() as c:
            return c.execute(t.delete(t.lines).where(t.lines.c.at < begin)).rowcount


def asked_back(lines: Sequence[Line], who: str) -> bool:
    """Whether the newest of ``lines`` is Steward's question to ``who``, whose words came before."""
    said = [line for line in lines if line.role in ("user", "assistant")]
    if len(said) < 2 or said[-1].role != "assistant" or said[-2].who != who:
        return False
    return bool(said[-1].facts.get("pending")) or said[-1].text.rstrip().endswith(("?", "？"))


@lru_cache(maxsize=1024)
def _line(id: str, role: Role, text: str, at: str, who: str, body: str) -> Line:
    """Rows never change: a long conversation is read once, not at every turn."""
    read = json.loads(body)
    call = Call(*read["call"]) if read["call"] else None
    return Line(id, role, text, datetime.fromisoformat(at), who, call, read["facts"])
