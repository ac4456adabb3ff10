"""The tables of the embedded history, for SQLite and Postgres alike. Times are epoch milliseconds."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Table


@cache
def tables() -> tuple[Any, Table, Table, Table, Table]:
    """The metadata, and the tables of series, samples, roll-ups and the sampler's turn."""
    from sqlalchemy import BigInteger, Column, Float, Integer, MetaData, String, Table
    from sqlalchemy import UniqueConstraint as Unique

    data = MetaData()
    series = Table(
        "observe_series",
        data,
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("metric", String(200), nullable=False, index=True),
        Column("labels", String(1000), nullable=False),
        Unique("metric", "labels"),
    )
    samples = Table(
        "observe_samples",
        data,
        Column("series", Integer, primary_key=True, autoincrement=False),
        Column("at", BigInteger, primary_key=True, autoincrement=False),
        Column("value", Float(53), nullable=False),
    )
    rollups = Table(
        "observe_rollups",
        data,
        Column("series", Integer, primary_key=True, autoincrement=False),
        Column("at", BigInteger, primary_key=True, autoincrement=False),
        Column("mean", Float(53), nullable=False),
        Column("low", Float(53), nullable=False),
        Column("high", Float(53), nullable=False),
        Column("samples", Integer, nullable=False),
    )
    turns = Table(
        "observe_sampler",
        data,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("owner", String(100), nullable=False),
        Column("at", BigInteger, nullable=False),
    )
    return data, series, samples, rollups, turns
