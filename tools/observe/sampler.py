"""The background sampler: measures every ten seconds, remembers, thins out, calls the rules.

``steward serve`` and the chat each may run one; they take turns through the store, so that two
processes on one machine do not record twice.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING

from tools.errors import ToolError
from tools.observe.base import Sample
from tools.observe.collect import Workloads, gpu_samples, host_samples

if TYPE_CHECKING:
    from tools.observe.telemetry import LocalTelemetry
    from tools.world import World

_LOG = logging.getLogger(__name__)
INTERVAL = timedelta(seconds=10)
_WORKLOADS_EVERY = 2
_COMPACT_EVERY = 30


class Sampler:
    """Samples on its own thread until stopped. ``after`` is called after each recorded sample."""

    def __init__(
        self,
        world: World,
        telemetry: LocalTelemetry,
        *,
        interval: timedelta = INTERVAL,
        after: Callable[[datetime], None] | None = None,
    ) -> None:
        self._world = world
        self._telemetry = telemetry
        self._interval = interval
        self._after = after
        self._workloads = Workloads()
        self._owner = f"{os.uname().nodename}:{os.getpid()}"
        self._stop = Event()
        self._thread: Thread | None = None
        self._ticks = 0
        self.troubles: tuple[str, ...] = ()
        """What could not be sampled the last time, a sentence each."""
        self.spent = 0.0
        """Seconds the last sample took."""

    def start(self) -> None:
        """Begin; starting a running sampler does nothing."""
        if self._thread is None or not self._thread.is_alive():
            self._stop.clear()
            self._thread = Thread(target=self._run, name="sampler", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End after the sample in progress."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None

    def _run(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self.tick()
            except Exception:  # noqa: BLE001 - one faulty sample must not end the watch
                _LOG.exception("a sample failed")
            self._stop.wait(max(self._interval.total_seconds() - (time.monotonic() - began), 0.1))

    def tick(self) -> bool:
        """One sample now, unless another process holds the turn; never raises a tool error."""
        began = time.monotonic()
        now = self._world.clock.now()
        troubles: list[str] = []
        try:
            if not self._telemetry.history.my_turn(self._owner, now, self._interval):
                return False
            samples = self._measure(now, troubles)
            self._telemetry.history.record(samples, now)
            if self._ticks % _COMPACT_EVERY == 0:
                self._telemetry.history.compact(now)
            self._ticks += 1
            if self._after is not None:
                self._after(now)
        except ToolError as error:
            troubles.append(error.en)
        finally:
            self.troubles = tuple(troubles)
            self.spent = time.monotonic() - began
        return True

    def _measure(self, now: datetime, troubles: list[str]) -> Sequence[Sample]:
        samples = [
            *host_samples(self._telemetry.host()),
            *gpu_samples(self._telemetry.gpus()),
        ]
        if self._ticks % _WORKLOADS_EVERY == 0:
            found, silent = self._workloads.samples(self._world, now)
            samples += found
            troubles += silent
        return samples


def build_sampler(world: World, *, rules: bool = True, interval: timedelta = INTERVAL) -> Sampler:
    """The sampler of a world, not yet started; with ``rules`` it evaluates the alert rules too."""
    from tools.observe.rule_watch import RuleWatch

    port: LocalTelemetry = world.port("telemetry")
    watch = RuleWatch(world) if rules else None

    def after(now: datetime) -> None:
        if watch is not None:
            watch.look(now)

    return Sampler(world, port, interval=interval, after=after)
