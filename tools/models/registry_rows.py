"""The registry's tables and the statements that must happen together, for SQLite and Postgres."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData, Table


@cache
def tables() -> MetaData:
    """The registry's tables; JSON columns hold metrics, lineage and gate."""
    from sqlalchemy import (
        JSON,
        BigInteger,
        Column,
        DateTime,
        Integer,
        MetaData,
        String,
        Table,
        UniqueConstraint,
    )

    room = MetaData()
    Table("model_heads", room, Column("model", String(253), primary_key=True), _number("last"))
    Table(
        "model_versions",
        room,
        Column("model", String(253), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("digest", String(64), nullable=False),
        Column("format", String(32), nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("metrics", JSON, nullable=False),
        Column("technique", String(64), nullable=False),
        Column("parent", Integer),
        Column("action_id", String(128)),
        Column("job", String(253)),
        Column("lineage", JSON, nullable=False),
        Column("gate", JSON, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False),
        UniqueConstraint("model", "job", name="model_versions_job"),
    )
    Table(
        "model_aliases",
        room,
        Column("model", String(253), primary_key=True),
        Column("alias", String(253), primary_key=True),
        _number("number"),
    )
    Table(
        "model_alias_moves",
        room,
        Column("id", Integer, primary_key=True),
        Column("model", String(253), nullable=False),
        Column("alias", String(253), nullable=False),
        Column("before", Integer),
        Column("after", Integer),
        Column("action_id", String(128), nullable=False),
        Column("reason", String(2000), nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        UniqueConstraint("model", "alias", "action_id", name="model_alias_moves_action"),
    )
    return room


def _number(name: str) -> Any:
    from sqlalchemy import Column, Integer

    return Column(name, Integer, nullable=False)


def table(name: str) -> Table:
    """One table by name."""
    return tables().tables[name]


def lock(connection: Connection, model: str) -> int:
    """Hold the model's head row to the end of the transaction; returns the last number given."""
    from sqlalchemy import select, text

    heads = table("model_heads")
    connection.execute(
        text("INSERT INTO model_heads (model, last) VALUES (:m, 0) ON CONFLICT (model) DO NOTHING"),
        {"m": model},
    )
    query = select(heads.c.last).where(heads.c.model == model).with_for_update()
    return int(connection.execute(query).scalar_one())


def insert(connection: Connection, row: Mapping[str, Any]) -> int:
    """Write a version under the next number, once per job; numbers are never given again."""
    from sqlalchemy import select

    model, versions, heads = row["model"], table("model_versions"), table("model_heads")
    last = lock(connection, model)
    if row["job"] is not None:
        same = (versions.c.model == model) & (versions.c.job == row["job"])
        found = connection.execute(select(versions.c.number).where(same)).scalar()
        if found is not None:
            return int(found)
    connection.execute(heads.update().where(heads.c.model == model).values(last=last + 1))
    connection.execute(versions.insert().values(number=last + 1, **row))
    return last + 1


def aliases(connection: Connection, model: str) -> dict[str, int]:
    """Alias → version number, now."""
    from sqlalchemy import select

    place = table("model_aliases")
    query = select(place.c.alias, place.c.number).where(place.c.model == model)
    return {str(alias): int(number) for alias, number in connection.execute(query).all()}


def moved(connection: Connection, model: str, alias: str, action_id: str) -> bool:
    """Whether this action already moved this alias."""
    from sqlalchemy import select

    audit = table("model_alias_moves")
    query = select(audit.c.id).where(
        audit.c.model == model, audit.c.alias == alias, audit.c.action_id == action_id
    )
    return connection.execute(query).first() is not None


def move(connection: Connection, model: str, alias: str, number: int | None) -> None:
    """Point the alias at ``number``, or take it away."""
    place = table("model_aliases")
    connection.execute(place.delete().where(place.c.model == model, place.c.alias == alias))
    if number is not None:
        connection.execute(place.insert().values(model=model, alias=alias, number=number))


def moves(connection: Connection, model: str) -> list[dict[str, Any]]:
    """The audit of a model's alias moves, newest first: before, after, action_id, reason, at."""
    from sqlalchemy import select

    audit = table("model_alias_moves")
    query = select(audit).where(audit.c.model == model).order_by(audit.c.id.desc())
    return [dict(row) for row in connection.execute(query).mappings()]
