"""Tables of the inbox and of what fronts posted. Imported when first used."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

tables = MetaData()
inbox = Table(
    "inbox",
    tables,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("front", String(24), nullable=False),
    Column("id", String(200), nullable=False),
    Column("conversation", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("at", String(40), nullable=False),
    Column("state", String(8), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("attempts", Integer, nullable=False),
    Index("inbox_once", "front", "id", unique=True),
    Index("inbox_waiting", "state", "owner"),
)
deliveries = Table(
    "inbox_deliveries",
    tables,
    Column("front", String(24), primary_key=True),
    Column("delivery", String(200), primary_key=True),
    Column("at", String(40), nullable=False, index=True),
)
owners = Table(
    "inbox_owners",
    tables,
    Column("owner", String(200), primary_key=True),
    Column("until", String(40), nullable=False),
)
posts = Table(
    "posts",
    tables,
    Column("key", String(200), primary_key=True),
    Column("place", String(200), nullable=False),
    Column("thread", String(40), nullable=False),
    Column("ts", String(40), nullable=False),
    Column("shown", String(64), nullable=False),
    Column("action", Integer, index=True),
    Column("closed", Integer, nullable=False),
    Column("at", String(40), nullable=False),
)
leaders = Table(
    "leaders",
    tables,
    Column("name", String(60), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("until", String(40), nullable=False),
)


__all__ = [
    "delete",
    "deliveries",
    "func",
    "inbox",
    "insert",
    "leaders",
    "owners",
    "posts",
    "select",
    "tables",
    "update",
]
