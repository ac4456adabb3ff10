"""The containers of one deployment: its gateway and its replicas, found by their labels."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.contract import Json
from tools.errors import Failed, Refused, ToolError
from tools.platforms.base import Release
from tools.platforms.docker_engine import Box, Engine, NoContainer, Recipe
from tools.platforms.docker_plan import Peer
from tools.platforms.docker_state import State, read

GATEWAY = Path(__file__).with_name("docker_gateway.py")
DEPLOYMENT, ROLE, REVISION = "steward.deployment", "steward.role", "steward.revision"
EPOCH, GENERATION, ACTION = "steward.epoch", "steward.generation", "steward.action-id"
VERSION, DIGEST, MODEL = "steward.version", "steward.digest", "steward.model"
PORT, ADMIN = 8080, 8081


@dataclass(frozen=True, slots=True)
class Setup:
    """How a deployment's containers are made: its ``options`` in steward.yaml."""

    name: str
    port: int
    image: str | None = None
    """``{model}:{version}-{digest12}``: an image for each version, which runs its own command. Or
    one server image for every version: the artefact is then mounted and ``command`` runs."""
    gateway_image: str | None = None
    """An image with ``python3``; none takes the first release's."""
    address: str = "127.0.0.1"
    network: str = "steward"
    command: Sequence[str] = ()
    """What a container runs, with ``{artifact}``, ``{format}``, ``{model}``, ``{version}``."""
    python: str = "python3"
    mounts: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    probe: str = "/v2/health/ready"
    probe_port: int = ADMIN
    metrics: str = "/metrics"
    start_seconds: float = 60.0
    """How long a replica may take to become ready."""
    stop_seconds: int = 30
    memory: str | None = None
    gpus: int = 0
    max_replicas: int = 64


COMMAND = [
    "{python}",
    "-m",
    "tools.serving",
    "--artifact",
    "{artifact}",
    "--format",
    "{format}",
    "--model",
    "{model}",
    "--version",
    "{version}",
    "--host",
    "0.0.0.0",
    "--port",
    "8080",
    "--admin-host",
    "0.0.0.0",
    "--admin-port",
    "8081",
    "--drain-grace",
    "0.2",
]


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at a deployment."""

    state: State
    version: int
    """Of the gateway's document; a write must name it."""
    gateway: Box | None
    boxes: tuple[Box, ...]
    routes: Mapping[str, Any]
    counters: Mapping[str, Any]
    """Container id → what its gateway saw; empty while the gateway is down."""
    driven: bool = False
    """Whether somebody drives its roll-out at present."""


