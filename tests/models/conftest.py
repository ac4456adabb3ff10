"""What the tests of this room share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.models import mlflow
from tools.world import World


@pytest.fixture
def leftovers() -> Iterator[list[World]]:
    """Worlds whose jobs are ended after the test, whatever happened."""
    worlds: list[World] = []
    yield worlds
    for world in worlds:
        for job in world.jobs.list():
            world.jobs.cancel(job.name, "cleanup")


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real MLflow server; skips with a reason where there is none."""
    with mlflow.serving(tmp_path_factory.mktemp("mlflow")) as url:
        yield url
