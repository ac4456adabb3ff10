"""Anything may be killed at any moment: jobs resume, end where they would have, register once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.models.lab import TOOL, carry, ended, kind, lab, plan, spec, until
from tests.support import RecordingAct
from tools.contract import Happened
from tools.errors import Cancelled
from tools.models.job_folder import JobFolder, read
from tools.models.job_supervisor import MARK
from tools.models.jobs import LocalJobs
from tools.models.processes import alive, carrying
from tools.world import World

pytestmark = pytest.mark.slow

LONG = 240.0
"""Seconds for what takes five on a quiet machine."""

SLOWER = """
    def data(split, params):
        rng = np.random.default_rng({"train": 0, "validation": 1, "test": 2}[split])
        x = rng.normal(size=(int(params["n"]), 4)).astype("float32")
        return x, (x.sum(1) > 0).astype("int64")

    def loss(outputs, targets):
        time.sleep(0.05)
        return torch.nn.functional.cross_entropy(outputs, targets)
"""


def jobs_of(world: World) -> LocalJobs:
    assert isinstance(world.jobs, LocalJobs)
    return world.jobs


def folder(world: World, job: str) -> JobFolder:
    return jobs_of(world).folder(job)


@pytest.fixture
def slow(tmp_path: Path, leftovers: list[World]) -> World:
    """A kind whose step takes 50 ms: 60 steps in 10 epochs."""
    world = lab(tmp_path / "home", kind(tmp_path / "team", SLOWER, epochs=10))
    leftovers.append(world)
    return world


def supervisor(world: World, job: str) -> tuple[int, float]:
    said = read(folder(world, job).supervisor)
    return int(said["pid"]), float(said["started"])


def worker(world: World, job: str) -> int:
    """The pid of rank 0: the process that is neither torchrun nor the supervisor."""
    import psutil

    for pid, _ in carrying(MARK, str(folder(world, job).root)):
        if "RANK" in psutil.Process(pid).environ():
            return pid
    raise AssertionError("no worker")


def test_a_killed_worker_is_restarted_and_resumes_from_its_checkpoint(slow: World):
    job = slow.jobs.launch(spec(slow), "a").name
    until(lambda: folder(slow, job).checkpoint.exists())
    os.kill(worker(slow, job), signal.SIGKILL)
    status = ended(slow, job)
    assert (status.state, status.restarts, status.version) == ("succeeded", 1, 1)
    starts = [e["step"] for e in folder(slow, job).events() if e["event"] == "start"]
    assert starts[0] == 0
    assert starts[1] > 0


def test_a_killed_supervisor_takes_its_workers_along_and_is_resumed(slow: World):
    job = slow.jobs.launch(spec(slow), "a").name
    until(lambda: folder(slow, job).checkpoint.exists())
    pids = list(carrying(MARK, str(folder(slow, job).root)))
    assert len(pids) >= 2
    os.kill(supervisor(slow, job)[0], signal.SIGKILL)
    until(lambda: not any(alive(*p) for p in pids), 10)
    status = slow.jobs.status(job)
    assert status.state == "lost"
    assert "resumed from its checkpoint" in status.cause
    assert slow.jobs.happened("a") is Happened.YES

    title = plan(slow, "launch_training", model="team", resume=job).title
    assert title.startswith(f"Resume job {job} from step")
    again = slow.jobs.launch(spec(slow), "a")
    assert again.name == job
    status = ended(slow, job)
    assert (status.state, status.restarts) == ("succeeded", 1)
    assert [v.number for v in slow.registry.versions("team")] == [1]


def test_killed_between_register_and_result_it_registers_nothing_twice(tmp_path: Path):
    world = lab(tmp_path / "home", kind(tmp_path / "team"))
    job = world.jobs.launch(spec(world), "a").name
    assert ended(world, job).version == 1
    # The moment after the row was written and before the result was: the result never came.
    folder(world, job).result.unlink()
    until(lambda: world.jobs.status(job).state == "lost")
    world.jobs.launch(spec(world), "a")
    status = ended(world, job)
    assert (status.state, status.version, status.restarts) == ("succeeded", 1, 0)
    assert len(world.registry.versions("team")) == 1


def test_launching_at_once_from_many_threads_runs_once(slow: World):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        names = {s.name for s in pool.map(lambda _: slow.jobs.launch(spec(slow), "a"), range(4))}
    assert names == {"team-train-1"}
    until(lambda: slow.jobs.status("team-train-1").step > 0)
    starts = [e for e in folder(slow, "team-train-1").events() if e["event"] == "start"]
    assert len(starts) == 1


def test_cancel_stops_at_a_step_and_undo_resumes(slow: World):
    job = slow.jobs.launch(spec(slow), "a").name
    until(lambda: folder(slow, job).checkpoint.exists())
    planned, outcome, verdict, _ = carry(slow, "cancel_job", "c", job=job)
    assert verdict.ok
    assert "stopped at step" in verdict.evidence
    status = slow.jobs.status(job)
    assert (status.state, status.cause) == ("cancelled", "cancelled by a person")
    assert not list(carrying(MARK, str(folder(slow, job).root)))
    change = TOOL["cancel_job"].change
    assert change is not None
    undo = change.undo(slow, planned, outcome)
    assert (undo.tool, undo.args) == ("launch_training", {"model": "team", "resume": job})
    _, _, resumed, _ = carry(slow, undo.tool, "u", **undo.args)
    assert resumed.ok, resumed
    assert slow.jobs.status(job).version == 1


def test_verification_stops_waiting_when_a_person_says_so(slow: World):
    change = TOOL["launch_training"].change
    assert change is not None
    planned, act = plan(slow, "launch_training", model="team"), RecordingAct("a")
    outcome = change.apply(slow, planned, act)
    act.cancelled = True
    with pytest.raises(Cancelled):
        change.verify(slow, planned, outcome, act)
    assert slow.jobs.status("team-train-1").state in ("pending", "running")
    assert change.undo(slow, planned, outcome).tool == "cancel_job"


def test_a_resumed_run_ends_where_an_undisturbed_one_does(slow: World):
    import numpy as np
    from safetensors.numpy import load_file

    first = slow.jobs.launch(spec(slow), "a").name
    until(lambda: folder(slow, first).checkpoint.exists())
    os.kill(worker(slow, first), signal.SIGKILL)
    assert ended(slow, first).restarts == 1
    assert ended(slow, slow.jobs.launch(spec(slow), "b").name).restarts == 0
    killed, whole = (
        load_file(slow.registry.verified(slow.registry.resolve("team", n), "weights"))
        for n in ("1", "2")
    )
    for name in killed:
        np.testing.assert_array_equal(killed[name], whole[name])


def begun(world: World, tool: str, action: str, **args: object) -> str:
    """Start the job of a change without waiting for its end."""
    change = TOOL[tool].change
    assert change is not None
    outcome = change.apply(world, plan(world, tool, **args), RecordingAct(action))
    return str(outcome.details["job"])


def again(world: World, tool: str, action: str, **args: object) -> str:
    """What recovery does: the same action once more."""
    return begun(world, tool, action, **args)


@pytest.fixture
def trained(slow: World) -> World:
    """The slow kind with a version, trained for one epoch."""
    job = slow.jobs.launch(spec(slow, epochs=1), "base").name
    assert ended(slow, job).version == 1
    return slow


@pytest.mark.timeout(3 * LONG)
@pytest.mark.parametrize("victim", [worker, lambda w, j: supervisor(w, j)[0]])
def test_pruning_that_is_killed_goes_on_and_registers_once(
    trained: World, victim: Callable[[World, str], int]
):
    args = {"model": "team", "version": "1", "amount": 0.5}
    job = begun(trained, "prune_model", "p", **args)
    until(lambda: any(folder(trained, job).root.glob("checkpoint-*.pt")), LONG)
    os.kill(victim(trained, job), signal.SIGKILL)
    if victim is not worker:
        until(lambda: trained.jobs.status(job).state == "lost")
        assert again(trained, "prune_model", "p", **args) == job
    status = ended(trained, job, LONG)
    assert (status.state, status.restarts, status.version) == ("succeeded", 1, 2)
    assert [v.number for v in trained.registry.versions("team")] == [2, 1]
    starts = [e["step"] for e in folder(trained, job).events() if e["event"] == "start"]
    assert starts[-1] > 0


@pytest.mark.timeout(3 * LONG)
@pytest.mark.parametrize("victim", [worker, lambda w, j: supervisor(w, j)[0]])
def test_tuning_that_is_killed_goes_on_with_the_same_study_and_registers_once(
    slow: World, victim: Callable[[World, str], int]
):
    args = {"model": "team", "trials": 3}
    job = begun(slow, "tune_model", "t", **args)
    until(lambda: len(list(folder(slow, job).root.glob("trial-*.pt"))) >= 2, LONG)
    os.kill(victim(slow, job), signal.SIGKILL)
    if victim is not worker:
        until(lambda: slow.jobs.status(job).state == "lost")
        assert again(slow, "tune_model", "t", **args) == job
    status = ended(slow, job, LONG)
    assert (status.state, status.version) == ("succeeded", 1)
    (version,) = slow.registry.versions("team")
    said = version.lineage["tuning"]
    assert isinstance(said, dict)
    assert said["trials"] == 3
