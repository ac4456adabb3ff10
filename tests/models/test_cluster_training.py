"""Training on a cluster: the Job's own command, run by real processes where its pods would be."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.models.lab import digits, ended, plan
from tests.models.lab import until as eventually
from tests.platforms.api_double import ApiDouble
from tests.platforms.manifest_schema import faults
from tests.support import RecordingAct, make_world
from tools.contract import Happened
from tools.errors import BadArguments
from tools.fleet import Fleet, ModelSpec
from tools.models.catalog import TOOLS
from tools.models.cluster_work import run_name
from tools.models.job_folder import read
from tools.models.jobs import LocalJobs, open_jobs
from tools.models.processes import end
from tools.models.registries import open_registry
from tools.world import World

ROOT = Path(__file__).parents[2]
LAUNCH = next(t for t in TOOLS if t.name == "launch_training")


class Workers(threading.Thread):
    """The nodes: runs each worker of a Job as a process of this machine, and reports its end."""

    def __init__(self, cluster: ApiDouble, fails: int = 0) -> None:
        super().__init__(daemon=True)
        self.cluster, self.over, self.jobs = cluster, threading.Event(), list[dict[str, Any]]()
        self.running: dict[str, list[subprocess.Popen[bytes]]] = {}

    def run(self) -> None:
        while not self.over.wait(0.1):
            there = {j["metadata"]["uid"]: j for j in self.cluster.store.all("batch/v1/jobs")}
            for uid, job in there.items():
                if uid not in self.running:
                    self.jobs.append(job)
                    self.running[uid] = _start(job)
                self._report(job, self.running[uid])
            for uid in self.running.keys() - there.keys():
                stop(self.running[uid])

    def _report(self, job: dict[str, Any], processes: list[subprocess.Popen[bytes]]) -> None:
        codes = [p.poll() for p in processes]
        status: dict[str, Any] = {"ready": codes.count(None), "succeeded": codes.count(0)}
        if None not in codes:
            kind = "Complete" if not any(codes) else "Failed"
            said = {"type": kind, "status": "True", "message": "a worker failed"}
            status["conditions"] = [said]
        if job.get("status") != status:
            with suppress(Exception):  # it may have been deleted a moment ago
                self.cluster.store.edit("batch/v1/jobs", job, lambda o: o.update(status=status))


def _start(job: dict[str, Any]) -> list[subprocess.Popen[bytes]]:
    box = job["spec"]["template"]["spec"]["containers"][0]
    name = job["metadata"]["name"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    line = box["command"][2].replace(f"{name}-0.{name}", "127.0.0.1").replace("29500", port)
    given = {e["name"]: e["value"] for e in box["env"]}
    base = {**os.environ, **given, "PYTHONPATH": str(ROOT)}
    return [
        subprocess.Popen(
            ["sh", "-c", line],
            env={**base, "JOB_COMPLETION_INDEX": str(index)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for index in range(job["spec"]["completions"])
    ]


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def cluster() -> Iterator[ApiDouble]:
    with ApiDouble(speed=50) as double:
        yield double


@pytest.fixture
def workers(cluster: ApiDouble, tmp_path: Path) -> Iterator[Workers]:
    nodes = Workers(cluster)
    nodes.start()
    yield nodes
    for file in (tmp_path / "claim").glob("*/supervisor.json"):
        said = read(file)
        end(int(said["pid"]), float(said["started"]))  # after a failed test it would go on
    nodes.over.set()
    nodes.join()
    for processes in nodes.running.values():
        stop(processes)


def _world(tmp_path: Path, cluster: ApiDouble, *models: ModelSpec, **more: Any) -> World:
    shared = tmp_path / "claim"
    shared.mkdir(exist_ok=True)
    fleet = Fleet(
        path=None,
        models={m.name: m for m in models or (digits(),)},
        platforms={"kube": {"kind": "kubernetes", "kubeconfig": str(cluster.kubeconfig(tmp_path))}},
        sections={
            "training": {
                "platform": "kube",
                "namespace": "ml",
                "image": "registry.example.org/trainer:1",
                "claim": "steward-jobs",
                "folder": str(shared),
                "launcher": f"{sys.executable} -m torch.distributed.run",
                "memory": "1Gi",
                **more,
            }
        },
    )
    return make_world(tmp_path / "home", fleet=fleet, registry=open_registry, jobs=open_jobs)


@pytest.mark.timeout(400)
def test_two_workers_train_through_a_job_though_their_supervisor_is_killed(
    tmp_path: Path, cluster: ApiDouble, workers: Workers
) -> None:
    world = _world(tmp_path, cluster)
    planned = plan(world, "launch_training", model="digits", workers=2)
    assert planned.blast_radius.startswith("2 pods on kube, namespace ml;")
    assert not cluster.store.all("batch/v1/jobs")
    act, change = RecordingAct("act-1"), LAUNCH.change
    assert change is not None
    change.apply(world, planned, act)
    eventually(lambda: bool(workers.jobs), 60)
    running = read(LocalJobs(world).folder("digits-train-1").supervisor)
    os.kill(int(running["pid"]), signal.SIGKILL)
    eventually(lambda: world.jobs.status("digits-train-1").state == "lost")
    outcome = change.apply(world, planned, act)  # as after a restart
    verdict = change.verify(world, planned, outcome, act)
    assert verdict.ok, verdict
    assert any("step" in report for report in act.reports)
    version = world.registry.resolve("digits")
    assert (version.job, version.action_id) == ("digits-train-1", "act-1")
    assert version.lineage["code"] == planned.target.version
    assert version.lineage["workers"] == 2
    assert world.jobs.happened("act-1") is Happened.YES
    [job] = workers.jobs
    assert faults(job, "V1Job") == []
    assert job["metadata"]["annotations"]["steward.dev/action-id"] == "act-1"
    pod = job["spec"]["template"]["spec"]
    assert pod["volumes"][1]["persistentVolumeClaim"]["claimName"] == "steward-jobs"
    assert len(world.registry.versions("digits")) == 1


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_training_on_a_cluster_is_cancelled_and_resumed(
    tmp_path: Path, cluster: ApiDouble, workers: Workers
) -> None:
    world = _world(tmp_path, cluster, digits(epochs=400))
    planned, change = plan(world, "launch_training", model="digits"), LAUNCH.change
    assert change is not None
    change.apply(world, planned, RecordingAct("act-1"))
    eventually(lambda: world.jobs.status("digits-train-1").step > 5, 90)
    assert world.jobs.cancel("digits-train-1", "act-2").state in ("running", "cancelled")
    status = ended(world, "digits-train-1")
    assert (status.state, status.cause) == ("cancelled", "cancelled by a person")

    resumed = LocalJobs(world).resume("digits-train-1")
    assert resumed.state == "running"
    eventually(lambda: len(workers.jobs) == 2, 60)
    world.jobs.cancel("digits-train-1", "act-3")
    assert ended(world, "digits-train-1").state == "cancelled"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"claim": ""}, "training in steward.yaml lacks claim"),
        ({"volume": "x"}, "training in steward.yaml has no volume"),
        ({"platform": "local"}, "name a platform of kind kubernetes"),
        ({"folder": "/not/here"}, "mount the claim's storage there"),
    ],
)
def test_a_place_that_cannot_work_is_refused_with_the_remedy(
    tmp_path: Path, cluster: ApiDouble, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadArguments, match=said):
        plan(_world(tmp_path, cluster, **more), "launch_training", model="digits")


def test_models_that_are_not_named_train_here(tmp_path: Path, cluster: ApiDouble) -> None:
    planned = plan(_world(tmp_path, cluster, models=["other"]), "launch_training", model="digits")
    assert "on this machine" in planned.blast_radius


def test_a_jobs_name_is_a_dns_label_of_its_action() -> None:
    names = {run_name({"name": n, "action_id": a}) for n in ("a/b_1", "9x" * 40) for a in "12"}
    assert len(names) == 4
    assert all(len(n) <= 63 and n[0].isalpha() and n.replace("-", "").isalnum() for n in names)
