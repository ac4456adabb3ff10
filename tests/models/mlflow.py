"""A real MLflow server of this test run, where MLflow is installed somewhere.

``STEWARD_TEST_MLFLOW`` names its command (``/path/to/venv/bin/mlflow``); it is not in our own
environment, whose libraries it would pin.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.models.lab import digits
from tests.serving.test_server import free_port
from tests.support import make_world
from tools.fleet import Fleet, ModelSpec
from tools.models.jobs import open_jobs
from tools.models.registries import open_registry
from tools.world import World


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """The address of a server that keeps everything under ``home``."""
    command = os.environ.get("STEWARD_TEST_MLFLOW") or shutil.which("mlflow")
    if command is None:
        pytest.skip("MLflow is not installed; name its command in STEWARD_TEST_MLFLOW")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [
                command, "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
                "--backend-store-uri", f"sqlite:///{home / 'mlflow.db'}",
                "--artifacts-destination", str(home / "files"),
            ],
            stdout=log,
            stderr=log,
            cwd=home,
            start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 240
        while True:
            assert process.poll() is None, (home / "server.log").read_text()[-2000:]
            assert time.monotonic() < deadline, "MLflow did not start"
            try:
                if httpx.get(f"{url}/health", timeout=5).is_success:
                    break
            except httpx.HTTPError:
                time.sleep(0.3)
        yield url
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def empty(url: str) -> None:
    """Forget every model, so that the next test counts from one."""
    root = f"{url}/api/2.0/mlflow/registered-models"
    for model in httpx.get(f"{root}/search").json().get("registered_models", []):
        httpx.request("DELETE", f"{root}/delete", json={"name": model["name"]})


def world(home: Path, url: str, *models: ModelSpec) -> World:
    """A world whose registry is that server."""
    empty(url)
    fleet = Fleet(
        path=None,
        models={m.name: m for m in models or (digits(),)},
        sections={"registry": {"kind": "mlflow", "url": url}},
    )
    return make_world(home, fleet=fleet, registry=open_registry, jobs=open_jobs)
