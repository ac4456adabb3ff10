"""Starting a replica with the listening socket that all replicas of its deployment share."""

from __future__ import annotations

import signal
import socket
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import Popen

from tools.contract import Json
from tools.platforms.base import Release
from tools.platforms.local_plan import Start
from tools.platforms.local_process import (
    Identity,
    environment,
    identify,
    send,
    server_command,
    spawn,
    strays,
)
from tools.platforms.local_records import Desired, ReplicaRow
from tools.platforms.local_state import Folder
from tools.platforms.local_watch import options_of
from tools.serving.listening import listen, receive
from tools.serving.window import folder_of


def window_of(folder: Folder, release: Release, options: Mapping[str, Json]) -> Path | None:
    """Where a replica keeps a sample of what it is asked; ``record: false`` keeps none."""
    if options.get("record") is False or not release.model:
        return None
    home = folder.path.parents[2]  # STEWARD_HOME/platforms/NAME/DEPLOYMENT
    return folder_of(home, release.model)


class Starter:
    """Keeps the listening socket of one deployment and starts its replicas with it."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._listener: socket.socket | None = None

    def start(
        self, move: Start, desired: Desired, replicas: Sequence[ReplicaRow]
    ) -> tuple[ReplicaRow, Popen[bytes]]:
        """Start one replica; raises ``CannotServe`` when the port is taken."""
        listener = self._socket(desired.port, replicas)
        id = f"r{move.revision}-{uuid.uuid4().hex[:6]}"
        release, options = desired.release(move.revision), options_of(desired.options)
        extra = release.config.get("env")
        own = {str(k): str(v) for k, v in extra.items()} if isinstance(extra, dict) else {}
        action = desired.rollout_by or desired.action_id
        fd, run = listener.fileno(), self._folder.run
        window = window_of(self._folder, release, options)
        process = spawn(
            server_command(release, fd, run, id, options, move.held, window),
            log=self._folder.logs / f"{id}.log",
            env=environment(action, own),
            fds=[fd],
        )
        who, now = identify(process.pid) or Identity(process.pid, 0.0), time.time()
        row = ReplicaRow(
            id=id,
            revision=move.revision,
            epoch=desired.epoch,
            generation=desired.generation,
            action_id=action,
            pid=who.pid,
            start=who.start,
            started_at=now,
            since=now,
            held=move.held,
            restarts=move.restarts,
        )
        return row, process

    def dismiss_strays(self, replicas: Sequence[ReplicaRow]) -> None:
        """Let servers leave that a killed keeper started and could not write down."""
        for who in strays(self._folder.run, {r.id for r in replicas}):
            send(who, signal.SIGTERM)

    def _socket(self, port: int, replicas: Sequence[ReplicaRow]) -> socket.socket:
        """The shared socket: ours, else a running replica's, else a new one."""
        living = [r for r in replicas if r.state not in ("crashed", "draining")]
        for row in living:
            if self._listener is None:
                self._listener = receive(self._folder.run / f"{row.id}.sock")
        if self._listener is None:
            self._listener = listen("127.0.0.1", port)
        return self._listener

    def close(self) -> None:
        """With no replica behind it, a caller should be refused at once rather than wait."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
