"""The table of jobs: who asked for what, before anything is started."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table

    from tools.store import Store


@cache
def tables() -> MetaData:
    """One row per job; everything that changes while it runs is in its folder."""
    from sqlalchemy import JSON, Column, DateTime, Integer, MetaData, String, Table

    room = MetaData()
    Table(
        "model_jobs",
        room,
        Column("id", Integer, primary_key=True),
        Column("name", String(253), nullable=False, unique=True),
        Column("action_id", String(128), nullable=False, unique=True),
        Column("kind", String(32), nullable=False),
        Column("model", String(253), nullable=False),
        Column("workers", Integer, nullable=False),
        Column("params", JSON, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False),
    )
    return room


def _table() -> Table:
    return tables().tables["model_jobs"]


def claim(store: Store, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row of this action, written now if there is none; an empty name becomes the next one."""
    from sqlalchemy import func, select, text

    table = _table()
    store.ensure(tables())
    with store.write() as connection:
        if not store.is_sqlite:
            connection.execute(text("LOCK TABLE model_jobs IN SHARE ROW EXCLUSIVE MODE"))
        same = select(table).where(table.c.action_id == row["action_id"])
        found = connection.execute(same).mappings().first()
        if found is None:
            stem = f"{row['model']}-{row['kind']}"
            count = select(func.count()).where(table.c.name.like(f"{stem}-%"))
            number = int(connection.execute(count).scalar_one()) + 1
            name = row["name"] or f"{stem}-{number}"
            connection.execute(table.insert().values({**row, "name": name}))
            found = connection.execute(same).mappings().one()
        return dict(found)


def find(store: Store, **where: str) -> dict[str, Any] | None:
    """The job with this ``name`` or ``action_id``."""
    from sqlalchemy import select

    table = _table()
    store.ensure(tables())
    query = select(table).filter_by(**where)
    with store.read() as connection:
        found = connection.execute(query).mappings().first()
    return dict(found) if found else None


def every(store: Store, limit: int = 200) -> list[dict[str, Any]]:
    """The newest jobs, newest first."""
    from sqlalchemy import select

    table = _table()
    store.ensure(tables())
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    with store.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
