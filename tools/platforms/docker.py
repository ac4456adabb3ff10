"""A Docker host as a platform: each deployment is labelled containers behind one gateway.

In steward.yaml::

    platforms:
      box: {kind: docker}

Options: ``host`` (``unix:///…``, ``tcp://…``, ``ssh://…``; the environment's by default),
``network``, ``mounts``, ``registry``. A deployment's ``port`` is published by its gateway; its
``options`` are the fields of :class:`docker_fleet.Setup`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.contract import Act, Happened, Json
from tools.errors import BadArguments, Refused, unknown
from tools.platforms.base import (
    Edit,
    LogLine,
    PlatformEvent,
    Preview,
    Release,
    Revision,
    RollOut,
    Status,
    Traffic,
)
from tools.platforms.docker_driver import traffic_of
from tools.platforms.docker_edits import (
    aborted,
    diff,
    edited,
    words,
)
from tools.platforms.docker_engine import Engine
from tools.platforms.docker_fleet import Fleet
from tools.platforms.docker_peers import peers_of
from tools.platforms.docker_setup import DEPLOYMENT, ROLE, Setup
from tools.platforms.docker_state import State
from tools.platforms.docker_view import read_event, read_line, status_of

if TYPE_CHECKING:
    from tools.fleet import DeploymentSpec
    from tools.world import World

_TRIES = 5


class Docker:
    """The platform contract over one engine."""

    def __init__(self, name: str, engine: Engine, setups: Sequence[Setup]) -> None:
        self._name = name
        self.engine = engine
        self._fleets = {s.name: Fleet(engine, s) for s in setups}

    @property
    def name(self) -> str:
        """Its name in steward.yaml."""
        return self._name

    def _fleet(self, ref: str) -> Fleet:
        if ref not in self._fleets:
            raise unknown("deployment", ref, self._fleets, "部署")
        return self._fleets[ref]

    def deployments(self) -> Sequence[Status]:
        """Every deployment that steward.yaml puts on this host."""
        return [self.status(ref) for ref in self._fleets]

    def status(self, ref: str) -> Status:
        """One deployment now."""
        fleet = self._fleet(ref)
        seen = fleet.look()
        peers = peers_of(self.engine, fleet.setup, seen)
        return status_of(self._name, fleet.setup, seen, peers)

    def history(self, ref: str) -> Sequence[Revision]:
        """Revisions, newest first; the last fifty are kept."""
        state = self._fleet(ref).look().state
        return [
            Revision(
                number=e.number,
                release=Release(**e.release),
                created_at=datetime.fromtimestamp(e.created, UTC),
                action_id=e.action,
                current=e.number == state.target,
            )
            for e in sorted(state.revisions, key=lambda e: -e.number)
        ]

    def logs(
        self, ref: str, *, since: timedelta, limit: int = 500, previous: bool = False
    ) -> Sequence[LogLine]:
        """Lines of all replicas, those that crashed included, oldest first."""
        fleet, cut = self._fleet(ref), datetime.now(UTC) - since
        lines = [
            read_line(box.name, row)
            for box in fleet.look().boxes
            for row in self.engine.logs(box.id, cut, limit).splitlines()
        ]
        lines.sort(key=lambda line: line.at or datetime.min.replace(tzinfo=UTC))
        return lines[-limit:]

    def events(self, ref: str | None, *, since: timedelta) -> Sequence[PlatformEvent]:
        """What the engine reported about the containers, oldest first."""
        wanted = {DEPLOYMENT: self._fleet(ref).setup.name if ref else "", ROLE: ""}
        rows = self.engine.events(wanted, datetime.now(UTC) - since)
        found = [read_event(row) for row in rows if ":" not in str(row.get("Action", ":"))]
        return sorted(found, key=lambda e: e.at)

    def traffic(self, ref: str) -> Mapping[int, Traffic]:
        """Revision → what its gateway counted."""
        fleet = self._fleet(ref)
        seen = fleet.look()
        if seen.gateway is None or not seen.counters:
            return {}
        return traffic_of(seen, fleet.call({"op": "metrics"}), {})

    def preview(self, ref: str, edit: Edit) -> Preview:
        """What the edit would change."""
        fleet = self._fleet(ref)
        state = fleet.look().state
        after = edited(state, edit, fleet.setup, "preview")
        warnings: list[str] = []
        if isinstance(edit, RollOut):
            image = fleet.image_of(edit.release)
            if not self.engine.has_image(image):
                warnings.append(f"the image {image} is not on this host yet; it would be pulled")
        return Preview(diff(state, after), tuple(warnings))

    def edit(self, ref: str, edit: Edit, act: Act) -> str:
        """Write the new desired state down and let its driver carry it out."""
        fleet = self._fleet(ref)
        act.check()
        state = fleet.look().state
        if isinstance(edit, RollOut) and act.id not in state.actions:
            edited(state, edit, fleet.setup, act.id)
            fleet.open(fleet.image_of(edit.release), act.id)
        return self._send(fleet, lambda state: edited(state, edit, fleet.setup, act.id), act)

    def abort(self, ref: str, act: Act) -> str:
        """Stop the roll-out in progress and return to the stable revision."""
        fleet = self._fleet(ref)
        return self._send(fleet, lambda state: aborted(state, fleet.setup.name, act.id), act)

    def _send(self, fleet: Fleet, change: Callable[[State], State], act: Act) -> str:
        name, began = fleet.setup.name, -1
        for _ in range(_TRIES):
            act.check()
            seen = fleet.look()
            if act.id in seen.state.actions:
                self._drive(fleet, seen.state)
                return f"{name} carries this action already."
            if began not in (-1, seen.state.generation):
                raise Refused(
                    f"{name} was edited by another action in between; look again.",
                    f"{name} 在此期间被另一个操作修改；请重新查看。",
                )
            began = seen.state.generation
            after = change(seen.state)
            if seen.gateway is None:
                raise Refused(
                    f"Nothing was rolled out to {name} yet.", f"{name} 还没有发布过任何版本。"
                )
            if seen.gateway.state != "running":
                self.engine.start(seen.gateway.id)
            if fleet.write(after, seen.version):
                self._drive(fleet, after)
                return f"{name} moves to {words(after)}."
        raise Refused(f"{name} changes too fast to be edited; try again.")

    def _drive(self, fleet: Fleet, state: State) -> None:
        if state.at_rest:
            return
        said = {"where": self._name, "host": self.engine.host, "setup": asdict(fleet.setup)}
        command = [sys.executable, "-m", "tools.platforms.docker_driver", json.dumps(said)]
        root = Path(__file__).resolve().parents[2]
        subprocess.Popen(
            command,
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def happened(self, ref: str, action_id: str) -> Happened:
        """Does the deployment's state carry the action?"""
        state = self._fleet(ref).look().state
        return Happened.YES if action_id in state.actions else Happened.NO


def setup_of(spec: DeploymentSpec, options: Mapping[str, Json]) -> Setup:
    """The containers of a deployment as steward.yaml describes them; raises ``BadArguments``."""
    known = {f.name for f in fields(Setup)}
    shared = {k: v for k, v in options.items() if k in ("network", "mounts", "python", "env")}
    given: dict[str, Any] = {**shared, **spec.options}
    strange = sorted(set(given) - known)
    if strange or spec.port is None:
        what = f"unknown options {', '.join(strange)}" if strange else "no port"
        raise BadArguments(
            f"The deployment {spec.name} on Docker has {what}; it takes port and"
            f" {', '.join(sorted(known - {'name', 'port'}))}.",
            f"Docker 上的部署 {spec.name} 配置有误：{what}。",
        )
    given |= {"name": spec.name, "port": spec.port}
    return Setup(**given)


def build(world: World, name: str, options: Mapping[str, Json]) -> Docker:
    """The platform of a ``kind: docker`` section of steward.yaml; nothing is contacted yet."""
    host = options.get("host")
    engine = Engine(name, str(host) if host else None)
    specs = [s for s in world.fleet.deployments.values() if s.platform == name]
    return Docker(name, engine, [setup_of(spec, options) for spec in specs])
