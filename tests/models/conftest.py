"""What the tests of this room share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.world import World


@pytest.fixture
def leftovers() -> Iterator[list[World]]:
    """Worlds whose jobs are ended after the test, whatever happened."""
    worlds: list[World] = []
    yield worlds
    for world in worlds:
        for job in world.jobs.list():
            world.jobs.cancel(job.name, "cleanup")
