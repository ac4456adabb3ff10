"""A throwaway Postgres for tests: a real cluster in a temporary folder, on a unix socket and port.

Use the fixtures by ``from tests.postgres import postgres_url, database`` (with ``# noqa: F401``).
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

_FASTER = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=60"


def _binaries() -> Path | None:
    """The folder with initdb, pg_ctl and postgres that belong together; Debian's or on PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    needed = ("initdb", "pg_ctl", "postgres")
    return next((f for f in found if all((f / n).exists() for n in needed)), None)


def _owner() -> str | None:
    """The unix user to run as: Postgres refuses root."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid()).pw_name
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((n for n in ("postgres", "nobody") if n in names), None)


def _as(user: str, *command: str) -> subprocess.CompletedProcess[str]:
    if os.getuid() == 0:
        command = ("setpriv", f"--reuid={user}", "--clear-groups", *command)
    return subprocess.run(command, capture_output=True, text=True, timeout=90, cwd="/")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """``postgresql+psycopg://…/postgres`` of a cluster that ends with the session; else a skip."""
    folder, user = _binaries(), _owner()
    if folder is None:
        pytest.skip("no Postgres binaries; on Debian: apt-get install postgresql")
    if user is None:
        pytest.skip("Postgres does not run as root, and there is no user postgres or nobody")
    home = Path(tempfile.mkdtemp(prefix="steward-pg-"))
    shutil.chown(home, user)
    data, port = home / "data", _free_port()
    made = _as(user, str(folder / "initdb"), "-D", str(data), "-U", "steward", "-A", "trust")
    if made.returncode:
        shutil.rmtree(home, ignore_errors=True)
        pytest.skip(f"initdb failed: {made.stderr.strip()[-200:]}")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {home} {_FASTER}"
    control = (str(folder / "pg_ctl"), "-D", str(data), "-w", "-t", "60")
    started = _as(user, *control, "-l", str(home / "log"), "-o", options, "start")
    if started.returncode:
        log = (home / "log").read_text()[-300:] if (home / "log").exists() else started.stderr
        shutil.rmtree(home, ignore_errors=True)
        pytest.skip(f"Postgres did not start: {log}")
    try:
        yield f"postgresql+psycopg://steward@127.0.0.1:{port}/postgres"
    finally:
        _as(user, *control, "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh, empty database, dropped afterwards."""
    from sqlalchemy import create_engine

    name = f"t{uuid.uuid4().hex[:12]}"
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield postgres_url.rsplit("/", 1)[0] + f"/{name}"
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        engine.dispose()
