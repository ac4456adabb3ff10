"""MLflow as the registry: what is its own beyond the contract in test_registry."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.models import mlflow
from tests.models.lab import carry, digits, lab
from tests.models.test_registry import add, weights
from tools.contract import Happened
from tools.errors import BadArguments, Failed, Refused, Unavailable
from tools.fleet import Fleet
from tools.models.mlflow_api import MlflowApi
from tools.models.mlflow_registry import MlflowRegistry
from tools.models.mlflow_runs import begin
from tools.models.registries import open_registry
from tools.world import World

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def world(tmp_path: Path, mlflow_server: str) -> World:
    return mlflow.world(tmp_path / "home", mlflow_server)


def registry_of(world: World) -> MlflowRegistry:
    assert isinstance(world.registry, MlflowRegistry)
    return world.registry


def post(url: str, path: str, **said: object) -> dict:
    answer = httpx.post(f"{url}/api/2.0/mlflow{path}", json=said, timeout=60)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else {}


def test_another_machine_fetches_what_this_one_registered(world: World, tmp_path: Path):
    made = add(world.registry, weights(tmp_path), extras={"weights": weights(tmp_path, 5.0)})
    there = lab(tmp_path / "elsewhere")
    far = MlflowRegistry(registry_of(world)._api, there.store, there.home, there.clock)  # pyright: ignore[reportPrivateUsage]
    found = far.resolve("m", "1")
    assert found.path != made.path
    assert not found.path.exists()
    assert far.verified(found).read_bytes() == made.path.read_bytes()
    assert far.verified(found, "weights").read_bytes() == weights(tmp_path, 5.0).read_bytes()
    with pytest.raises(BadArguments, match="has no tokens"):
        far.verified(found, "tokens")


def test_a_file_swapped_on_the_server_is_not_handed_out(
    world: World, tmp_path: Path, mlflow_server: str
):
    made = add(world.registry, weights(tmp_path))
    made.path.unlink()
    said = httpx.get(
        f"{mlflow_server}/api/2.0/mlflow/model-versions/get", params={"name": "m", "version": "1"}
    ).json()
    folder = said["model_version"]["source"].removeprefix("mlflow-artifacts:/").strip("/")
    api = MlflowApi(mlflow_server)
    api.put_file(f"{folder}/model.safetensors", weights(tmp_path, 66.0))
    with pytest.raises(Failed, match="was altered"):
        world.registry.verified(made)


def test_what_others_logged_is_listed_and_an_onnx_file_of_theirs_can_be_used(
    world: World, tmp_path: Path, mlflow_server: str
):
    from tests.serving.tiny import save

    api = MlflowApi(mlflow_server)
    runs = [begin(api, "theirs") for _ in range(2)]
    api.put_file(f"{runs[0].folder}/model.onnx", save(tmp_path / "theirs.onnx"))
    api.put_file(f"{runs[1].folder}/model.pkl", weights(tmp_path))
    post(mlflow_server, "/registered-models/create", name="theirs")
    for run in runs:
        said = {"name": "theirs", "source": run.source, "run_id": run.id}
        post(mlflow_server, "/model-versions/create", **said)
    first, second = (world.registry.resolve("theirs", n) for n in ("1", "2"))
    assert first.technique == "logged to MLflow by others"
    assert world.registry.verified(first).read_bytes() == (tmp_path / "theirs.onnx").read_bytes()
    pinned = world.registry.resolve("theirs", "1")
    assert len(pinned.digest) == 64
    pinned.path.unlink()
    api.put_file(f"{runs[0].folder}/model.onnx", save(tmp_path / "other.onnx", "wrong"))
    with pytest.raises(Failed, match="was altered"):
        world.registry.verified(pinned)
    with pytest.raises(Refused, match="is not one ONNX file"):
        world.registry.verified(second)


def test_an_alias_moved_by_others_in_between_is_seen(
    world: World, tmp_path: Path, mlflow_server: str
):
    for value in (1.0, 2.0):
        add(world.registry, weights(tmp_path, value))
    place = "/registered-models/alias"
    post(mlflow_server, place, name="m", alias="production", version="1")
    with pytest.raises(Refused, match="it is version 1, expected unset"):
        world.registry.set_alias("m", "production", 2, expect=None, action_id="a", reason="r")


def test_a_move_cut_in_half_is_found_again(world: World, tmp_path: Path, mlflow_server: str):
    for value in (1.0, 2.0):
        add(world.registry, weights(tmp_path, value))
    registry = registry_of(world)
    intent = '{"action": "a1", "before": null, "after": 2}'
    key = "steward.alias.production"
    post(mlflow_server, "/registered-models/set-tag", name="m", key=key, value=intent)
    assert registry.alias_happened("m", "production", "a1") is Happened.NO
    place = "/registered-models/alias"
    post(mlflow_server, place, name="m", alias="production", version="2")
    assert registry.alias_happened("m", "production", "a1") is Happened.YES
    assert registry.alias_happened("m", "production", "a2") is Happened.NO
    registry.set_alias("m", "production", 2, expect=None, action_id="a1", reason="r")
    assert [m["action_id"] for m in registry.moves("m")] == ["a1"]
    post(mlflow_server, place, name="m", alias="production", version="1")
    post(mlflow_server, "/registered-models/set-tag", name="m", key=key, value=intent)


def test_a_job_trains_into_mlflow_and_works_on_from_there(tmp_path: Path, mlflow_server: str):
    world = mlflow.world(tmp_path / "home", mlflow_server, digits())
    assert carry(world, "launch_training", "a", model="digits")[2].ok
    trained = world.registry.resolve("digits")
    assert (trained.number, trained.job, trained.technique) == (1, "digits-train-1", "train")
    moved = carry(world, "promote_version", "p", model="digits", version="1", alias="production")
    assert moved[2].ok
    assert carry(world, "quantize_model", "q", model="digits", version="production")[2].ok
    assert world.registry.resolve("digits", "2").parent == 1


@pytest.mark.parametrize(
    ("said", "error", "why"),
    [
        ({"kind": "wandb"}, BadArguments, "write embedded or mlflow"),
        ({"kind": "mlflow"}, BadArguments, "registry.url"),
        ({"kind": "mlflow", "url": "http://127.0.0.1:9"}, Unavailable, "does not answer"),
    ],
)
def test_a_registry_that_cannot_be_used_says_why(tmp_path: Path, said: dict, error: type, why: str):
    world = lab(tmp_path / "home")
    world.fleet = Fleet(path=None, sections={"registry": said})
    with pytest.raises(error, match=why):
        open_registry(world).models()
