"""One listening socket, shared by every replica of a deployment, and lossless to leave.

Why not one ``SO_REUSEPORT`` socket per replica: the kernel then gives each its own accept queue,
and whoever closes its socket resets the connections that wait there (``tcp_migrate_req`` would
move them, but only root may set it). Here all replicas share one socket, hence one queue: a
replica that leaves, or is killed, takes none of the waiting connections with it.

Why a thread that blocks in ``accept``: the kernel wakes blocked callers first come, first served,
so each ready replica gets an equal share, which is what a canary's split is made of. Waiting by
``epoll`` wakes the same process again and again. A receive timeout on the socket lets the thread
notice that it should stop; a connection accepted at that moment is served like any other.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from tools.serving.faults import CannotServe, Exit

ACCEPT_TIMEOUT = 0.2
"""Seconds after which a blocked ``accept`` looks whether it should stop."""
BACKLOG = 1024


def listen(host: str, port: int) -> socket.socket:
    """Bind and listen; raises :class:`CannotServe` (``PORT_TAKEN``)."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotServe(
            Exit.PORT_TAKEN, f"port {port} cannot be used: {error.strerror}"
        ) from None
    return listener


def inherit(fd: int) -> socket.socket:
    """The listening socket this process was started with."""
    return socket.socket(fileno=fd)


class Acceptor:
    """A thread that takes connections from the shared socket until told to leave."""

    def __init__(
        self,
        listener: socket.socket,
        deliver: Callable[[socket.socket], None],
        busy: Callable[[], bool],
    ) -> None:
        whole, part = int(ACCEPT_TIMEOUT), int(ACCEPT_TIMEOUT % 1 * 1e6)
        # A property of the socket, not of this process: every replica sets the same value.
        listener.setblocking(True)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", whole, part))
        self._listener = listener
        self._deliver = deliver
        self._busy = busy
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="accept", daemon=True)

    def start(self) -> None:
        """Begin to take connections."""
        self._thread.start()

    def leave(self) -> None:
        """Stop taking connections. Returns once the last one was delivered; others keep theirs."""
        self._leaving.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._leaving.is_set():
            if self._busy():
                time.sleep(0.002)
                continue
            with suppress(BlockingIOError, InterruptedError, ConnectionAbortedError):
                connection, _ = self._listener.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._deliver(connection)


@contextmanager
def _short(path: Path) -> Generator[str]:
    """A name for ``path`` within the 107 bytes a Unix socket address may have."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def offer(listener: socket.socket, path: Path) -> None:
    """Give a copy of the listening socket to whoever connects to the Unix socket at ``path``.

    So a new keeper can go on with the same queue after the old one was killed. Only the owner of
    the folder may open it. Runs in a thread of its own, so that a busy model does not block it.
    """
    path.unlink(missing_ok=True)
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _short(path) as name:
        channel.bind(name)
    path.chmod(0o600)
    channel.listen(4)
    copy = listener.dup()

    def serve() -> None:
        while True:
            asker, _ = channel.accept()
            with asker, suppress(OSError):
                socket.send_fds(asker, [b"listener"], [copy.fileno()])

    threading.Thread(target=serve, name="handover", daemon=True).start()


def receive(path: Path, timeout: float = 2.0) -> socket.socket | None:
    """The listening socket another process offers at ``path``; ``None`` if it does not answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.settimeout(timeout)
        try:
            with _short(path) as name:
                channel.connect(name)
            _, fds, _, _ = socket.recv_fds(channel, 16, 1)
        except OSError:
            return None
    return socket.socket(fileno=fds[0]) if fds else None
