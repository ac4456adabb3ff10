"""The composition root: the only place that chooses and connects the parts.

Everything is built when first asked for, so that ``steward --help`` loads nothing and a question
loads only what answers it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from agent import settings as knobs
from agent.errors import Unreadable

if TYPE_CHECKING:
    from agent.assistant import Assistant
    from agent.door import Door
    from agent.ledger import Ledger
    from agent.offline.brain import Brain
    from agent.settings import Settings
    from agent.turn import Planner
    from tools.contract import Json, Tool
    from tools.fleet import Fleet
    from tools.platforms.base import Platform, Platforms
    from tools.store import Store
    from tools.world import World


@dataclass
class App:
    """One process's parts, each built once."""

    settings: Settings

    @classmethod
    def start(cls, *, fleet: str | None = None) -> App:
        """From the environment; raises ``Unreadable``."""
        return cls(knobs.load(fleet=fleet))

    def ahead(self) -> None:
        """Unpack the planner's weights beside the imports that follow: it needs no interpreter."""
        from agent.offline.weights import shipped

        threading.Thread(target=shipped, name="weights", daemon=True).start()

    @cached_property
    def fleet(self) -> Fleet:
        """steward.yaml, or the embedded default."""
        from agent import fleet as fleets

        return fleets.load(self.settings.fleet, self.settings.user)

    @cached_property
    def tools(self) -> Mapping[str, Tool]:
        """The catalogue by name, and the tools of MCP servers that steward.yaml names."""
        from tools.catalog import by_name

        found = {**self._foreign(), **by_name()}  # a foreign tool never replaces an own one
        _check_policy_names(self.fleet, found)
        return found

    def _foreign(self) -> Mapping[str, Tool]:
        if not self.fleet.sections.get("mcp"):
            return {}
        from tools.outside.offered import offered

        return {tool.name: tool for tool in offered(self.fleet, self.settings.home)}

    @cached_property
    def store(self) -> Store:
        """The database."""
        from tools.store import Store

        if self.settings.database:
            return Store(self.settings.database)
        return Store.at_home(self.settings.home)

    @cached_property
    def ledger(self) -> Ledger:
        """Every action."""
        from agent.ledger import Ledger
        from tools.world import SystemClock

        return Ledger(self.store, SystemClock())

    @cached_property
    def world(self) -> World:
        """What tools see."""
        from agent.ledger_log import LedgerLog
        from tools.world import Ports, SystemClock, World

        return World(
            fleet=self.fleet,
            home=self.settings.home,
            store=self.store,
            clock=SystemClock(),
            actions=LedgerLog(self.ledger),
            ports=Ports(platforms=_platforms, registry=_registry, jobs=_jobs, more=_MORE),
        )

    @cached_property
    def door(self) -> Door:
        """The one way to a change."""
        from agent.door import Door
        from agent.foresight import Foresight
        from agent.work import Work, this_process

        return Door(
            foresight=Foresight(self.tools, self.world),
            world=self.world,
            fleet=self.fleet,
            ledger=self.ledger,
            work=Work(self.store, self.world.clock),
            owner=this_process(),
        )

    @cached_property
    def assistant(self) -> Assistant:
        """The one use case."""
        from agent.assistant import Assistant
        from agent.conversations import Conversations
        from agent.toolbox import Toolbox

        return Assistant(
            door=self.door,
            conversations=Conversations(self.store, self.world.clock),
            toolbox=Toolbox(self.tools, self.world, self.door),
            planner=lambda: self.planner,
        )

    @cached_property
    def planner(self) -> Planner:
        """The language model with the embedded planner behind it, or the embedded planner alone."""
        from agent.offline.planner import OfflinePlanner

        offline = OfflinePlanner(lambda: self.brain)
        if self.settings.model is None:
            return offline
        from agent.planner import ModelPlanner

        return ModelPlanner(self.settings.model, offline, self.fleet, self.settings.home)

    @cached_property
    def brain(self) -> Brain:
        """The embedded planner's understanding, with the fleet's live names."""
        from agent.names import live_names
        from agent.offline.brain import Brain

        spoken = [t for t in self.tools.values() if t.phrases.en or t.phrases.zh]
        return Brain(tuple(spoken), live_names(self.world))

    @property
    def brain_line(self) -> str:
        """Which brain is at work, in one line."""
        model = self.settings.model
        if model is None:
            return "embedded planner (no language model configured)"
        where = f" at {model.base_url}" if model.base_url else ""
        return f"language model {model.name}{where}; the embedded planner takes over if it fails"


def _check_policy_names(fleet: Fleet, tools: Mapping[str, Tool]) -> None:
    named = {t for t in fleet.policy.approvers if t != "*"}
    named |= {rule.tool for rule in fleet.policy.preapproved}
    for name in sorted(named - tools.keys()):
        raise Unreadable(f"{fleet.path}: policy names the tool {name!r}, which does not exist.")


def _platforms(world: World) -> Platforms:
    from tools.platforms.router import Router

    return Router(world, {"local": _local, "docker": _docker, "kubernetes": _kubernetes})


def _local(world: World, name: str, options: Mapping[str, Json]) -> Platform:
    from tools.platforms.local import build

    return build(world, name, options)


def _docker(world: World, name: str, options: Mapping[str, Json]) -> Platform:
    from tools.platforms.docker import build

    return build(world, name, options)


def _kubernetes(world: World, name: str, options: Mapping[str, Json]) -> Platform:
    from tools.platforms.kubernetes import build

    return build(world, name, options)


def _registry(world: World) -> Any:
    from tools.models.registries import open_registry

    return open_registry(world)


def _jobs(world: World) -> Any:
    from tools.models.jobs import open_jobs

    return open_jobs(world)


def _telemetry(world: World) -> Any:
    from tools.observe.telemetry import build

    return build(world)


def _alerts(world: World) -> Any:
    from tools.alerts.book import build

    return build(world)


def _schedules(world: World) -> Any:
    from tools.schedules.rows import build

    return build(world)


def _notices(world: World) -> Any:
    from tools.notices.outbox import build

    return build(world)


def _outside(world: World) -> Any:
    from tools.outside.offered import build

    return build(world)


def _images(world: World) -> Any:
    from tools.platforms.docker_images import build_images

    return build_images(world)


_MORE: Mapping[str, Callable[[World], Any]] = {
    "telemetry": _telemetry,
    "alerts": _alerts,
    "schedules": _schedules,
    "notices": _notices,
    "images": _images,
    "outside": _outside,
}
