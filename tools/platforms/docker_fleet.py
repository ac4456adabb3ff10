"""The containers of one deployment: its gateway and its replicas, found by their labels."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.errors import Failed, Refused, ToolError
from tools.platforms.base import Release
from tools.platforms.docker_engine import Engine
from tools.platforms.docker_network import ensure_network
from tools.platforms.docker_peers import Seen
from tools.platforms.docker_setup import (
    ACTION,
    COMMAND,
    DEPLOYMENT,
    DIGEST,
    EPOCH,
    GENERATION,
    MODEL,
    PORT,
    REVISION,
    ROLE,
    VERSION,
    Setup,
    config_env,
    filled,
)
from tools.platforms.docker_state import State, read
from tools.platforms.docker_values import Box, NoContainer, Recipe


def gateway_files() -> dict[str, bytes]:
    """What the gateway's container needs: two modules of this package, under a package of theirs."""
    here = Path(__file__).parent
    packages = {f"/steward/{folder}/__init__.py": b"" for folder in ("tools", "tools/platforms")}
    http = (here / "docker_gateway_http.py").read_bytes()
    return {
        **packages,
        "/steward/call.py": (here / "docker_gateway_call.py").read_bytes(),
        "/steward/gateway.py": (here / "docker_gateway.py").read_bytes(),
        "/steward/tools/platforms/docker_gateway_http.py": http,
    }


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

    def look(self, told: Mapping[str, Any] | None = None) -> Seen:
        """State, replicas and counters, in two or three calls of the engine.

        ``told`` is what the gateway answered just now, where somebody asked it already: each
        question is a process in its container.
        """
        boxes = self.engine.boxes(self._labels)
        gateway = next((b for b in boxes if b.labels.get(ROLE) == "gateway"), None)
        replicas = tuple(b for b in boxes if b.labels.get(ROLE) == "replica")
        if gateway is None:
            return Seen(State(), 0, None, replicas, {}, {})
        if gateway.state == "running":
            answer = told or self.call({"op": "get"})
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
        command = [self.setup.python, "-I", "-S", "/steward/call.py"]
        said = self.engine.execute(
            self.gateway_name, command, {"STEWARD_CALL": json.dumps(request)}
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
        elif there.state == "created":  # made by somebody who was killed before giving it its files
            self.engine.put_files(there.id, gateway_files())
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
        ensure_network(self.engine, setup.network)
        recipe = Recipe(
            name=self.gateway_name,
            image=setup.gateway_image or image,
            labels={**self._labels, ROLE: "gateway", ACTION: action},
            command=[setup.python, "/steward/gateway.py", str(PORT)],
            env=setup.env,
            binds=setup.mounts,
            network=setup.network,
            port=(setup.address, setup.port, PORT),
        )
        made = self.engine.make(recipe)
        self.engine.put_files(made, gateway_files())
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
        return filled(pattern, release)

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
        made = self.engine.make(self._recipe(name, release, labels))
        self._route(made, name, 0.0 if held else 1.0)
        self.engine.start(made)

    def begin(self, container: str) -> None:
        """Go on where a driver was killed between making a replica and starting it.

        Its route may be missing, so it is given again, held: every way of rolling out gives weight
        to the replicas that are to serve.
        """
        box = self.engine.inspect(container)
        if box is not None:
            self._route(box.id, box.name, 0.0)
            self.engine.start(box.id)

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
        command = [filled(p, release, setup, artifact) for p in parts]
        env = {
            **setup.env,
            **config_env(release.config),
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
        setup = self.setup
        probe = {"probe": setup.probe, "probe_port": setup.probe_port, "metrics": setup.metrics}
        route = {"host": host, "port": PORT, "weight": weight, **probe}
        self.call({"op": "edit", "add": {container: route}})

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Change shares of the traffic; a replica of weight 0 gets no new request."""
        self.call({"op": "edit", "weights": dict(weights)})

    def leave(self, container: str) -> None:
        """Let a replica go without losing a request."""
        self.weigh({container: 0.0})
        end = time.monotonic() + self.setup.stop_seconds
        while time.monotonic() < end:
            answer = self.call({"op": "get"})
            if not answer["seen"].get(container, {}).get("in_flight"):
                break
            time.sleep(0.2)
        self.engine.stop(container, self.setup.stop_seconds)
        self.call({"op": "edit", "drop": [container]})
        self.engine.remove(container)
