"""What became of each replica since the last look: died, ready, silent, late."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import Popen
from typing import cast

from tools.contract import Json
from tools.platforms import local_logs, local_probe
from tools.platforms.local_process import (
    FINAL_CODES,
    Identity,
    alive,
    cause_of_death,
    send,
)
from tools.platforms.local_records import Observed, ReplicaRow
from tools.platforms.local_state import Folder

SILENT = 3
"""Failed probes in a row after which a ready replica counts as not ready."""
PROBE_EVERY = 1.0
"""Seconds between looks at a replica that is ready."""


def seconds(options: dict[str, Json], name: str, default: float) -> float:
    """A number among a deployment's options."""
    value = options.get(name, default)
    return float(value) if isinstance(value, int | float) else default


@dataclass
class Watch:
    """The eyes of a keeper."""

    folder: Folder
    children: dict[str, Popen[bytes]] = field(default_factory=dict[str, "Popen[bytes]"])
    """Replicas this keeper started: their exit code can be known."""
    final: set[str] = field(default_factory=set[str])
    """Replicas that ended in a way another try cannot mend."""
    _killed: int = field(default_factory=lambda: _killed_for_memory())
    _failures: dict[str, int] = field(default_factory=dict[str, int])
    _asked: dict[str, float] = field(default_factory=dict[str, float])

    def look(self, row: ReplicaRow, options: dict[str, Json]) -> ReplicaRow | None:
        """The replica now; ``None`` when it left as it was told to."""
        if row.state == "crashed":
            return row
        who = Identity(row.pid, row.start)
        child = self.children.get(row.id)
        code = child.poll() if child else None
        if code is not None or (child is None and not alive(who)):
            return self._dead(row, code)
        match row.state:
            case "starting":
                return self._starting(row, who, options)
            case "draining":
                return self._draining(row, who, options)
            case _:
                return self._serving(row)

    def _dead(self, row: ReplicaRow, code: int | None) -> ReplicaRow | None:
        self.children.pop(row.id, None)
        starved, self._killed = self._killed, _killed_for_memory()
        if row.state == "draining":
            return None
        if code in FINAL_CODES:
            self.final.add(row.id)
        last = local_logs.last_line(self.folder.logs / f"{row.id}.log")
        if code in (None, -signal.SIGKILL) and self._killed > starved:
            return row.become("crashed", "out of memory: killed by the kernel")
        return row.become("crashed", cause_of_death(code, last))

    def _starting(
        self, row: ReplicaRow, who: Identity, options: dict[str, Json]
    ) -> ReplicaRow | None:
        port = row.admin_port or local_probe.announced(self.folder.run / f"{row.id}.json", row.pid)
        why = local_probe.ready(port) if port else "not listening yet"
        if not why:
            return row.become("ready", admin_port=port, was_ready=True)
        patience = seconds(options, "start_timeout", 60.0)
        if time.time() - row.started_at > patience:
            send(who, signal.SIGKILL)
            return row.become("crashed", f"probe failing: not ready after {patience:.0f} s ({why})")
        return row.become("starting", why, admin_port=port)

    def _draining(self, row: ReplicaRow, who: Identity, options: dict[str, Json]) -> ReplicaRow:
        limit = seconds(options, "drain_timeout", 30.0) + 10
        if time.time() - row.since > limit:
            send(who, signal.SIGKILL)
        return row

    def _serving(self, row: ReplicaRow) -> ReplicaRow:
        now = time.monotonic()
        if now - self._asked.get(row.id, 0.0) < PROBE_EVERY:
            return row
        self._asked[row.id] = now
        why = local_probe.ready(row.admin_port)
        failures = self._failures.get(row.id, 0) + 1 if why else 0
        self._failures[row.id] = failures
        if not why:
            return row.become("ready")
        return row.become("not ready", why) if failures >= SILENT else row


def options_of(options: object) -> dict[str, Json]:
    """Options as a plain dictionary."""
    return dict(cast("dict[str, Json]", options))


def orphaned(observed: Observed) -> Observed:
    """What is there when no keeper looks: replicas that are gone show as crashed."""
    rows = tuple(
        r
        if r.state == "crashed" or alive(Identity(r.pid, r.start))
        else r.become("crashed", "ended while its keeper was gone (was the machine restarted?)")
        for r in observed.replicas
    )
    return replace(observed, replicas=rows)


def _killed_for_memory() -> int:
    """How many processes the kernel has killed for want of memory since it started."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
