"""This machine under the contract suite: real server processes with tiny models."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contract.platforms import Bench, bench
from tests.serving.tiny import save
from tools.fleet import DeploymentSpec
from tools.platforms.base import Release
from tools.platforms.local import LocalPlatform
from tools.platforms.local_state import Folder
from tools.world import SystemClock


def release(home: Path, version: int, kind: str = "good") -> Release:
    file = save(home / "models" / f"{kind}.onnx", kind)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Release("digits", str(version), digest, str(file), config={"format": "onnx"})


def folder(home: Path) -> Folder:
    return Folder(home / "platforms" / "local" / "digits")


def kill_one(home: Path) -> None:
    row = next(r for r in folder(home).observed().replicas if r.state == "ready")
    os.kill(row.pid, signal.SIGKILL)


@contextmanager
def local_platform(home: Path, **options: object) -> Iterator[LocalPlatform]:
    spec = DeploymentSpec("digits", "local", "digits", options={"drain_grace": 0.5, **options})  # type: ignore[dict-item]
    platform = LocalPlatform("local", [spec], home, SystemClock())
    try:
        yield platform
    finally:
        platform.stop()


@bench("local")
@contextmanager
def local_bench(home: Path) -> Iterator[Bench]:
    not_a_model = home / "broken.onnx"
    not_a_model.write_bytes(b"this is no model")
    broken = Release("digits", "666", None, str(not_a_model), config={"format": "onnx"})
    with local_platform(home) as platform:
        yield Bench(
            platform,
            lambda version: release(home, version),
            broken,
            "model cannot be loaded",
            kill=lambda: kill_one(home),
            again=lambda: LocalPlatform(
                "local", [DeploymentSpec("digits", "local", "digits")], home, SystemClock()
            ),
        )
