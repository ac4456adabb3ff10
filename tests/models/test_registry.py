"""Registries: content-addressed, once per job, compare-and-swap, safe formats only.

What takes ``world`` is the contract, which both registries pass; the rest is the embedded one's.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models import mlflow
from tests.models.lab import lab
from tools.contract import Happened
from tools.errors import BadArguments, Failed, Refused
from tools.models.base import ModelVersion
from tools.models.mlflow_registry import MlflowRegistry
from tools.models.registry import EmbeddedRegistry
from tools.store import Store
from tools.world import SystemClock, World

pytestmark = pytest.mark.timeout(400)  # an MLflow server may have to start first


def weights(folder: Path, value: float = 0.0) -> Path:
    from safetensors.numpy import save_file

    file = folder / f"weights-{value}.safetensors"
    save_file({"w": np.full(8, value, "float32")}, file)
    return file


def add(registry: Any, file: Path, model: str = "m", **changes: Any) -> ModelVersion:
    said: dict[str, Any] = {
        "metrics": {"accuracy": 0.9},
        "technique": "train",
        "parent": None,
        "action_id": "a",
        "job": None,
        "lineage": {"data": "d"},
    }
    return registry.register(model, file, "safetensors", **{**said, **changes})


@pytest.fixture(params=["embedded", "mlflow"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    if request.param == "embedded":
        return lab(tmp_path / "home")
    return mlflow.world(tmp_path / "home", request.getfixturevalue("mlflow_server"))


def test_versions_count_up_and_are_found_by_number_alias_and_default(world: World, tmp_path: Path):
    registry = world.registry
    for value in (1.0, 2.0, 3.0):
        add(registry, weights(tmp_path, value))
    assert [v.number for v in registry.versions("m")] == [3, 2, 1]
    assert registry.resolve("m").number == 3
    registry.set_alias("m", "production", 2, expect=None, action_id="p", reason="r")
    assert registry.resolve("m").number == 2
    assert registry.resolve("m", "production").aliases == ("production",)
    assert registry.resolve("m", "latest").number == 3
    with pytest.raises(BadArguments, match=r"no version of m named '9'"):
        registry.resolve("m", "9")
    with pytest.raises(BadArguments, match="train it first"):
        registry.resolve("other")


def test_a_job_registers_once(world: World, tmp_path: Path):
    first = add(world.registry, weights(tmp_path, 1.0), job="m-train-1")
    again = add(world.registry, weights(tmp_path, 2.0), job="m-train-1")
    assert again == first
    assert add(world.registry, weights(tmp_path, 2.0), job="m-train-2").number == 2


def test_the_same_content_is_kept_once(world: World, tmp_path: Path):
    a, b = (add(world.registry, weights(tmp_path, 1.0)) for _ in range(2))
    assert a.digest == b.digest
    assert a.path == b.path
    assert len(list((world.home / "artifacts").rglob("*.safetensors"))) == 1
    assert not list((world.home / "artifacts").rglob("*.tmp"))


def test_pickles_are_refused_with_the_remedy(world: World, tmp_path: Path):
    bad = tmp_path / "model.safetensors"
    bad.write_bytes(pickle.dumps({"w": 1}))
    with pytest.raises(Refused, match="import_model"):
        add(world.registry, bad)
    with pytest.raises(Refused, match="pickle"):
        world.registry.register(
            "m",
            bad,
            "pt",
            metrics={},
            technique="t",
            parent=None,
            action_id=None,
            job=None,
            lineage={},
        )
    assert world.registry.versions("m") == []


def test_a_file_that_is_not_what_it_says_is_refused(world: World, tmp_path: Path):
    lying = tmp_path / "lying.safetensors"
    lying.write_bytes((2**40).to_bytes(8, "little") + b"{}")
    with pytest.raises(Refused, match="not a whole safetensors"):
        add(world.registry, lying)
    onnx = tmp_path / "x.onnx"
    onnx.write_bytes(b"hello, not a graph")
    with pytest.raises(Refused, match="not a valid ONNX"):
        world.registry.register(
            "m",
            onnx,
            "onnx",
            metrics={},
            technique="t",
            parent=None,
            action_id=None,
            job=None,
            lineage={},
        )


def test_everything_told_about_a_version_comes_back(world: World, tmp_path: Path):
    said: dict[str, Any] = {
        "metrics": {"accuracy": 0.9, "parameters": 12.0},
        "technique": "prune structured 50%",
        "parent": None,
        "action_id": "act-7",
        "job": "m-prune-1",
        "lineage": {"data": "d", "params": {"lr": 0.1, "name": "ü 模型"}, "workers": 2},
        "gate": {"passed": False, "low": -0.034, "against": 1},
    }
    made = add(world.registry, weights(tmp_path), **said)
    found = world.registry.resolve("m", "1")
    assert found == made
    for key, value in said.items():
        assert getattr(found, key) == value, key
    assert found.format == "safetensors"
    assert found.size == weights(tmp_path).stat().st_size
    assert (world.clock.now() - found.created_at).total_seconds() < 60
    assert world.registry.models() == ["m"]


def test_many_at_once_register_a_job_once(world: World, tmp_path: Path):
    from concurrent.futures import ThreadPoolExecutor

    files = [weights(tmp_path, float(i)) for i in range(4)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda f: add(world.registry, f, job="m-train-1"), files))
    assert len({v.number for v in made}) == 1
    assert len(world.registry.versions("m")) == 1


def test_metrics_must_be_finite(world: World, tmp_path: Path):
    with pytest.raises(Refused, match="accuracy is not a finite number"):
        add(world.registry, weights(tmp_path), metrics={"accuracy": float("nan")})


def test_an_altered_artefact_is_not_handed_out(world: World, tmp_path: Path):
    version = add(world.registry, weights(tmp_path), extras={"weights": weights(tmp_path, 5.0)})
    assert world.registry.verified(version) == version.path
    extra = world.registry.verified(version, "weights")
    assert extra.suffix == ".safetensors"
    version.path.chmod(0o644)
    version.path.write_bytes(b"x" * version.size)
    with pytest.raises(Failed, match="was altered"):
        world.registry.verified(version)


def test_a_lost_artefact_is_named(tmp_path: Path):
    world = lab(tmp_path / "home")
    version = add(world.registry, weights(tmp_path))
    version.path.unlink()
    with pytest.raises(Failed, match="missing"):
        world.registry.verified(version)


def test_an_alias_moves_only_from_where_it_was_seen_and_once_per_action(
    world: World, tmp_path: Path
):
    registry = world.registry
    for value in (1.0, 2.0):
        add(registry, weights(tmp_path, value))
    registry.set_alias("m", "production", 1, expect=None, action_id="a1", reason="first")
    with pytest.raises(Refused, match="moved meanwhile: it is version 1, expected unset"):
        registry.set_alias("m", "production", 2, expect=None, action_id="a2", reason="late")
    registry.set_alias("m", "production", 2, expect=1, action_id="a3", reason="better")
    registry.set_alias("m", "production", 2, expect=1, action_id="a3", reason="again")
    assert registry.resolve("m", "production").number == 2
    assert registry.alias_happened("m", "production", "a3") is Happened.YES
    assert registry.alias_happened("m", "production", "a2") is Happened.NO
    assert isinstance(registry, EmbeddedRegistry | MlflowRegistry)
    audit = [(m["before"], m["after"], m["action_id"]) for m in registry.moves("m")]
    assert audit == [(1, 2, "a3"), (None, 1, "a1")]
    with pytest.raises(BadArguments, match="reads as a version number"):
        registry.set_alias("m", "7", 1, expect=None, action_id="a4", reason="r")


@settings(max_examples=25, deadline=None)
@given(moves=st.lists(st.tuples(st.sampled_from([None, 1, 2, 3]), st.booleans()), max_size=12))
def test_the_audit_replays_to_the_alias(
    moves: list[tuple[int | None, bool]], tmp_path_factory: pytest.TempPathFactory
):
    home = tmp_path_factory.mktemp("registry")
    registry = EmbeddedRegistry(Store.at_home(home), home, SystemClock())
    for value in (1.0, 2.0, 3.0):
        add(registry, weights(home, value))
    now: int | None = None
    for index, (to, honest) in enumerate(moves):
        seen = now if honest else (now or 0) + 1
        try:
            registry.set_alias("m", "a", to, expect=seen, action_id=f"x{index}", reason="r")
        except Refused:
            assert not honest
        else:
            assert honest
            now = to
    replayed = None
    for move in reversed(registry.moves("m")):
        assert move["before"] == replayed
        replayed = move["after"]
    assert replayed == now
    carrying = [v.number for v in registry.versions("m") if "a" in v.aliases]
    assert carrying == ([now] if now else [])


WRITER = """
import sys
from pathlib import Path
from tests.models.test_registry import add
from tools.errors import Refused
from tools.models.registry import EmbeddedRegistry
from tools.store import Store
from tools.world import SystemClock
home, me = Path(sys.argv[1]), sys.argv[2]
registry = EmbeddedRegistry(Store.at_home(home), home, SystemClock())
file = home / "shared.safetensors"
for i in range(10):
    version = add(registry, file, action_id=f"{me}-{i}", job=f"{me}-{i}")
    while True:
        now = next((v.number for v in registry.versions("m") if "live" in v.aliases), None)
        try:
            registry.set_alias("m", "live", version.number, expect=now,
                               action_id=f"{me}-{i}", reason="r")
            break
        except Refused:
            continue
"""


def test_four_processes_at_once_lose_nothing(tmp_path: Path):
    """Each writes the same content and fights for the same alias."""
    home = tmp_path / "home"
    home.mkdir()
    weights(home, 4.0).rename(home / "shared.safetensors")
    EmbeddedRegistry(Store.at_home(home), home, SystemClock()).models()
    root = str(Path(__file__).parents[2])
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(home), f"w{n}"], cwd=root)
        for n in range(4)
    ]
    assert [w.wait(90) for w in writers] == [0, 0, 0, 0]
    registry = EmbeddedRegistry(Store.at_home(home), home, SystemClock())
    assert sorted(v.number for v in registry.versions("m")) == list(range(1, 41))
    moves = list(reversed(registry.moves("m")))
    assert len(moves) == 40
    assert all(b["before"] == a["after"] for a, b in pairwise(moves))
