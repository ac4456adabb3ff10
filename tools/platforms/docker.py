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
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.contract import Act, Happened, Json
from tools.errors import BadArguments, Refused, unknown
from tools.platforms.base import (
    Edit,
    LogLine,
    Pause,
    Phase,
    PlatformEvent,
    Preview,
    Release,
    Replica,
    Restart,
    Resume,
    Revision,
    RollBack,
    RollOut,
    Scale,
    Status,
    Traffic,
)
from tools.platforms.docker_driver import traffic_of
from tools.platforms.docker_engine import Engine
from tools.platforms.docker_fleet import DEPLOYMENT, ROLE, Fleet, Seen, Setup
from tools.platforms.docker_plan import Peer
from tools.platforms.docker_state import State

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
        peers = fleet.peers(seen)
        return _status(self._name, fleet.setup, seen, peers)

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
            _line(box.name, row)
            for box in fleet.look().boxes
            for row in self.engine.logs(box.id, cut, limit).splitlines()
        ]
        lines.sort(key=lambda line: line.at or datetime.min.replace(tzinfo=UTC))
        return lines[-limit:]

    def events(self, ref: str | None, *, since: timedelta) -> Sequence[PlatformEvent]:
        """What the engine reported about the containers, oldest first."""
        wanted = {DEPLOYMENT: self._fleet(ref).setup.name if ref else "", ROLE: ""}
        rows = self.engine.events(wanted, datetime.now(UTC) - since)
        found = [_event(row) for row in rows if ":" not in str(row.get("Action", ":"))]
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
        after = _edited(state, edit, fleet.setup, "preview")
        warnings: list[str] = []
        if isinstance(edit, RollOut):
            image = fleet.image_of(edit.release)
            if not self.engine.has_image(image):
                warnings.append(f"the image {image} is not on this host yet; it would be pulled")
        return Preview(_diff(state, after), tuple(warnings))

    def edit(self, ref: str, edit: Edit, act: Act) -> str:
        """Write the new desired state down and let its driver carry it out."""
        fleet = self._fleet(ref)
        act.check()
        state = fleet.look().state
        if isinstance(edit, RollOut) and act.id not in state.actions:
            _edited(state, edit, fleet.setup, act.id)
            fleet.open(fleet.image_of(edit.release), act.id)
        return self._send(fleet, lambda state: _edited(state, edit, fleet.setup, act.id), act)

    def abort(self, ref: str, act: Act) -> str:
        """Stop the roll-out in progress and return to the stable revision."""
        fleet = self._fleet(ref)
        return self._send(fleet, lambda state: _aborted(state, fleet.setup.name, act.id), act)

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
                return f"{name} moves to {_words(after)}."
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


def _edited(state: State, edit: Edit, setup: Setup, action: str) -> State:
    match edit:
        case RollOut():
            _room(setup, edit.replicas)
            _settled(state, setup.name, "roll-out")
            if edit.release == state.release(state.target) and state.done == state.generation:
                return state.acted(action, replicas=edit.replicas)
            return state.revised(edit.release, action, time.time(), edit)
        case Scale():
            _room(setup, edit.replicas)
            return replace(state.acted(action, replicas=edit.replicas), paused=False)
        case Restart():
            _settled(state, setup.name, "restart")
            way = replace(state.way, kind="rolling")
            return state.acted(action, epoch=state.epoch + 1, way=way)
        case RollBack():
            return _returned(state, edit.revision, setup.name, action)
        case Pause() | Resume():
            return _held(state, isinstance(edit, Pause), setup.name, action)


def _room(setup: Setup, replicas: int) -> None:
    if replicas > setup.max_replicas:
        raise Refused(
            f"{setup.name} may have at most {setup.max_replicas} replicas on this host, not"
            f" {replicas}; raise options.max_replicas.",
            f"{setup.name} 在此主机上最多 {setup.max_replicas} 个副本，不能是 {replicas}；"
            "可调大 options.max_replicas。",
        )


def _settled(state: State, name: str, what: str) -> None:
    if state.target and not state.at_rest:
        raise Refused(
            f"A roll-out of {name} is in progress; wait for it, or abort it, before the next {what}.",
            f"{name} 的发布正在进行；请等待其完成或先中止。",
        )


def _returned(state: State, revision: int, name: str, action: str) -> State:
    if not any(e.number == revision for e in state.revisions):
        known = ", ".join(str(e.number) for e in state.revisions) or "none"
        raise BadArguments(
            f"{name} has no revision {revision}; there is {known}.",
            f"{name} 没有修订 {revision}；现有：{known}。",
        )
    epoch = state.stable_epoch if revision == state.stable else state.epoch
    way = replace(state.way, kind="rolling")
    return state.acted(action, target=revision, epoch=epoch, way=way, paused=False)


def _held(state: State, wanted: bool, name: str, action: str) -> State:
    if wanted and (state.at_rest or state.paused):
        raise Refused(f"{name} has no roll-out in progress to pause.", f"{name} 没有进行中的发布。")
    if not wanted and state.at_rest:
        raise Refused(f"{name} has no roll-out to resume.", f"{name} 没有可以继续的发布。")
    return state.acted(action, paused=wanted)


