"""Facts that few incidents show: what is missing, stuck, waiting, or was so before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.alerts.recorded import Calm, RecordedJobs
from tests.support import make_world
from tools.alerts.base import alerts
from tools.alerts.book import build as build_alerts
from tools.alerts.collect import before, gpus, logs, work
from tools.alerts.collect.base import Collected, Subject
from tools.alerts.collect.cgroups import Groups
from tools.alerts.facts import SPECS
from tools.alerts.library import packaged_sources
from tools.alerts.subject import subject_of
from tools.models.base import JobStatus
from tools.observe.gpu_faults import pci_gpus
from tools.observe.readings import GpuReport
from tools.platforms.base import LogLine, Release, Revision, Status
from tools.platforms.router import Router
from tools.world import World

NOW = datetime.now(UTC)


def values(found: Collected, name: str) -> list[Any]:
    return [f.value for f in found.facts if f.name == name]


def world_with(home: Path, jobs: Any = None, kernel: Sequence[str] = ()) -> World:
    def telemetry(world: World) -> Calm:
        port = Calm(world)
        port.lines = kernel  # ten minutes ago
        return port

    return make_world(
        home,
        platforms=lambda w: Router(w, {}),
        jobs=lambda _w: jobs or RecordedJobs("running", "", ()),
        more={"alerts": build_alerts, "telemetry": telemetry},
    )


def test_every_fact_has_a_collector_and_every_sign_a_fact():
    folder = Path(work.__file__).parent
    written = "".join(p.read_text("utf-8") for p in folder.glob("*.py"))
    assert [name for name in SPECS if f'"{name}"' not in written] == []
    assert packaged_sources()


def test_a_gpu_on_the_bus_that_the_driver_does_not_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cards = [("0000:17:00.0", "0x10de", "0x030200"), ("0000:18:00.0", "0x10de", "0x030000")]
    for name, vendor, kind in [*cards, ("0000:19:00.0", "0x8086", "0x030000")]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "vendor").write_text(vendor + "\n")
        (tmp_path / name / "class").write_text(kind + "\n")
    assert pci_gpus(tmp_path) == ["0000:17:00.0", "0000:18:00.0"]
    assert pci_gpus(tmp_path / "absent") == []
    monkeypatch.setattr(gpus, "PCI", tmp_path)
    telemetry = SimpleNamespace(gpus=lambda: GpuReport(NOW, None))
    world: Any = SimpleNamespace(port=lambda _n: telemetry)
    found = gpus.gpu(world, Subject("host", "h", NOW))
    assert values(found, "gpu.missing") == [2.0]


@pytest.mark.parametrize(("minutes", "phase", "stuck"), [(30, "progressing", True), (3, "progressing", False), (30, "complete", False)])  # fmt: skip
def test_a_roll_out_that_does_not_end(tmp_path: Path, minutes: int, phase: Any, stuck: bool):
    release = Release("digits", "1", "sha256:0", "digits.pt")
    status = Status("digits", None, "local", "u", "g", 2, release, 2, 1, 1, phase, ())
    now = datetime.now(UTC)  # the module may have been imported long before
    revision = Revision(2, release, now - timedelta(minutes=minutes))
    platform = SimpleNamespace(
        status=lambda _r: status, traffic=lambda _r: {}, history=lambda _r: [revision]
    )
    world: Any = world_with(tmp_path)
    world.platforms = SimpleNamespace(of=lambda _n: (platform, "digits"))
    found = work.deployment(world, Subject("deployment", "digits", now, deployment="digits"))
    assert values(found, "deployment.stuck") == (["yes"] if stuck else [])


@pytest.mark.parametrize(
    "form",
    [
        "Epoch(train) [1][{i}/500] lr: 1e-3 time: 1.00 data_time: 0.62 memory: 811",
        "Epoch: [3] [{i}/5005] eta: 0:41:12 loss: 1.2 time: 1.0021 data: 0.6100 max mem: 8112",
        '{{"step": {i}, "step_time": 1.00, "data_wait": 0.60}}',
        "iter: {i} total_loss: 0.81 time: 0.5000 data_time: 0.3000 lr: 0.02",
    ],
)
def test_waiting_for_data_as_training_loops_print_it(form: str):
    lines = [LogLine(NOW, "log", form.format(i=i)) for i in range(1, 9)]
    (fact,) = logs.data_wait(lines, "job x")
    assert 0.55 < float(fact.value) < 0.65
    assert logs.data_wait(lines[:2], "job x") == []
    assert logs.data_wait([LogLine(NOW, "log", f"step {i} loss 2.3") for i in range(9)], "x") == []


class Runs(RecordedJobs):
    """Failed runs of one model, the newest first."""

    def __init__(self, *steps: int) -> None:
        super().__init__("failed", "exit code 1", ())
        self._runs = [replace(self._status, name=f"run-{i}", step=s) for i, s in enumerate(steps)]

    def status(self, name: str) -> JobStatus:
        return next(r for r in self._runs if r.name == name)

    def list(self) -> list[JobStatus]:
        return self._runs


@pytest.mark.parametrize(("steps", "expected"), [((400, 400, 12), [1.0]), ((400, 12), []), ((0, 0), [])])  # fmt: skip
def test_failing_at_the_same_step_again(tmp_path: Path, steps: tuple[int, ...], expected: Any):
    world = world_with(tmp_path, Runs(*steps))
    found = before.history(world, Subject("job", "run-0", NOW, job="run-0"))
    assert values(found, "history.same_step") == expected


def test_the_same_node_failing_the_job_again(tmp_path: Path):
    world = world_with(tmp_path)
    for hours, node in ((50, "n7"), (20, "n7"), (1, "n7"), (3, "n2")):
        alert = {
            "status": "firing",
            "labels": {"alertname": "TrainingRestartsHigh", "job_name": "pretrain", "node": node},
            "startsAt": (NOW - timedelta(hours=hours)).isoformat(),
            "endsAt": "0001-01-01T00:00:00Z",
        }
        alerts(world).receive({"version": "4", "status": "firing", "alerts": [alert]})
    subject = subject_of(world, "TrainingRestartsHigh", None)
    assert subject.node == "n7"
    assert values(before.history(world, subject), "history.same_node") == [3.0]


OOM = [
    "testsrv invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=df7,task_memcg=/docker/df7,task={who},pid=2211,uid=0",
    "oom_kill_process.cold+0x8/0x8a",
    "Memory cgroup out of memory: Killed process 2211 ({who}) total-vm:132908kB, anon-rss:65012kB",
]


@pytest.mark.parametrize(("who", "strengths"), [("testsrv", {0.1}), ("python3", {0.1, 1.0})])
def test_an_oom_kill_of_another_program_hardly_speaks_about_a_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str, strengths: set[float]
):
    monkeypatch.setattr(Groups, "here", lambda: Groups("/", "df7"))
    world = world_with(tmp_path, kernel=[line.format(who=who) for line in OOM])
    found = logs.kernel_log(world, Subject("job", "pretrain", NOW, job="pretrain"))
    assert {f.strength for f in found.facts if f.name == "kernel"} == strengths
    host = logs.kernel_log(world, Subject("host", "h", NOW))
    assert {f.strength for f in host.facts if f.name == "kernel"} == {1.0}


ID = "56e0fe9b2032555f03c1bc1beec35393"


@pytest.mark.parametrize(
    ("own", "memcg", "holds"),
    [
        (Groups("/", ""), "/user.slice/user-1000.slice", None),
        (Groups("/", ""), "/docker/df7", False),
        (Groups("/", ""), "/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope", False),
        (Groups("/slurm/uid_0/job_12", ""), "/slurm/uid_0/job_12/step_0", True),
        (Groups("/slurm/uid_0/job_12", ""), "/slurm/uid_0/job_123/step_0", None),
        (Groups("/", ID), f"/docker/{ID}", True),
        (Groups("/", ID), f"/system.slice/docker-{ID}.scope", True),
        (Groups("/", ID), "/docker/0123456789abcdef0123456789abcdef", False),
        (Groups("/", ID), "/user.slice", False),
    ],
)
def test_whose_control_group_it_is(own: Groups, memcg: str, holds: bool | None):
    assert own.holds(memcg) is holds


@pytest.mark.parametrize(
    ("cgroup", "mountinfo", "expected"),
    [
        ("0::/\n", f"1 2 / /var/lib/docker/containers/{ID * 2}/hostname /etc\n", ID * 2),
        (f"4:memory:/sandbox/{ID}\n0::/\n", "", ID),
        (f"0::/system.slice/docker-{ID * 2}.scope\n", "", ID * 2),
        ("0::/user.slice/session-3.scope\n", "", ""),
        ("12:cpu,memory:/docker/" + ID + "\n1:name=systemd:/x\n", "", ID),
    ],
)
def test_the_own_container_is_read_from_proc(
    tmp_path: Path, cgroup: str, mountinfo: str, expected: str
):
    (tmp_path / "cgroup").write_text(cgroup)
    (tmp_path / "mountinfo").write_text(mountinfo)
    assert Groups.here(tmp_path).container == expected


@pytest.mark.parametrize(("container", "strengths"), [("df7", {1.0}), ("abc", {0.1})])
def test_the_same_program_killed_in_another_container_is_not_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, container: str, strengths: set[float]
):
    kernel = [line.replace("testsrv", "python3").format(who="python3") for line in OOM]
    world = world_with(tmp_path, kernel=[line for line in kernel if "cold" not in line])
    monkeypatch.setattr(Groups, "here", lambda: Groups("/", container))
    found = logs.kernel_log(world, Subject("job", "pretrain", NOW, job="pretrain"))
    assert {f.strength for f in found.facts if f.name == "kernel"} == strengths


def test_what_the_kernel_said_before_a_job_began_did_not_end_it(tmp_path: Path):
    runs = RecordedJobs("failed", "exit code 1", ())
    runs._status = replace(runs._status, started_at=datetime.now(UTC))
    world = world_with(tmp_path, runs, [OOM[3].format(who="python3")])
    found = logs.kernel_log(world, Subject("job", "pretrain", NOW, job="pretrain"))
    assert values(found, "kernel") == []
