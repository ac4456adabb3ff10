"""From the blocking world of the assistant to the event loop of a front."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def kicked(kick: asyncio.Event, seconds: float) -> None:
    """Wait until somebody sets ``kick``, at most for ``seconds``; the kick is used up by it.

    Not by ``wait_for``: before Python 3.12 a kick in the same moment makes it forget that its task
    was cancelled, and the task never ends.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await kick.wait()
    kick.clear()


class _End:
    pass


async def stream(make: Callable[[], Iterator[T]], name: str) -> AsyncIterator[T]:
    """Run a blocking generator in a thread of its own and yield what it yields.

    A consumer that stops listening does not stop the generator: a turn is always written down
    to its end.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[T | BaseException | _End] = asyncio.Queue()

    def hand(item: T | BaseException | _End) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(queue.put_nowait, item)

    def body() -> None:
        try:
            for item in make():
                hand(item)
            hand(_End())
        except BaseException as error:  # noqa: BLE001  raised again by the consumer below
            hand(error)

    threading.Thread(target=body, name=name, daemon=True).start()
    while True:
        item = await queue.get()
        if isinstance(item, _End):
            return
        if isinstance(item, BaseException):
            raise item
        yield item


async def call(work: Callable[[], T], name: str) -> T:
    """Run blocking work in a thread of its own and wait for its result."""

    def once() -> Iterator[T]:
        yield work()

    results = [result async for result in stream(once, name)]
    return results[0]
