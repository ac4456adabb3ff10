"""The keeper of one deployment: brings what is to what is wanted, whoever is watching.

One detached process per deployment (:mod:`tools.platforms.local_keeping`). It is the parent of the
replicas, so that their exit codes are known; it holds the listening socket they share; and it
carries a roll-out to its end also when the Steward that asked for it is gone. When it is killed
itself, the replicas go on serving; the next keeper adopts them and takes the socket over from one.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from tools.errors import Unavailable
from tools.platforms import local_logs, local_probe
from tools.platforms.local_canary import Bench
from tools.platforms.local_plan import (
    Accept,
    Drain,
    Forget,
    Judge,
    Move,
    Start,
    at_rest,
    goal,
    moves,
    picture,
)
from tools.platforms.local_process import Identity, send
from tools.platforms.local_records import Desired, EventRow, ReplicaRow
from tools.platforms.local_start import Starter
from tools.platforms.local_state import Folder
from tools.platforms.local_watch import Watch, options_of
from tools.serving.faults import CannotServe

TICK = 0.1
IDLE = 30.0
"""Seconds a keeper with nothing to keep stays."""
TRIES = 3
"""Failed starts after which a roll-out has failed."""
LOOPS, CALM = 5, 60.0
"""After so many restarts, each within so many seconds, a replica is left crashed (crash loop)."""


class Keeper:
    """See the module."""

    def __init__(self, folder: Folder, me: Identity) -> None:
        self._folder = folder
        self._watch = Watch(folder)
        self._bench = Bench()
        self._starter = Starter(folder)
        self._again: list[Start] = []
        self._seen = replace(folder.observed(), keeper_pid=me.pid, keeper_start=me.start)
        self._idle_since = time.monotonic()
        self._tidied = 0.0
        self._unwritten = True

    def run(self) -> None:
        """Keep until nothing is left to keep, or the folder is gone."""
        self._starter.dismiss_strays(self._seen.replicas)
        while self._folder.path.exists():
            try:
                if self._turn() > IDLE:
                    return
            except Unavailable:
                time.sleep(1.0)  # a full disk: the replicas serve on, and the keeper tries again
            time.sleep(TICK)
        for row in self._seen.replicas:
            send(Identity(row.pid, row.start), signal.SIGTERM)

    def _turn(self) -> float:
        """One look and what follows from it; how many seconds there has been nothing to keep."""
        desired, before = self._folder.desired(), self._seen
        if desired is not None:
            self._tick(desired)
        if self._seen != before or self._unwritten:
            self._unwritten = True
            self._folder.write_observed(self._seen)
            self._unwritten = False
        if self._seen.replicas or (desired is not None and desired.replicas):
            self._idle_since = time.monotonic()
        return time.monotonic() - self._idle_since

    def _tick(self, desired: Desired) -> None:
        if desired.generation != self._seen.generation:
            self._take_up(desired)
        self._look(desired)
        again, self._again = self._again, []
        for move in (*again, *([] if again else moves(desired, self._seen))):
            self._make(move, desired)
        self._settle(desired)
        self._tidy()

    def _take_up(self, desired: Desired) -> None:
        self._seen = replace(
            self._seen,
            generation=desired.generation,
            step=0,
            step_since=0.0,
            attempts=0,
            message="",
        )
        self._bench.start(self._seen.replicas)

    def _look(self, desired: Desired) -> None:
        options = options_of(desired.options)
        rows: list[ReplicaRow] = []
        for row in self._seen.replicas:
            now = self._watch.look(row, options)
            if now is None:
                self._event("normal", "Stopped", "left gracefully", row.id)
                continue
            if now.state == "ready" and not row.was_ready:
                took = time.time() - row.started_at
                self._event("normal", "Ready", f"ready after {took:.1f} s", row.id)
            if now.state == "crashed" and row.state != "crashed":
                self._event("warning", "Crashed", now.message, row.id)
                if self._dropped(now, desired):
                    continue
            rows.append(now)
        self._seen = replace(self._seen, replicas=tuple(rows))

    def _dropped(self, row: ReplicaRow, desired: Desired) -> bool:
        """Whether a crashed replica is dropped so that another takes its place."""
        if self._seen.complete == desired.generation or row.revision != desired.target:
            return self._restarted(row, desired)
        if self._seen.failed == desired.generation:
            return False
        attempts = self._seen.attempts + 1
        self._seen = replace(self._seen, attempts=attempts)
        if row.id not in self._watch.final and attempts < TRIES and not row.was_ready:
            return True
        loop = f"crash loop, {attempts} starts: " if attempts >= TRIES else ""
        self._fail(desired, f"{loop}{row.message}")
        return False

    def _restarted(self, row: ReplicaRow, desired: Desired) -> bool:
        """The option ``restart: on-failure`` is the only leave to restart without an action."""
        if desired.options.get("restart") != "on-failure" or row.restarts >= LOOPS:
            return False
        lived = time.time() - row.started_at
        restarts = 1 if lived > CALM else row.restarts + 1
        self._again.append(Start(row.revision, restarts=restarts))
        return True

    def _make(self, move: Move, desired: Desired) -> None:
        match move:
            case Start():
                self._start(move, desired)
            case Drain(id, why):
                self._change(id, lambda r: self._drained(r, why))
            case Accept(id):
                self._change(id, self._accepting)
            case Forget(id):
                rows = tuple(r for r in self._seen.replicas if r.id != id)
                self._seen = replace(self._seen, replicas=rows)
            case Judge():
                self._judge(desired)

    def _start(self, move: Start, desired: Desired) -> None:
        try:
            row, process = self._starter.start(move, desired, self._seen.replicas)
        except CannotServe as error:
            if self._seen.failed != desired.generation:
                self._fail(desired, f"port taken: {error}")
            return
        self._watch.children[row.id] = process
        self._seen = replace(self._seen, replicas=(*self._seen.replicas, row))
        # Written before anything else: a keeper killed now must not lose sight of the process.
        self._folder.write_observed(self._seen)
        version = desired.release(move.revision).version
        self._event("normal", "Started", f"version {version}, pid {row.pid}", row.id)

    def _change(self, id: str, how: Callable[[ReplicaRow], ReplicaRow]) -> None:
        rows = tuple(how(r) if r.id == id else r for r in self._seen.replicas)
        self._seen = replace(self._seen, replicas=rows)

    def _drained(self, row: ReplicaRow, why: str) -> ReplicaRow:
        send(Identity(row.pid, row.start), signal.SIGTERM)
        self._event("normal", "Draining", why, row.id)
        return row.become("draining", why)

    def _accepting(self, row: ReplicaRow) -> ReplicaRow:
        status, _ = local_probe.ask(row.admin_port, "/admin/accept", method="POST")
        return replace(row, held=False) if status == 200 else row

    def _judge(self, desired: Desired) -> None:
        now = time.time()
        if not self._seen.step_since:
            self._seen = replace(self._seen, step_since=now)
        aim = goal(desired, self._seen)
        ruling = self._bench.judge(
            desired.strategy.judged(desired.release(aim)),
            picture(desired, self._seen),
            desired,
            now - self._seen.step_since,
        )
        share = desired.strategy.steps[self._seen.step]
        match ruling.go:
            case "wait":
                self._seen = replace(self._seen, message=f"canary at {share:.0%}: {ruling.reason}")
            case "continue":
                self._event("normal", "CanaryStep", f"{share:.0%} passed: {ruling.reason}")
                step = self._seen.step + 1
                self._seen = replace(self._seen, step=step, step_since=0.0, message="")
            case "roll_back":
                self._fail(desired, f"canary at {share:.0%}: {ruling.reason}")

    def _fail(self, desired: Desired, why: str) -> None:
        stable = self._seen.stable
        after = f"; back to revision {stable}" if stable and stable != desired.target else ""
        self._seen = replace(self._seen, failed=desired.generation, message=why + after)
        self._event("warning", "RolloutFailed", why + after)

    def _settle(self, desired: Desired) -> None:
        if self._seen.complete == desired.generation or not at_rest(desired, self._seen):
            return
        failed = self._seen.failed == desired.generation
        stable = self._seen.stable if failed else desired.target
        reason = "RolledBack" if failed and stable else "Complete"
        message = self._seen.message if failed else ""
        self._seen = replace(
            self._seen, complete=desired.generation, stable=stable, message=message
        )
        if not failed or stable:
            self._event("normal", reason, f"revision {stable}, {desired.replicas} replicas")

    def _event(
        self, kind: Literal["normal", "warning"], reason: str, message: str, target: str = ""
    ) -> None:
        row = EventRow(time.time(), kind, reason, message, target or self._folder.path.name)
        self._seen = replace(self._seen, events=(*self._seen.events, row)[-200:])

    def _tidy(self) -> None:
        if not any(r.state != "crashed" for r in self._seen.replicas):
            self._starter.close()
        if time.monotonic() - self._tidied < 10:
            return
        self._tidied = time.monotonic()
        living = [r.id for r in self._seen.replicas]
        for id in living:
            local_logs.bound(self._folder.logs / f"{id}.log")
        local_logs.forget(self._folder.logs, living)
        for file in self._folder.run.iterdir():
            if file.stem not in living:
                file.unlink(missing_ok=True)
