"""The tables of this room. Times are seconds since 1970 (UTC), documents are JSON text."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table


@cache
def metadata() -> MetaData:
    """All tables, built at first use so that SQLAlchemy is not imported before."""
    from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, Text

    data = MetaData()
    Table(
        "alerts",
        data,
        Column("id", Integer, primary_key=True),
        Column("key", String(64), nullable=False, unique=True),
        Column("fingerprint", String(32), nullable=False, index=True),
        Column("name", String(256), nullable=False, index=True),
        Column("severity", String(64), nullable=False),
        Column("labels", Text, nullable=False),
        Column("annotations", Text, nullable=False),
        Column("starts_at", Float, nullable=False),
        Column("ends_at", Float),
        Column("received_at", Float, nullable=False),
        Column("source", String(64), nullable=False),
        Column("firing", Integer, nullable=False),
        Column("incident", Integer, index=True),
    )
    Index("alerts_open", data.tables["alerts"].c.firing, data.tables["alerts"].c.starts_at)
    Table(
        "alert_rejects",
        data,
        Column("id", Integer, primary_key=True),
        Column("received_at", Float, nullable=False),
        Column("reason", String(256), nullable=False),
        Column("body", Text, nullable=False),
    )
    Table(
        "alert_incidents",
        data,
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("root", String(32), nullable=False),
        Column("name", String(256), nullable=False),
        Column("own", Text, nullable=False),
        Column("level", Integer, nullable=False),
        Column("cluster", String(256), nullable=False),
        Column("opened_at", Float, nullable=False),
        Column("updated_at", Float, nullable=False, index=True),
        Column("upstream", Text, nullable=False),
        Column("roots", Integer, nullable=False),
        Column("absorbed_by", Integer),
        Column("cause", Text),
        Column("confirmed_by", Text),
    )
    Table(
        "alert_claims",
        data,
        Column("entity", String(512), primary_key=True),
        Column("incident", Integer, nullable=False, index=True),
    )
    Table(
        "alert_silences",
        data,
        Column("id", String(64), primary_key=True),
        Column("matchers", Text, nullable=False),
        Column("starts_at", Float, nullable=False),
        Column("ends_at", Float, nullable=False),
        Column("created_by", String(256), nullable=False),
        Column("comment", Text, nullable=False),
        Column("action_id", String(128), index=True),
    )
    Table(
        "alert_feedback",
        data,
        Column("id", Integer, primary_key=True),
        Column("alert", String(256), nullable=False),
        Column("playbook", String(256), nullable=False, index=True),
        Column("cause", String(256), nullable=False),
        Column("who", String(256), nullable=False),
        Column("at", Float, nullable=False),
        Column("incident", Integer),
        Column("action_id", String(128), unique=True),
        Column("weight", Float, nullable=False),
    )
    return data


def table(name: str) -> Table:
    """One of them."""
    return metadata().tables[name]


def upsert(store_is_sqlite: bool, name: str, key: str, columns: tuple[str, ...]) -> Any:
    """An INSERT that replaces ``columns`` of a row whose ``key`` is already there."""
    if store_is_sqlite:
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        statement = sqlite_insert(table(name))
        return statement.on_conflict_do_update(
            index_elements=[key], set_={c: statement.excluded[c] for c in columns}
        )
    from sqlalchemy.dialects.postgresql import insert as postgres_insert

    other = postgres_insert(table(name))
    return other.on_conflict_do_update(
        index_elements=[key], set_={c: other.excluded[c] for c in columns}
    )
