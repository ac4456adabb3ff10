"""The embedded database: SQLite in STEWARD_HOME, or Postgres by URL, through SQLAlchemy Core.

Each room keeps its own tables (its own ``MetaData``) and calls :meth:`Store.ensure` with them.
Database faults become one sentence here; no SQLAlchemy exception leaves a room.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any

from tools.errors import Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, MetaData, Table


_CREATING = 0x57E7A2D
"""The advisory lock of Postgres under which Steward creates tables."""


class StoreError(Unavailable):
    """The database cannot be used; the sentence says why and what to do."""


class Store:
    """One database, shared by every room of a process. Thread-safe."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine: Engine | None = None
        self._lock = Lock()
        # SQLite lets waiting writers sleep and poll; threads of one process queue here instead.
        # Ordinary writers pass the gate one by one, so an urgent one waits for at most one of them.
        self._gate = RLock()
        self._writing = RLock()
        self._ensured: set[int] = set()

    @classmethod
    def at_home(cls, home: Path) -> Store:
        """The SQLite file of a STEWARD_HOME."""
        return cls(f"sqlite:///{home / 'steward.db'}")

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.url.startswith("sqlite")

    @property
    def engine(self) -> Engine:
        """The engine, opened at first use."""
        with self._lock:
            if self._engine is None:
                self._engine = self._open()
            return self._engine

    def _open(self) -> Engine:
        from sqlalchemy import create_engine, event

        if not self.is_sqlite:
            return create_engine(self.url, pool_pre_ping=True, pool_size=5, max_overflow=10)
        path = Path(self.url.removeprefix("sqlite:///"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"Steward cannot keep its state in {path.parent}: {error.strerror}. "
                "Set STEWARD_HOME to a folder you can write."
            ) from None
        engine = create_engine(self.url, connect_args={"timeout": 10, "check_same_thread": False})

        def prepare(connection: Any, _record: object) -> None:
            cursor = connection.cursor()
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "busy_timeout=10000",
                "foreign_keys=ON",
            ):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()
            # The driver must not begin transactions on its own: begin() below decides the kind.
            connection.isolation_level = None

        event.listen(engine, "connect", prepare)
        return engine

    def ensure(self, tables: MetaData) -> None:
        """Create the tables of a room if they are missing."""
        if id(tables) in self._ensured:
            return
        with self.read() as connection:
            from sqlalchemy import inspect

            missing = set(tables.tables) - set(inspect(connection).get_table_names())
        if missing:
            with self.write() as connection:
                if not self.is_sqlite:
                    # Two processes that create the same table at once would fail one of them.
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_CREATING})")
                tables.create_all(connection, checkfirst=True)
        self._ensured.add(id(tables))

    @contextmanager
    def write(self, *, urgent: bool = False) -> Generator[Connection]:
        """A transaction that holds the write lock from its first statement (SQLite: IMMEDIATE).

        ``urgent`` goes ahead of this process's other writers: somebody waits for it in seconds.
        """
        with self._queued(urgent), self._translated(), self.engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                if self.is_sqlite:
                    _end(connection, "ROLLBACK")
                raise
            if self.is_sqlite:
                connection.exec_driver_sql("COMMIT")
            connection.commit()

    def insert_ignoring(self, table: Table) -> Any:
        """An INSERT that does nothing when the key is taken (``rowcount`` tells)."""
        if self.is_sqlite:
            from sqlalchemy.dialects.sqlite import insert as sqlite_insert

            return sqlite_insert(table).on_conflict_do_nothing()
        from sqlalchemy.dialects.postgresql import insert as postgres_insert

        # Without the option SQLAlchemy answers -1 for the number of inserted rows.
        statement = postgres_insert(table).on_conflict_do_nothing()
        return statement.execution_options(preserve_rowcount=True)

    @contextmanager
    def _queued(self, urgent: bool) -> Generator[None]:
        if not self.is_sqlite:
            yield
        elif urgent:
            with self._writing:
                yield
        else:
            with self._gate, self._writing:
                yield

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A connection for reading only."""
        with self._translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Generator[Connection]:
        """A connection whose reads all see the same moment, whoever writes meanwhile."""
        with self._translated(), self.engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")
            try:
                yield connection
            finally:
                if self.is_sqlite:
                    _end(connection, "ROLLBACK")

    @contextmanager
    def _translated(self) -> Generator[None]:
        from sqlalchemy.exc import DBAPIError

        try:
            yield
        except DBAPIError as error:
            raise _explain(self.url, error) from error

    def close(self) -> None:
        """Give every connection back."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def _end(connection: Connection, statement: str) -> None:
    from sqlalchemy.exc import DBAPIError

    with suppress(DBAPIError):  # a full disk ends the transaction by itself
        connection.exec_driver_sql(statement)


def _explain(url: str, error: Exception) -> StoreError:
    said = str(getattr(error, "orig", error)).lower()
    where = url.removeprefix("sqlite:///") if url.startswith("sqlite") else url.rsplit("@", 1)[-1]
    for sign, sentence in (
        ("locked", f"The database {where} is locked by another process; try again, or stop it."),
        ("full", f"The disk of {where} is full; free some space. Nothing was changed."),
        ("readonly", f"The database {where} is read-only; make it writable or set STEWARD_HOME."),
        ("unable to open", f"The database {where} cannot be opened; check STEWARD_HOME."),
        ("malformed", f"The database {where} is damaged; restore a backup or move it away."),
        ("not a database", f"{where} is not a Steward database; move it away."),
        ("disk i/o", f"The disk of {where} reports errors; check it. Nothing was changed."),
    ):
        if sign in said:
            return StoreError(sentence)
    return StoreError(f"The database {where} refused: {said.splitlines()[0][:160]}.")
