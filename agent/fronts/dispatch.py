"""Deals with inbox items: in order within a conversation, side by side across conversations.

Clicks and other quick items have a lane of their own, so that a person's decision never waits
behind slow questions.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from agent.fronts.inbox import Inbox, Item
from agent.fronts.metrics import Metrics

ATTEMPTS = 5
RETRY_SECONDS = (1.0, 5.0, 20.0, 60.0)
log = logging.getLogger(__name__)


class Again(Exception):
    """The item could not be dealt with now; try it again later."""


@dataclass
class Dispatch:
    """Runs a front's handler over its items."""

    inbox: Inbox
    handle: Callable[[Item], Awaitable[None]]
    given_up: Callable[[Item], Awaitable[None]]
    """Told once when an item is not tried any more."""
    metrics: Metrics
    quick: Callable[[Item], bool] = lambda _item: False
    workers: int = 32
    retries: Sequence[float] = RETRY_SECONDS
    _lanes: dict[str, deque[Item]] = field(default_factory=dict[str, "deque[Item]"])
    _tasks: set[asyncio.Task[None]] = field(default_factory=set["asyncio.Task[None]"])
    _slots: asyncio.Semaphore | None = None
    _stopping: bool = False

    def add(self, item: Item) -> None:
        """Take an item that is written down already. Called on the event loop."""
        if self._stopping:
            return
        if self.quick(item):
            self._spawn(self._one(item))
            return
        lane = self._lanes.get(item.conversation)
        if lane is not None:
            lane.append(item)
            return
        self._lanes[item.conversation] = deque([item])
        self._spawn(self._walk(item.conversation))

    async def stop(self, seconds: float) -> None:
        """Let what runs finish for a while; the rest stays in the inbox for the next process."""
        self._stopping = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()

    @property
    def busy(self) -> int:
        """How many items are being dealt with or wait in this process."""
        return sum(len(lane) for lane in self._lanes.values())

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _walk(self, conversation: str) -> None:
        slots = self._slots = self._slots or asyncio.Semaphore(self.workers)
        lane = self._lanes[conversation]
        try:
            while lane and not self._stopping:
                async with slots:
                    if not self._stopping:
                        await self._one(lane[0])
                lane.popleft()
        finally:
            del self._lanes[conversation]

    async def _one(self, item: Item) -> None:
        attempts = item.attempts
        while True:
            now = Item(item.front, item.id, item.conversation, item.body, attempts=attempts)
            if await self._attempt(now):
                await asyncio.wrap_future(self.inbox.done(item))
                return
            attempts += 1
            dead = attempts >= ATTEMPTS
            await asyncio.wrap_future(self.inbox.failed(now, dead))
            if dead:
                await self._give_up(now)
                return
            await asyncio.sleep(self.retries[min(attempts, len(self.retries)) - 1])
            if self._stopping:
                return

    async def _attempt(self, item: Item) -> bool:
        labels = {"front": item.front}
        try:
            await self.handle(item)
        except Again as error:
            log.warning("inbox item is tried again", extra={"id": item.id, "why": str(error)})
        except Exception as error:  # a bug is counted as a try, and the worker lives on
            log.error("inbox item broke", exc_info=error, extra={"id": item.id})
        else:
            self.metrics.count("steward_inbox_done_total", "Items dealt with.", labels=labels)
            return True
        self.metrics.count("steward_inbox_retries_total", "Items tried again.", labels=labels)
        return False

    async def _give_up(self, item: Item) -> None:
        try:
            await self.given_up(item)
        except Exception as error:  # saying that it was given up must not keep it alive
            log.error("could not say that an item was given up", exc_info=error)
