"""Tables of the outbox. Imported when first used: SQLAlchemy is not free."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, String, Table, Text, select, update

tables = MetaData()
outbox = Table(
    "notices",
    tables,
    Column("key", String(300), primary_key=True),
    Column("id", String(16), nullable=False),
    Column("target", String(200), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("attachment", Text),
    Column("thread", String(200), index=True),
    Column("state", String(16), nullable=False, index=True),
    Column("created_at", String(40), nullable=False, index=True),
    Column("next_try", String(40), nullable=False),
    Column("gives_up", String(40), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("delivered_at", String(40)),
    Column("error", Text, nullable=False),
)
threads = Table(
    "notice_threads",
    tables,
    Column("thread", String(200), primary_key=True),
    Column("severity", String(16), nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("next_at", String(40)),
    Column("acknowledged_by", String(200)),
    Column("acknowledged_at", String(40)),
)

__all__ = ["outbox", "select", "tables", "threads", "update"]
