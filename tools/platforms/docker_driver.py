"""Carrying out a roll-out on a Docker host: look, plan, move, until everything is as wanted.

Runs as a process of its own (``python -m tools.platforms.docker_driver``), so that it outlives the
conversation that began it. The gateway lends it a lease: one driver at a time, on any machine. A
killed driver leaves every replica that served serving; the next edit, or resume, goes on.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from tools.errors import Failed, Refused, ToolError, Unavailable
from tools.platforms.base import Traffic
from tools.platforms.canary import judge
from tools.platforms.docker_engine import Engine
from tools.platforms.docker_fleet import Fleet
from tools.platforms.docker_peers import Seen, peers_of
from tools.platforms.docker_plan import Begin, Done, Fail, Judge, Leave, Move, Start, Weigh, moves
from tools.platforms.docker_setup import REVISION, Setup
from tools.platforms.docker_state import State
from tools.serving import metrics

LEASE = 15.0
PATIENCE = 30.0
"""Seconds a driver waits for another's lease, or for an engine that does not answer."""


class Driver:
    """Drives one deployment until it is at rest."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._me = uuid.uuid4().hex[:12]
        self._leaving: dict[str, Future[None]] = {}
        self._pool = ThreadPoolExecutor(max_workers=8)
        self._bench = Bench()

    def run(self) -> None:
        """Go on until there is nothing to do; faults of the engine are waited out for a while."""
        trouble_since: float | None = None
        while True:
            try:
                if not self._tick():
                    break
                trouble_since = None
            except (Unavailable, Failed, Refused):
                trouble_since = trouble_since or time.monotonic()
                if time.monotonic() - trouble_since > PATIENCE:
                    break
                time.sleep(0.5)
        self._pool.shutdown(wait=True)

    def _tick(self) -> bool:
        told = self._fleet.call({"op": "lease", "holder": self._me, "seconds": LEASE})
        seen = self._fleet.look(told)
        if not told["ok"]:
            time.sleep(0.5)
            return not seen.state.at_rest
        self._leaving = {k: f for k, f in self._leaving.items() if not f.done()}
        peers = peers_of(self._fleet.engine, self._fleet.setup, seen, frozenset(self._leaving))
        self._bench.watch(seen)
        todo = moves(seen.state, peers)
        for move in todo:
            if not self._make(move, seen):
                break
        if self._rests(seen.state, todo, all(p.ready for p in peers)):
            self._fleet.call({"op": "lease", "holder": self._me, "seconds": 0})
            return False
        time.sleep(0.2)
        return True

    def _rests(self, state: State, todo: list[Move], ready: bool) -> bool:
        if self._leaving:
            return False
        if Done() in todo:
            return True
        failed = state.failed == state.generation
        return not todo and (state.paused or (failed and (ready or not state.stable)))

    def _make(self, move: Move, seen: Seen) -> bool:
        state = seen.state
        match move:
            case Start(revision, epoch, held):
                return self._started(
                    seen, lambda: self._fleet.start(state, revision, epoch, held=held)
                )
            case Begin():
                return self._started(seen, lambda: self._fleet.begin(move.id))
            case Leave():
                self._leaving[move.id] = self._pool.submit(self._fleet.leave, move.id)
            case Weigh():
                self._fleet.weigh(dict(move.weights))
            case Judge():
                self._judge(seen)
            case Fail():
                self._fail(seen, move.cause)
            case Done():
                reached = replace(
                    state,
                    done=state.generation,
                    stable=state.target,
                    stable_epoch=state.epoch,
                )
                return self._fleet.write(reached, seen.version)
        return True

    def _started(self, seen: Seen, start: Callable[[], None]) -> bool:
        try:
            start()
        except Unavailable:
            raise
        except ToolError as error:
            self._fail(seen, str(error))
            return False
        return True

    def _fail(self, seen: Seen, cause: str) -> None:
        failed = replace(seen.state, failed=seen.state.generation, cause=cause, paused=False)
        self._fleet.write(failed, seen.version)

    def _judge(self, seen: Seen) -> None:
        state = seen.state
        if not state.step_since:
            self._fleet.write(replace(state, step_since=time.time()), seen.version)
            return
        counted = self._bench.counted(seen, self._fleet.call({"op": "metrics"}))
        new = counted.pop(state.target, None)
        stable = counted.get(state.stable) or next(iter(counted.values()), None)
        lasted = time.time() - state.step_since
        ruling = judge(
            state.plan,
            new=new,
            stable=stable,
            healthy=True,
            unhealthy_cause="",
            pauses=lasted / max(state.way.pause, 0.01),
        )
        if ruling.go == "roll_back":
            share = f"{state.way.steps[state.step]:.0%}"
            self._fail(seen, f"canary rolled back at {share}: {ruling.reason}")
        elif ruling.go == "continue":
            onward = replace(state, step=state.step + 1, step_since=0.0)
            self._fleet.write(onward, seen.version)


class Bench:
    """What the judge needs: traffic since this roll-out began, by revision."""

    def __init__(self) -> None:
        self._generation = -1
        self._before: dict[str, tuple[int, int, int]] = {}

    def watch(self, seen: Seen) -> None:
        """A new roll-out begins: count from here."""
        if seen.state.since != self._generation:
            self._generation = seen.state.since
            self._before = {
                key: (c["requests"], c["errors"], len(c["seconds"]))
                for key, c in seen.counters.items()
            }

    def counted(self, seen: Seen, told: Mapping[str, str]) -> dict[int, Traffic]:
        """Revision → traffic since the roll-out began."""
        return traffic_of(seen, told, self._before)


def traffic_of(
    seen: Seen, told: Mapping[str, str], before: Mapping[str, tuple[int, int, int]]
) -> dict[int, Traffic]:
    """Revision → what the gateway saw, with the quality that the servers themselves report."""
    sums: dict[int, dict[str, Any]] = {}
    for box in seen.boxes:
        sight = seen.counters.get(box.id)
        if sight is None:
            continue
        revision = int(box.labels.get(REVISION, 0))
        row = sums.setdefault(
            revision, {"requests": 0, "errors": 0, "seconds": [], "right": 0, "labelled": 0}
        )
        requests, errors, skipped = before.get(box.id, (0, 0, 0))
        row["requests"] += sight["requests"] - requests
        row["errors"] += sight["errors"] - errors
        row["seconds"] += sight["seconds"][skipped if len(sight["seconds"]) > skipped else 0 :]
        for counters in metrics.parse(told.get(box.id, "")).values():
            row["right"] += counters.correct
            row["labelled"] += counters.labelled
    return {revision: _traffic(row) for revision, row in sums.items()}


def _traffic(row: Mapping[str, Any]) -> Traffic:
    seconds = sorted(row["seconds"])
    p95 = seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))] if seconds else None
    quality = row["right"] / row["labelled"] if row["labelled"] else None
    return Traffic(row["requests"], row["errors"], p95, quality, row["labelled"])


def main(text: str) -> None:
    """Drive the deployment that the JSON describes: engine host, platform name, setup."""
    said: dict[str, Any] = json.loads(text)
    Driver(Fleet(Engine(said["where"], said["host"]), Setup(**said["setup"]))).run()


if __name__ == "__main__":
    main(sys.argv[1])
