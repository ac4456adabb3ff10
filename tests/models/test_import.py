"""A foreign checkpoint is untrusted: tensors are taken, everything else is refused in a sentence."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.models.lab import carry, kind, lab, plan
from tools.errors import BadArguments, Refused
from tools.models.operations.convert import read_fenced


class Bomb:
    """Unpickling this would leave a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))


def test_a_state_dict_becomes_a_version(tmp_path: Path):
    world = lab(tmp_path / "home", kind(tmp_path / "team"))
    file = tmp_path / "weights.pt"
    torch.save({"epoch": 3, "state_dict": network().state_dict()}, file)
    planned, _, verdict, _ = carry(world, "import_model", "i", model="team", file=str(file))
    assert "sha256" in planned.diff
    assert verdict.ok, verdict
    version = world.registry.resolve("team")
    assert version.technique == "import"
    imported = version.lineage["imported"]
    assert isinstance(imported, dict)
    assert imported["file"] == "weights.pt"
    from safetensors.numpy import load_file

    kept = load_file(world.registry.verified(version, "weights"))
    np.testing.assert_array_equal(kept["0.weight"], network().state_dict()["0.weight"].numpy())


def test_a_pickle_that_would_run_code_never_runs_it(tmp_path: Path):
    mark, file = tmp_path / "ran", tmp_path / "evil.pt"
    torch.save({"state_dict": network().state_dict(), "x": Bomb(mark)}, file)
    with pytest.raises(Refused, match=r"evil\.pt is not imported: it wants to run .*pathlib"):
        read_fenced(file, tmp_path / "out.safetensors")
    assert not mark.exists()
    assert not (tmp_path / "out.safetensors").exists()


def test_a_whole_module_is_refused(tmp_path: Path):
    file = tmp_path / "module.pt"
    torch.save(network(), file)
    with pytest.raises(Refused, match=r"it wants to run torch\.nn"):
        read_fenced(file, tmp_path / "out.safetensors")


def test_a_bare_pickle_a_bomb_and_a_stranger_are_refused_before_anybody_is_asked(tmp_path: Path):
    world = lab(tmp_path / "home", kind(tmp_path / "team"))
    bare, bomb, script = (tmp_path / n for n in ("bare.pt", "bomb.pt", "model.py"))
    bare.write_bytes(pickle.dumps({"w": 1}))
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data/0", bytes(50 * 2**20))
    script.write_text("print()")
    for file, said in ((bare, "bare pickle"), (bomb, "declares 50 MiB")):
        with pytest.raises(Refused, match=said):
            plan(world, "import_model", model="team", file=str(file))
    with pytest.raises(BadArguments, match=r"model\.py is not a checkpoint"):
        plan(world, "import_model", model="team", file=str(script))
    with pytest.raises(BadArguments, match="no file at"):
        plan(world, "import_model", model="team", file=str(tmp_path / "none.pt"))


def test_weights_of_another_shape_are_named(tmp_path: Path):
    world = lab(tmp_path / "home", kind(tmp_path / "team"))
    file = tmp_path / "other.pt"
    torch.save(torch.nn.Linear(3, 3).state_dict(), file)
    verdict = carry(world, "import_model", "i", model="team", file=str(file))[2]
    assert not verdict.ok
    assert "These weights do not fit team" in verdict.cause
    assert world.registry.versions("team") == []


def test_a_file_changed_after_the_yes_is_not_read(tmp_path: Path):
    from tests.models.lab import TOOL
    from tests.support import RecordingAct

    world = lab(tmp_path / "home", kind(tmp_path / "team"))
    file = tmp_path / "weights.pt"
    torch.save(network().state_dict(), file)
    planned = plan(world, "import_model", model="team", file=str(file))
    torch.save({k: v * 2 for k, v in network().state_dict().items()}, file)
    change, act = TOOL["import_model"].change, RecordingAct("i")
    assert change is not None
    verdict = change.verify(world, planned, change.apply(world, planned, act), act)
    assert not verdict.ok
    assert "changed after this import was approved" in verdict.cause
