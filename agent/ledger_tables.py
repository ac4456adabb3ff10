"""Tables of the ledger. Imported when the ledger is first used: SQLAlchemy is not free."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    Column,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    event,
    func,
    insert,
    select,
    update,
)

from tools.store import Store

tables = MetaData()
ledger = Table(
    "ledger",
    tables,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("action", Integer, nullable=False, index=True),
    Column("at", String(40), nullable=False, index=True),
    Column("kind", String(24), nullable=False),
    Column("who", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
head = Table(
    "ledger_head",
    tables,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("ledger", String(16), nullable=False),
    Column("touched", Integer, nullable=False),
)
actions = Table(
    "actions",
    tables,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("key", String(300), nullable=False, unique=True),
    Column("state", String(16), nullable=False, index=True),
    Column("conversation", String(200), nullable=False, index=True),
    Column("undoes", Integer, index=True),
    Column("changed_at", String(40), nullable=False, index=True),
    Column("body", Text, nullable=False),
)
leases = Table(
    "action_leases",
    tables,
    Column("action", Integer, primary_key=True, autoincrement=False),
    Column("owner", String(200), nullable=False),
    Column("until", String(40), nullable=False),
)
progress = Table(
    "action_progress",
    tables,
    Column("action", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("text", Text, nullable=False),
    Column("fraction", Float),
    Column("eta", Float),
)

_SQLITE = """CREATE TRIGGER IF NOT EXISTS ledger_is_append_only_{verb} BEFORE {verb} ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"""
_POSTGRES = """CREATE OR REPLACE RULE ledger_is_append_only_{verb} AS ON {verb} TO ledger
DO INSTEAD NOTHING"""
for _verb in ("UPDATE", "DELETE"):
    for _dialect, _statement in (("sqlite", _SQLITE), ("postgresql", _POSTGRES)):
        event.listen(
            ledger,
            "after_create",
            DDL(_statement.format(verb=_verb)).execute_if(dialect=_dialect),
        )


def ensure(store: Store) -> None:
    """Create the tables where they are missing."""
    store.ensure(tables)


__all__ = [
    "actions",
    "delete",
    "ensure",
    "func",
    "head",
    "insert",
    "leases",
    "ledger",
    "progress",
    "select",
    "tables",
    "update",
]