class Fleet:
    """Looks at and moves the containers of one deployment."""

    def __init__(self, engine: Engine, setup: Setup) -> None:
        self.engine = engine
        self.setup = setup
        self._labels = {DEPLOYMENT: setup.name}

    @property
    def gateway_name(self) -> str:
        """The name of the gateway's container."""
        return f"steward-{self.setup.name}-gateway"

    def look(self) -> Seen:
        """State, replicas and counters, in two or three calls of the engine."""
        boxes = self.engine.boxes(self._labels)
        gateway = next((b for b in boxes if b.labels.get(ROLE) == "gateway"), None)
        replicas = tuple(b for b in boxes if b.labels.get(ROLE) == "replica")
        if gateway is None:
            return Seen(State(), 0, None, replicas, {}, {})
        if gateway.state == "running":
            answer = self.call({"op": "get"})
            raw, counters = answer["state"], dict(answer["seen"])
            driven = bool(answer["lease"])
        else:
            raw = json.loads(self._kept(gateway))
            counters: dict[str, Any] = {}
            driven = False
        return Seen(
            read(raw),
            raw["version"],
            gateway,
            replicas,
            raw.get("routes", {}),
            counters,
            driven,
        )

    def _kept(self, gateway: Box) -> bytes:
        try:
            return self.engine.read_file(gateway.id, "/steward/state.json")
        except NoContainer:
            return b'{"version": 0}'

    def call(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the gateway."""
        command = [self.setup.python, "/steward/gateway.py", "call"]
        said = self.engine.execute(
            self.gateway_name, command, {"STEWARD_CALL": json.dumps(request), **self.setup.env}
        )
        return json.loads(said)

    def write(self, state: State, version: int) -> bool:
        """Replace the state if its document is still at ``version``."""
        request = {"op": "put", "state": state.json(), "expect": version}
        return bool(self.call(request)["ok"])

    def open(self, image: str, action: str) -> None:
        """Make sure that the gateway runs; it survives restarts of the engine with its state."""
        there = self.engine.inspect(self.gateway_name)
        if there is None:
            there = self._make_gateway(image, action)
        if there.state != "running":
            self.engine.start(there.id)
        end = time.monotonic() + 20
        while True:
            try:
                self.call({"op": "get"})
            except ToolError:
                if time.monotonic() > end:
                    said = self.engine.logs(there.id, None, 3)
                    raise Failed(
                        f"The gateway of {self.setup.name} does not start: {said}"
                    ) from None
                time.sleep(0.1)
            else:
                return

    def _make_gateway(self, image: str, action: str) -> Box:
        setup = self.setup
        self.engine.ensure_image(setup.gateway_image or image)
        self.engine.network(setup.network)
        recipe = Recipe(
            name=self.gateway_name,
            image=setup.gateway_image or image,
            labels={**self._labels, ROLE: "gateway", ACTION: action},
            command=[setup.python, "/steward/gateway.py", "serve", str(PORT)],
            env=setup.env,
            binds=setup.mounts,
            network=setup.network,
            port=(setup.address, setup.port, PORT),
        )
        made = self.engine.run(recipe)
        self.engine.put_file(made, "/steward/gateway.py", GATEWAY.read_bytes())
        box = self.engine.inspect(made)
        assert box is not None
        return box

    def image_of(self, release: Release) -> str:
        """The image that serves a release."""
        pattern = release.image or self.setup.image
        if not pattern:
            raise Refused(
                f"{self.setup.name} has no image to run; set options.image in steward.yaml, or build"
                " one with build_image.",
                f"{self.setup.name} 没有可运行的镜像；请在 steward.yaml 设置 options.image 或先构建镜像。",
            )
        return _fill(pattern, release)

    def start(self, state: State, revision: int, epoch: int, *, held: bool) -> None:
        """Start one replica and let the gateway know it; ``held`` gives it no traffic yet."""
        release = state.release(revision)
        taken = {b.name for b in self.engine.boxes(self._labels, detail=False)}
        stem = f"steward-{self.setup.name}-r{revision}"
        number = next(n for n in range(1, 10_000) if f"{stem}-{epoch}-{n}" not in taken)
        action = state.actions[0] if state.actions else ""
        labels = {
            **self._labels,
            ROLE: "replica",
            REVISION: str(revision),
            EPOCH: str(epoch),
            GENERATION: str(state.generation),
            ACTION: action,
            VERSION: release.version or "",
            DIGEST: release.digest or "",
            MODEL: release.model or "",
        }
        name = f"{stem}-{epoch}-{number}"
        self.engine.ensure_image(self.image_of(release))
        made = self.engine.run(self._recipe(name, release, labels))
        self._route(made, name, 0.0 if held else 1.0)
        self.engine.start(made)

    def _recipe(self, name: str, release: Release, labels: Mapping[str, str]) -> Recipe:
        setup = self.setup
        binds = list(setup.mounts)
        artifact = release.artifact or ""
        baked = "{version}" in (setup.image or "") and not setup.command
        if not baked and Path(artifact).exists() and artifact:
            inside = f"/model/{Path(artifact).name}"
            binds.append(f"{artifact}:{inside}:ro")
            artifact = inside
        parts = () if baked else setup.command or COMMAND
        command = [_fill(p, release, setup, artifact) for p in parts]
        env = {
            **setup.env,
            **_config_env(release.config),
            "STEWARD_ACTION_ID": labels[ACTION],
            "STEWARD_MODEL": release.model or "",
            "STEWARD_VERSION": release.version or "",
            "STEWARD_DIGEST": release.digest or "",
            "STEWARD_ARTIFACT": artifact,
            "STEWARD_CONFIG": json.dumps(dict(release.config), sort_keys=True),
        }
        return Recipe(
            name=name,
            image=self.image_of(release),
            labels=labels,
            command=command,
            env=env,
            binds=binds,
            network=setup.network,
            memory=setup.memory,
            gpus=setup.gpus,
        )

    def _route(self, container: str, host: str, weight: float) -> None:
        routes = dict(self.call({"op": "get"})["state"].get("routes", {}))
        setup = self.setup
        probe = {"probe": setup.probe, "probe_port": setup.probe_port, "metrics": setup.metrics}
        routes[container] = {"host": host, "port": PORT, "weight": weight, **probe}
        self.call({"op": "routes", "routes": routes})

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Change shares of the traffic; a replica of weight 0 gets no new request."""
        routes = dict(self.call({"op": "get"})["state"].get("routes", {}))
        for key, weight in weights.items():
            if key in routes:
                routes[key] = {**routes[key], "weight": weight}
        self.call({"op": "routes", "routes": routes})

    def leave(self, container: str) -> None:
        """Let a replica go without losing a request."""
        self.weigh({container: 0.0})
        end = time.monotonic() + self.setup.stop_seconds
        while time.monotonic() < end:
            answer = self.call({"op": "get"})
            if not answer["seen"].get(container, {}).get("in_flight"):
                break
            time.sleep(0.05)
        self.engine.stop(container, self.setup.stop_seconds)
        routes = dict(self.call({"op": "get"})["state"].get("routes", {}))
        routes.pop(container, None)
        self.call({"op": "routes", "routes": routes})
        self.engine.remove(container)

    def peers(self, seen: Seen, leaving: frozenset[str] = frozenset()) -> list[Peer]:
        """The replicas as the plan sees them."""
        return [self._peer(seen, box, box.id in leaving) for box in seen.boxes]

    def _peer(self, seen: Seen, box: Box, leaving: bool) -> Peer:
        sight = seen.counters.get(box.id, {})
        ready = box.state == "running" and bool(sight.get("ready"))
        crashed = box.state in ("exited", "dead")
        age = time.time() - box.created.timestamp()
        late = not ready and not crashed and age > self.setup.start_seconds
        return Peer(
            id=box.id,
            revision=int(box.labels.get(REVISION, 0)),
            epoch=int(box.labels.get(EPOCH, 0)),
            generation=int(box.labels.get(GENERATION, 0)),
            ready=ready,
            crashed=crashed,
            leaving=leaving,
            restarts=box.restarts,
            late=late,
            why="" if ready else self.why(box, late, str(sight.get("why", ""))),
            weight=float(seen.routes.get(box.id, {}).get("weight", 1.0)),
        )

    def why(self, box: Box, late: bool, probe: str) -> str:
        """The named cause of a replica that does not serve."""
        if box.error:
            return f"container cannot start: {box.error[:160]}"
        if box.oom:
            return f"out of memory (OOM): {box.name} exceeded its memory limit"
        if box.state in ("exited", "dead") or box.restarts:
            said = self.last_words(box)
            killed = box.exit_code in (137, 143)
            word = "killed" if killed and not box.restarts else "crash loop"
            return f"{word}: {box.name} exited with {box.exit_code}{f': {said}' if said else ''}"
        if late:
            return f"probe failing: {box.name} is not ready: {probe or 'no answer'}"
        return ""

    def last_words(self, box: Box) -> str:
        """The last line a container wrote."""
        lines = [line for line in self.engine.logs(box.id, None, 5).splitlines() if line.strip()]
        return lines[-1].partition(" ")[2][:160] if lines else ""


def _fill(pattern: str, release: Release, setup: Setup | None = None, artifact: str = "") -> str:
    digest = (release.digest or "").removeprefix("sha256:")
    return pattern.format(
        model=(release.model or "model").lower(),
        version=release.version or "0",
        digest=digest,
        digest12=digest[:12],
        artifact=artifact or release.artifact or "",
        format=release.config.get("format") or "onnx",
        python=setup.python if setup else "python3",
    )


def _config_env(config: Mapping[str, Json]) -> dict[str, str]:
    env = config.get("env")
    return {k: str(v) for k, v in env.items()} if isinstance(env, dict) else {}