def _aborted(state: State, name: str, action: str) -> State:
    if state.at_rest or not state.stable:
        raise Refused(
            f"{name} has no roll-out in progress to abort.", f"{name} 没有进行中的发布可以中止。"
        )
    return _returned(state, state.stable, name, action)


def _words(state: State) -> str:
    release = state.release(state.target)
    what = f"version {release.version}" if release.version else f"revision {state.target}"
    held = ", paused" if state.paused else ""
    return f"{what} with {state.replicas} replicas{held}"


def _diff(before: State, after: State) -> str:
    def lines(s: State, sign: str) -> list[str]:
        r = s.release(s.target)
        shown = [f"{sign} {_words(s)}"]
        if r.digest:
            shown.append(f"{sign} weights {r.digest.removeprefix('sha256:')[:12]}")
        if r.config:
            shown.append(f"{sign} configuration {json.dumps(dict(r.config), sort_keys=True)}")
        if s.epoch != before.epoch:
            shown.append(f"{sign} every replica started anew")
        return shown

    old, new = lines(before, "-"), lines(after, "+")
    return "\n".join([*old, *new])


def _status(platform: str, setup: Setup, seen: Seen, peers: Sequence[Peer]) -> Status:
    state, by_id = seen.state, {p.id: p for p in peers}
    phase, message = _phase(seen, peers)
    boxes = [
        b for b in seen.boxes if by_id[b.id].weight or not by_id[b.id].ready or not state.at_rest
    ]
    total = sum(p.weight for p in peers if p.ready) or 1.0
    shares: dict[int, float] = {}
    for peer in peers:
        if peer.ready:
            shares[peer.revision] = round(shares.get(peer.revision, 0) + peer.weight / total, 4)
    return Status(
        name=setup.name,
        namespace=None,
        platform=platform,
        uid=seen.gateway.id[:12] if seen.gateway else "new",
        generation=str(state.generation),
        revision=state.target,
        release=state.release(state.target),
        wanted=state.replicas,
        ready=sum(p.ready for p in peers),
        updated=sum(p.ready for p in peers if (p.revision, p.epoch) == (state.target, state.epoch)),
        phase=phase,
        replicas=tuple(
            Replica(
                id=b.name,
                ready=by_id[b.id].ready,
                revision=by_id[b.id].revision,
                version=b.labels.get("steward.version") or None,
                started_at=b.created,
                restarts=b.restarts,
                state=_word(by_id[b.id]),
                message=by_id[b.id].why,
            )
            for b in boxes
        ),
        message=message,
        action_id=state.actions[0] if state.actions else None,
        traffic=shares if len(shares) > 1 else {},
        endpoint=f"http://{setup.address}:{setup.port}",
    )


def _word(peer: Peer) -> str:
    if peer.crashed or peer.restarts:
        return "running" if peer.ready else "crashed"
    return "running" if peer.ready else "starting"


def _phase(seen: Seen, peers: Sequence[Peer]) -> tuple[Phase, str]:
    state = seen.state
    if not state.target:
        return "complete", "nothing was rolled out yet"
    if seen.gateway is not None and seen.gateway.state != "running":
        return "degraded", f"its gateway is {seen.gateway.state}: the port does not answer"
    if state.failed == state.generation:
        return "failed", state.cause
    if state.paused:
        return "paused", f"{sum(p.ready for p in peers)} replicas serve while it is paused"
    if state.done == state.generation:
        ill = [p for p in peers if not p.ready]
        if ill or len(peers) != state.replicas:
            why = next((p.why for p in ill if p.why), "")
            return (
                "degraded",
                why or f"{len(peers) - len(ill)} of {state.replicas} replicas are ready",
            )
        return "complete", ""
    new = sum(p.ready for p in peers if p.revision == state.target)
    idle = "" if seen.driven else "; nobody drives it: resume the roll-out to go on"
    return "progressing", f"{new} of {state.replicas} new replicas are ready{idle}"


def _line(source: str, row: str) -> LogLine:
    stamp, _, text = row.partition(" ")
    try:
        return LogLine(
            datetime.fromisoformat(stamp[:26].rstrip("Z")).replace(tzinfo=UTC), source, text
        )
    except ValueError:
        return LogLine(None, source, row)


def _event(row: Mapping[str, Any]) -> PlatformEvent:
    about = row["Actor"]["Attributes"]
    action, code = str(row["Action"]), str(about.get("exitCode", ""))
    bad = action == "oom" or (action == "die" and code not in ("", "0", "143"))
    detail = f"{action} with exit code {code}" if code else action
    return PlatformEvent(
        at=datetime.fromtimestamp(row["timeNano"] / 1e9, UTC),
        target=f"container/{about.get('name', '')}",
        kind="warning" if bad else "normal",
        reason=action,
        message=f"{about.get('name', 'a container')}: {detail}",
    )


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
