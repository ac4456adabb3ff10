"""Tables of conversations. Imported when first used: SQLAlchemy is not free."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
)

tables = MetaData()
lines = Table(
    "conversation_lines",
    tables,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("conversation", String(200), nullable=False, index=True),
    Column("id", String(200), nullable=False),
    Column("role", String(12), nullable=False),
    Column("who", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", String(40), nullable=False, index=True),
    Column("body", Text, nullable=False),
    UniqueConstraint("conversation", "id"),
)

__all__ = ["delete", "insert", "lines", "select", "tables"]
