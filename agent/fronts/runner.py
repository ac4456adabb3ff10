"""Carries out approved actions. Every replica may run one of these; the door lets exactly one act."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta

from agent.assistant import Assistant
from agent.events import Action, State
from agent.fronts.metrics import Metrics
from agent.fronts.threads import call, kicked
from agent.fronts.wire import action_of, actions_of
from tools.errors import ToolError

RECONCILE_SECONDS = 60.0
log = logging.getLogger(__name__)


@dataclass
class Runner:
    """Workers over the ledger."""

    assistant: Assistant
    metrics: Metrics
    every: float = 1.0
    workers: int = 8
    _kick: asyncio.Event = field(default_factory=asyncio.Event)
    _running: dict[int, asyncio.Task[None]] = field(default_factory=dict[int, "asyncio.Task[None]"])

    def look_now(self) -> None:
        """Something was approved in this process; called on the event loop."""
        self._kick.set()

    async def run(self) -> None:
        """Finish what was interrupted, then work until cancelled."""
        await self._reconcile()
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            try:
                await self.look()
                if not self._running and loop.time() - last > RECONCILE_SECONDS:
                    await self._reconcile()  # another replica may have died
                    last = loop.time()
            except ToolError as error:
                log.warning("approved actions cannot be read", extra={"why": error.en})
            except Exception as error:  # the workers must outlive a bug
                log.error("the runner broke", exc_info=error)
            await kicked(self._kick, self.every)

    async def look(self) -> None:
        """Begin whatever is approved and not begun."""
        for action in await call(self._due, "approved"):
            if action.number in self._running or len(self._running) >= self.workers:
                continue
            task = asyncio.create_task(self._one(action.number), name=f"run-{action.number}")
            self._running[action.number] = task
            task.add_done_callback(lambda _t, n=action.number: self._running.pop(n, None))

    async def stop(self, seconds: float) -> None:
        """Wait for running actions; what takes longer is taken up at the next start."""
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=seconds)

    @property
    def busy(self) -> int:
        """How many actions run here."""
        return len(self._running)

    def _due(self) -> list[Action]:
        now = self.assistant.door.world.clock.now()
        for waiting in actions_of(self.assistant, [State.PROPOSED], limit=1000):
            if waiting.expires_at <= now:
                action_of(self.assistant, waiting.number)
        return list(reversed(actions_of(self.assistant, [State.APPROVED], limit=1000)))

    async def _one(self, number: int) -> None:
        try:
            action = await call(lambda: self.assistant.run(number), f"run-{number}")
            if action.done:
                await call(lambda: list(self.assistant.report(action)), f"report-{number}")
        except ToolError as error:
            log.warning("an action could not run", extra={"action": number, "why": error.en})
            await asyncio.sleep(self.every)
        else:
            labels = {"state": action.state.value}
            self.metrics.count("steward_actions_run_total", "Actions carried out.", labels=labels)

    async def _reconcile(self) -> None:
        try:
            taken = await call(self.assistant.reconcile, "reconcile")
            for action in taken:
                await call(lambda a=action: list(self.assistant.report(a)), "report")
        except ToolError as error:
            log.error("interrupted actions could not be taken up", extra={"why": error.en})
            return
        if taken:
            log.info("took up interrupted actions", extra={"actions": [a.number for a in taken]})


def recent(assistant: Assistant) -> dict[str, int]:
    """How many actions of the last day are in which state."""
    since = assistant.door.world.clock.now() - timedelta(days=1)
    counts = {state.value: 0 for state in State}
    for action in actions_of(assistant, since=since, limit=5000):
        counts[action.state.value] += 1
    return counts
