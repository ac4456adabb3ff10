"""Jobs as real processes: launched once, found again, killed, resumed, cancelled, and named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.lab import carry, digits, ended, kind, lab, plan, spec
from tools.contract import Happened
from tools.errors import BadArguments, Refused
from tools.models.job_failures import culprit
from tools.models.job_folder import JobFolder, write
from tools.world import World

ROOT = Path(__file__).parents[2]


def test_training_digits_registers_a_version_with_metrics_and_lineage(tmp_path: Path):
    world = lab(tmp_path / "home", digits())
    planned, outcome, verdict, act = carry(world, "launch_training", "act-1", model="digits")
    assert planned.title == "Train digits (2 epochs, 1 worker)"
    assert verdict.ok, verdict
    assert "digits version 1 is registered (train): accuracy" in verdict.evidence
    assert any("step" in report for report in act.reports)
    version = world.registry.resolve("digits")
    assert version.format == "onnx"
    assert version.job == outcome.details["job"] == "digits-train-1"
    assert version.action_id == "act-1"
    assert 0.1 < version.metrics["accuracy"] <= 1
    assert version.metrics["parameters"] > 1000
    params = version.lineage["params"]
    assert isinstance(params, dict)
    assert params["width"] == 4
    assert len(str(version.lineage["data"])) == 64
    assert version.lineage["code"] == planned.target.version
    assert world.registry.verified(version, "weights").suffix == ".safetensors"
    status = world.jobs.status("digits-train-1")
    assert (status.state, status.version, status.restarts) == ("succeeded", 1, 0)
    assert status.step == status.total_steps == 8
    assert status.last_checkpoint_at is not None
    assert world.jobs.happened("act-1") is Happened.YES
    assert world.jobs.happened("act-2") is Happened.NO

    again = world.jobs.launch(spec(world, "digits"), "act-1")
    assert again.name == "digits-train-1"
    assert len(world.registry.versions("digits")) == 1
    with pytest.raises(Refused, match="already succeeded and registered version 1"):
        plan(world, "cancel_job", job="digits-train-1")


def test_a_plan_is_the_same_twice_and_changes_with_the_code(tmp_path: Path):
    world = lab(tmp_path / "home", kind(tmp_path / "team"))
    first = plan(world, "launch_training", model="team", params={"learning_rate": 1})
    assert first == plan(world, "launch_training", model="team", params={"lr": 1.0})
    kind(tmp_path / "team", "VALUE = 2\n")
    after = plan(world, "launch_training", model="team", params={"lr": 1.0})
    assert after.target != first.target
    assert not (world.home / "jobs").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"model": "tean"}, "no model named 'tean'. Did you mean team"),
        ({"model": "team", "params": {"epoch": 3}}, "no parameter 'epoch'"),
        ({"model": "team", "params": {"epochs": 0}}, "epochs = 0 is not accepted"),
        ({"model": "team", "params": {"epochs": 1.5}}, "epochs = 1.5 is not accepted"),
        ({"model": "team", "params": {"lr": "fast"}}, "lr = 'fast' is not accepted"),
        ({"model": "team", "workers": 32}, "32 workers need a batch of at least 32"),
        ({"model": "team", "resume": "team-train-9"}, "no job named 'team-train-9'"),
    ],
)
def test_nonsense_is_refused_before_anybody_is_asked(tmp_path: Path, args: dict, said: str):
    world = lab(tmp_path / "home", kind(tmp_path / "team"))
    with pytest.raises(BadArguments, match=said):
        plan(world, "launch_training", **args)


def test_code_that_cannot_be_read_is_named_with_its_line(tmp_path: Path):
    world = lab(tmp_path / "home", kind(tmp_path / "team", "def broken(:\n"))
    with pytest.raises(BadArguments, match=r"kind.py, line \d+: team's code is not valid Python"):
        plan(world, "launch_training", model="team")
    (tmp_path / "team" / "kind.py").write_text("def build(params): ...\n")
    with pytest.raises(BadArguments, match="has no function data"):
        plan(world, "launch_training", model="team")
    (tmp_path / "team" / "kind.py").unlink()
    with pytest.raises(BadArguments, match=r"is not at .*correct models.team.module"):
        plan(world, "launch_training", model="team")


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ("def build(params): return 3", "build() of team returned int"),
        ("def loss(o, t): return o.sum() * float('nan')", "NaN loss at step 1"),
        ("def loss(o, t): raise ValueError('odd shape')", "ValueError: odd shape"),
        (
            "def data(s, p): return np.full((8, 4), np.nan, 'float32'), np.zeros(8, 'int64')",
            "train data of team has NaN",
        ),
        (
            "def data(s, p): return np.zeros((8, 4), 'float32'), np.zeros(7, 'int64')",
            "8 inputs but 7 targets",
        ),
        ("def data(s, p): raise FileNotFoundError('no such bucket')", "no such bucket"),
        ("def build(params): np.empty(2**50)", "out of memory"),
        (
            "def build(params): raise OSError(28, 'No space left on device', '/data/cache')",
            "disk full: /data/cache",
        ),
        ("import no_such_package", "line 19 cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_a_failure_is_named(tmp_path: Path, more: str, cause: str):
    """One worker alone, as the supervisor starts it; it exits 0 so that nobody restarts it."""
    world = lab(tmp_path / "home", kind(tmp_path / "team", more))
    wanted, place = spec(world), JobFolder(tmp_path / "job")
    write(place.spec, {"name": "j", "kind": "train", "model": "team", **wanted.params})
    run = [sys.executable, "-m", "tools.models.job_worker", str(place.root)]
    assert subprocess.run(run, cwd=ROOT, timeout=60, check=False).returncode == 0
    assert cause in culprit(place.failures())
    assert not place.manifest.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "params", "cause"),
    [
        ("def loss(o, t): return o.sum() * float('nan')", {}, "NaN loss at step 1"),
        (
            "def loss(o, t):\n    if o.requires_grad: time.sleep(60)\n    return o.sum()",
            {"stall_timeout": 1},
            "stalled: rank 0 has been in step 1",
        ),
        (
            "def data(split, params): time.sleep(60)",
            {"stall_timeout": 1},
            "stalled data loader: rank 0",
        ),
        (
            "import os\ndef loss(o, t): os.kill(os.getpid(), 9)",
            {"max_restarts": 1},
            "lost worker: killed by signal 9",
        ),
    ],
)
def test_a_failed_job_says_why(
    tmp_path: Path, leftovers: list[World], more: str, params: dict, cause: str
):
    world = lab(tmp_path / "home", kind(tmp_path / "team", more, **params))
    leftovers.append(world)
    status = ended(world, world.jobs.launch(spec(world), "a").name)
    assert status.state == "failed"
    assert cause in status.cause
    assert status.restarts == (1 if "killed" in cause else 0)
    assert world.registry.versions("team") == []


def test_code_changed_after_approval_is_not_run(tmp_path: Path):
    world = lab(tmp_path / "home", kind(tmp_path / "team"))
    wanted = spec(world)
    kind(tmp_path / "team", "EVIL = True\n")
    status = ended(world, world.jobs.launch(wanted, "a").name)
    assert status.state == "failed"
    assert "changed after this job was approved" in status.cause


def test_logs_and_findings_say_what_happened(tmp_path: Path):
    world = lab(tmp_path / "home", kind(tmp_path / "team", "print('hello from team')\n"))
    job = world.jobs.launch(spec(world), "a").name
    ended(world, job)
    lines = world.jobs.logs(job)
    assert any("hello from team" in line.text and line.source == "rank-0" for line in lines)
    from tests.models.lab import TOOL

    for tool, args in (
        ("list_jobs", {}),
        ("job_status", {"job": job}),
        ("list_models", {}),
        ("list_versions", {"model": "team"}),
    ):
        read_ = TOOL[tool].read
        assert read_ is not None
        for lang in ("en", "zh"):
            said = read_(world, **args).say(lang)
            assert "team" in said
            shown = [x for x in said.splitlines() if not x.startswith(("Picture:", "图："))]
            assert max(len(line) for line in shown) <= 100


@pytest.mark.slow
def test_two_processes_train_to_the_same_result_as_one(tmp_path: Path):
    """No batch statistics here, so gradients over the global batch agree up to rounding."""
    import numpy as np
    from safetensors.numpy import load_file

    world = lab(tmp_path / "home", kind(tmp_path / "team"))
    got = []
    for workers in (1, 2):
        _, outcome, verdict, _ = carry(
            world, "launch_training", f"w{workers}", model="team", workers=workers
        )
        assert verdict.ok, verdict
        version = world.registry.resolve("team", "latest")
        assert version.lineage["workers"] == workers
        assert world.jobs.status(str(outcome.details["job"])).workers == workers
        got.append(load_file(world.registry.verified(version, "weights")))
    for name in got[0]:
        np.testing.assert_allclose(got[0][name], got[1][name], rtol=1e-3, atol=1e-5)


def test_the_rank_that_waits_for_data_is_the_cause_and_its_peers_are_victims(tmp_path: Path):
    from tools.models.job_supervisor import stall
    from tools.models.job_tracker import Tracker

    place = JobFolder(tmp_path)
    for rank, doing in ((0, "compute"), (1, "load"), (2, "compute")):
        Tracker(place, rank).phase(doing, 7)
    assert stall(place, 60.0) == ""
    assert "stalled data loader: rank 1 has waited" in stall(place, -1.0)
    Tracker(place, 1).phase("finish", 7)
    assert "stalled: rank 0 has been in step 7" in stall(place, -1.0)
