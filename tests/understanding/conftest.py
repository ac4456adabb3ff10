"""What the tests of understanding share."""

from __future__ import annotations

import pytest

from agent.offline.brain import Brain
from tests.understanding import fleet


@pytest.fixture(scope="session")
def brain() -> Brain:
    """The planner of the real catalogue with the names of the labelled fleet."""
    return fleet.brain()
