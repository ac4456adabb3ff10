"""A world with schedules and notices for the tests of this room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support import FakeClock, make_world
from tools.contract import Json
from tools.fleet import Fleet
from tools.notices.outbox import build as build_notices
from tools.schedules.rows import build as build_schedules
from tools.store import Store
from tools.world import World

PORTS: dict[str, Any] = {"schedules": build_schedules, "notices": build_notices}


def scheduling_world(
    home: Path, clock: FakeClock, *, url: str | None = None, **schedules: Json
) -> World:
    """Targets ``team`` and ``boss`` are files; ``schedules`` is the section of steward.yaml."""
    sections: dict[str, Json] = {
        "schedules": {"timezone": "Europe/Berlin", **schedules},
        "notices": {"targets": {"team": {"file": "team.log"}, "boss": {"file": "boss.log"}}},
    }
    world = make_world(home, fleet=Fleet(path=None, sections=sections), clock=clock, more=PORTS)
    if url is not None:
        world.store = Store(url)
    return world
