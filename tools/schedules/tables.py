"""Tables of the schedules. Imported when first used: SQLAlchemy is not free."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    event,
    func,
    insert,
    select,
    update,
)

tables = MetaData()
jobs = Table(
    "schedule_jobs",
    tables,
    Column("uid", String(200), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("cron", String(120), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("channel", String(200), nullable=False),
    Column("window", String(32), nullable=False),
    Column("missed", String(16), nullable=False),
    Column("grace", Integer, nullable=False),
    Column("since", String(40), nullable=False),
    Column("ended_at", String(40)),
    Column("ended_by", String(200), index=True),
)
# As plain DDL: naming Postgres in an Index makes SQLAlchemy load its whole Postgres dialect.
event.listen(
    jobs,
    "after_create",
    DDL(
        "CREATE UNIQUE INDEX IF NOT EXISTS schedule_jobs_one_name "
        "ON schedule_jobs (name) WHERE ended_at IS NULL"
    ),
)
runs = Table(
    "schedule_runs",
    tables,
    Column("job", String(200), primary_key=True),
    Column("due", String(40), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("lease", String(40), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("started_at", String(40), nullable=False),
    Column("ended_at", String(40)),
    Column("note", Text, nullable=False),
)

__all__ = ["func", "insert", "jobs", "runs", "select", "tables", "update"]
