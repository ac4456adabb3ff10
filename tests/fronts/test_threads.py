"""Waiting for a kick ends by the kick, by its time, or by being cancelled, whatever comes at once."""

from __future__ import annotations

import asyncio
import time

import pytest

from agent.fronts.threads import kicked


def test_a_kick_is_used_up():
    async def wait() -> bool:
        kick = asyncio.Event()
        kick.set()
        await kicked(kick, 60)
        return kick.is_set()

    assert asyncio.run(wait()) is False


def test_its_time_ends_it():
    begun = time.monotonic()
    asyncio.run(kicked(asyncio.Event(), 0.01))
    assert time.monotonic() - begun < 30


def test_a_kick_in_the_moment_of_the_end_does_not_keep_it_running():
    async def stopped() -> None:
        kick = asyncio.Event()

        async def watch() -> None:
            while True:
                await kicked(kick, 60)

        task = asyncio.create_task(watch())
        await asyncio.sleep(0.01)
        kick.set()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(5):
                await task

    asyncio.run(stopped())
