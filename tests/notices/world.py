"""A world with notice targets for the tests of this room."""

from __future__ import annotations

from pathlib import Path

from tests.support import FakeClock, make_world
from tools.contract import Json
from tools.fleet import Fleet
from tools.notices.outbox import build
from tools.store import Store
from tools.world import World


def notifying_world(
    home: Path,
    notices: Json,
    clock: FakeClock,
    *,
    url: str | None = None,
    slack: bool = False,
    zone: str = "UTC",
) -> World:
    """``notices`` is the section of steward.yaml."""
    sections: dict[str, Json] = {"notices": notices, "schedules": {"timezone": zone}}
    if slack:
        sections["slack"] = {}
    world = make_world(
        home, fleet=Fleet(path=None, sections=sections), clock=clock, more={"notices": build}
    )
    if url is not None:
        world.store = Store(url)
    return world
