"""Listening: TCP and a unix socket, with a deadline for request headers and proof of the peer.

The only module that imports uvicorn.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from agent.fronts.http_limits import App


class Guarded(H11Protocol):
    """HTTP/1.1 whose clients must finish their headers in time, and whose unix peer is known."""

    header_seconds = 10.0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note the peer's uid on a unix socket; start the clock for the first headers."""
        super().connection_made(transport)
        connection: socket.socket = transport.get_extra_info("socket")
        if connection.family == socket.AF_UNIX:
            raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            self.client = (f"uid:{struct.unpack('3i', raw)[1]}", 0)
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        """Restart the clock when an idle connection begins another request."""
        if self._deadline is None and not self._busy():
            self._await_headers()
        super().data_received(data)
        if self._busy():
            self._headers_came()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._headers_came()
        super().connection_lost(exc)

    def _busy(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete

    def _await_headers(self) -> None:
        self._deadline = self.loop.call_later(self.header_seconds, self._too_slow)

    def _headers_came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if not self._busy() and not self.transport.is_closing():
            self.transport.close()


@dataclass
class Listening:
    """A server that runs until it is stopped."""

    server: uvicorn.Server
    task: asyncio.Task[None]
    address: tuple[str, int] | None
    """Host and port of the TCP side; the port is the real one when 0 was asked for."""
    path: Path | None

    async def stop(self) -> None:
        """Finish running requests (bounded), close, remove the socket file."""
        self.server.should_exit = True
        await self.task
        if self.path is not None:
            self.path.unlink(missing_ok=True)


async def listen(
    app: App,
    *,
    tcp: tuple[str, int] | None,
    unix: Path | None,
    drain: float = 10.0,
    header_seconds: float = 10.0,
) -> Listening:
    """Begin to listen; ``OSError`` when an address is taken.

    ``drain`` is how long running requests may take at the end, ``header_seconds`` how long a
    client may take to send the headers of a request.
    """
    sockets: list[socket.socket] = []
    address = None
    if tcp is not None:
        sockets.append(_tcp(*tcp))
        address = sockets[-1].getsockname()[:2]
    if unix is not None:
        sockets.append(_unix(unix))
    config = uvicorn.Config(
        _typed(app),
        http=type("Bounded", (Guarded,), {"header_seconds": header_seconds}),
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=int(drain),
        limit_concurrency=512,
        h11_max_incomplete_event_size=65_536,
        ws="none",
    )
    server = _Quiet(config)
    task = asyncio.create_task(server.serve(sockets), name="http")
    while not server.started and not task.done():  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    return Listening(server, task, address, unix)


class _Quiet(uvicorn.Server):
    """Signals belong to the service, not to one of its fronts."""

    def capture_signals(self) -> Any:
        from contextlib import nullcontext

        return nullcontext()


def _typed(app: App) -> Any:
    return app


def _tcp(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.set_inheritable(False)
    return listener


def _unix(path: Path) -> socket.socket:
    """A socket file only its owner can open; a dead one left by a crash is replaced."""
    if path.exists() and _answers(path):
        raise OSError(f"another service answers at {path}")
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)  # never open to others, not even between bind and chmod
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    return listener


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
