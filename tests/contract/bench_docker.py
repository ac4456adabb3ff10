"""A real Docker engine under the contract suite: containers of the model server, one port."""

from __future__ import annotations

import hashlib
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contract.platforms import Bench, bench
from tests.platforms import real_engine
from tests.serving.tiny import save
from tools.platforms.base import Release
from tools.platforms.docker import Docker
from tools.platforms.docker_engine import Engine
from tools.platforms.docker_setup import DEPLOYMENT, Setup

PATIENCE = 240.0
"""Seconds; on a busy machine of two cores a container's server took more than 60 to answer."""


def release(home: Path, version: int, kind: str = "good") -> Release:
    file = save(home / "models" / f"{kind}.onnx", kind)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Release("digits", str(version), digest, str(file), config={"format": "onnx"})


def setup(**more: object) -> Setup:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given: dict[str, object] = {
        "name": f"digits-{uuid.uuid4().hex[:6]}",
        "port": port,
        "image": real_engine.IMAGE,
        "python": real_engine.PYTHON,
        "mounts": real_engine.mounts(),
        "env": {"PYTHONPATH": str(real_engine.REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"},
        "network": "steward-test",
        "stop_seconds": 5,
        "max_replicas": 20,
        **more,
    }
    return Setup(**given)  # type: ignore[arg-type]


@contextmanager
def docker_platform(made: Setup) -> Iterator[Docker]:
    engine = Engine("box")
    try:
        yield Docker("box", engine, [made])
    finally:
        for box in engine.boxes({DEPLOYMENT: made.name}, detail=False):
            engine.remove(box.id)
        engine.close()


def kill_one(platform: Docker, name: str) -> None:
    ready = [r.id for r in platform.status(name).replicas if r.ready]
    platform.engine.api.kill(ready[0])


@bench("docker", skip=real_engine.why_not())
@contextmanager
def docker_bench(home: Path) -> Iterator[Bench]:
    not_a_model = home / "broken.onnx"
    not_a_model.write_bytes(b"this is no model")
    broken = Release("digits", "666", None, str(not_a_model), config={"format": "onnx"})
    made = setup(start_seconds=PATIENCE)
    with docker_platform(made) as platform:
        yield Bench(
            platform,
            lambda version: release(home, version),
            broken,
            "crash loop",
            kill=lambda: kill_one(platform, made.name),
            again=lambda: Docker("box", Engine("box"), [made]),
            ref=made.name,
            pace=0.3,
            too_many=1000,
            patience=PATIENCE,
        )
