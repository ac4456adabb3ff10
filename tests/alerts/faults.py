"""Faults with real effects on this machine, and healthy controls beside them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.alerts.stage import Case, Question, Skip, Stage, ended, fire, fires, until
from tests.support import carry_out
from tools.alerts.base import alerts
from tools.deployments.restarting import Restart
from tools.deployments.rolling_out import RollOut
from tools.deployments.scaling import Scale
from tools.observe.base import telemetry

_LOOP = "Fit"
_HOUR = timedelta(hours=1)
_BURN = "import numpy as n\na=n.random.rand(1500,1500)\nwhile True: a=a@a; a/=a.max()\n"
_SLOW = "import time\ndef loss(o, t):\n    time.sleep({}); return torch.nn.functional.cross_entropy(o, t)\n"


def _rule(metric: str, threshold: float, **more: object) -> dict[str, object]:
    return {"metric": metric, "op": ">=", "threshold": threshold, "duration": "1s", **more}


@contextmanager
def cpu_hog(stage: Stage) -> Iterator[Question]:
    world = stage.world(alert_rules={"NodeCpuUnusual": _rule("cpu_percent", 85)})
    hog = subprocess.Popen([sys.executable, "-c", _BURN])
    stage.ends.callback(hog.wait)
    stage.ends.callback(hog.kill)
    time.sleep(2)
    if not fires(world, "NodeCpuUnusual"):
        raise Skip("the CPU did not fill up")
    yield Question(world, alert="NodeCpuUnusual")


def _disk(stage: Stage, size: str = "24m") -> Path:
    folder = stage.home / "small"
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        raise Skip("mounting a small disk needs root")
    stage.ends.callback(subprocess.run, ["umount", "-l", str(folder)], check=False)
    return folder


def _loop(stage: Stage) -> Path:
    if shutil.which("mkfs.ext4") is None:
        raise Skip("a loop disk needs root and mkfs.ext4")
    image, folder = stage.home / "disk.img", stage.home / "loop"
    folder.mkdir(parents=True)
    with image.open("wb") as file:
        file.truncate(32 << 20)
    for command in (
        ["mkfs.ext4", "-q", "-F", str(image)],
        ["mount", "-o", "loop", str(image), str(folder)],
    ):
        if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
            raise Skip("a loop disk needs root and mkfs.ext4")
    stage.ends.callback(subprocess.run, ["umount", "-l", str(folder)], check=False)
    return folder


@contextmanager
def disk_full(stage: Stage) -> Iterator[Question]:
    folder = _loop(stage)
    world = stage.world(alert_rules={"NodeDiskFull": _rule("disk_percent", 97)})
    with (folder / "checkpoint.pt").open("wb") as file:
        try:
            while True:
                file.write(b"\0" * (1 << 20))
        except OSError:
            pass
    if not fires(world, "NodeDiskFull"):
        raise Skip("the small disk is not seen as a disk here")
    yield Question(world, alert="NodeDiskFull")


@contextmanager
def job_disk_full(stage: Stage) -> Iterator[Question]:
    folder = _disk(stage)
    more = f"def loss(o, t):\n    open({str(folder / 'x')!r}, 'ab').write(b'0' * (8 << 20)); return o.sum()\n"
    world, job = stage.job(more, epochs=3, max_restarts=0)
    ended(world, job)
    yield Question(world, target=job)


@contextmanager
def memory_leak(stage: Stage) -> Iterator[Question]:
    more = (
        "import resource\nheld = []\ndef loss(o, t):\n"
        "    used = int(open('/proc/self/statm').read().split()[0]) * 4096\n"
        "    if not held: resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20), -1))\n"
        "    held.append(np.ones(2 << 20)); return o.sum()\n"
    )
    world, job = stage.job(more, epochs=30, max_restarts=0)
    ended(world, job)
    fire(world, "KubeJobFailed", job=job, instance=os.uname().nodename)
    yield Question(world, alert="KubeJobFailed")


@contextmanager
def job_nan(stage: Stage) -> Iterator[Question]:
    world, job = stage.job("def loss(o, t): return o.sum() * float('nan')", max_restarts=0)
    ended(world, job)
    fire(world, "TrainingLossNaN", job=job, instance=os.uname().nodename)
    yield Question(world, alert="TrainingLossNaN")


@contextmanager
def job_stalls(stage: Stage) -> Iterator[Question]:
    more = "n = []\ndef loss(o, t):\n    n.append(1)\n    if len(n) > 12: time.sleep(600)\n    return o.sum()\n"
    rules = {"TrainingStalled": _rule("train_seconds_since_step", 20, severity="critical")}
    from dataclasses import replace

    from tests.models.lab import kind, spec

    world = stage.world(kind(stage.home / "team", more), alert_rules=rules)
    started = world.jobs.launch(replace(spec(world, "team", epochs=20, stall_timeout=600)), "bench")
    until(lambda: world.jobs.status(started.name).step >= 6, 60)
    if not fires(world, "TrainingStalled", 60):
        raise Skip("the stall rule did not fire")
    yield Question(world, alert="TrainingStalled")


@contextmanager
def job_data_stalls(stage: Stage) -> Iterator[Question]:
    """The batch never comes: the loop's own loading waits, as on a dead file server."""
    more = (
        "from tools.models.training_loop import LOOP as _L\n_fine = _L._batch\n"
        "def _late(self, *given):\n"
        "    if self.progress.step >= 4: time.sleep(600)\n    return _fine(self, *given)\n"
        "_L._batch = _late\n"
    ).replace("LOOP", _LOOP)
    world, job = stage.job(more, epochs=9, stall_timeout=6, max_restarts=0)
    ended(world, job, 60)
    yield Question(world, target=job)


@contextmanager
def job_out_of_memory(stage: Stage) -> Iterator[Question]:
    world, job = stage.job("def build(p): np.empty(2**50)", max_restarts=0)
    ended(world, job)
    yield Question(world, target=job)


@contextmanager
def job_loses_worker(stage: Stage) -> Iterator[Question]:
    more = (
        "import os\ndef loss(o, t):\n"
        "    if os.environ.get('RANK') == '1': os.kill(os.getpid(), 9)\n    return o.sum()\n"
    )
    world, job = stage.job(more, workers=2, epochs=4, max_restarts=0)
    ended(world, job)
    fire(world, "KubeJobFailed", job=job, instance=os.uname().nodename)
    yield Question(world, target=job)


@contextmanager
def job_code_error(stage: Stage) -> Iterator[Question]:
    world, job = stage.job("def loss(o, t): raise ValueError('odd shape')", max_restarts=0)
    ended(world, job)
    yield Question(world, target=job)


@contextmanager
def job_missing_data(stage: Stage) -> Iterator[Question]:
    world, job = stage.job(
        "def data(s, p): raise FileNotFoundError('/data/train.npz')", max_restarts=0
    )
    ended(world, job)
    yield Question(world, target=job)


@contextmanager
def replica_killed(stage: Stage) -> Iterator[Question]:
    world, _ = stage.served("good")
    stage.load(world)
    status = world.platforms.named("local").status("digits")
    pid = next(
        e
        for e in world.platforms.named("local").events("digits", since=_HOUR)
        if "pid" in e.message
    )
    os.kill(int(pid.message.rsplit("pid ", 1)[1]), signal.SIGKILL)
    platform = world.platforms.named("local")
    until(lambda: any(e.reason == "Crashed" for e in platform.events("digits", since=_HOUR)), 20)
    assert status.wanted == 2
    fire(world, "KubeDeploymentReplicasMismatch", deployment="digits", instance=os.uname().nodename)
    yield Question(world, alert="KubeDeploymentReplicasMismatch")


@contextmanager
def replica_killed_by_target(stage: Stage) -> Iterator[Question]:
    with replica_killed(stage) as asked:
        yield Question(asked.world, target="digits")


@contextmanager
def replica_frozen(stage: Stage) -> Iterator[Question]:
    world, _ = stage.served("good")
    platform = world.platforms.named("local")
    event = next(e for e in platform.events("digits", since=_HOUR) if "pid" in e.message)
    pid = int(event.message.rsplit("pid ", 1)[1])
    os.kill(pid, signal.SIGSTOP)
    stage.ends.callback(os.kill, pid, signal.SIGCONT)
    if not until(lambda: platform.status("digits").ready < 2, 25):
        raise Skip("the frozen replica was not noticed")
    yield Question(world, target="digits")


@contextmanager
def slow_version(stage: Stage) -> Iterator[Question]:
    world, shelf = stage.served("good")
    stage.watched_load(world, 16)
    shelf.add("slow")
    carry_out(world, RollOut, "roll-slow", deployment="digits", version="2")
    stage.watched_load(world, 8)
    fire(world, "InferenceLatencySLOBurn", deployment="digits", instance=os.uname().nodename)
    yield Question(world, alert="InferenceLatencySLOBurn")


@contextmanager
def failing_version(stage: Stage) -> Iterator[Question]:
    world, shelf = stage.served("good")
    stage.load(world, 60)
    shelf.add("fails")
    carry_out(world, RollOut, "roll-bad", deployment="digits", version="2")
    stage.load(world, 60)
    fire(world, "InferenceErrorRateHigh", deployment="digits", instance=os.uname().nodename)
    yield Question(world, alert="InferenceErrorRateHigh")


@contextmanager
def failing_version_by_target(stage: Stage) -> Iterator[Question]:
    with failing_version(stage) as asked:
        yield Question(asked.world, target="digits")


@contextmanager
def broken_artifact(stage: Stage) -> Iterator[Question]:
    world, shelf = stage.served("good")
    version = shelf.add("good2")
    version.path.write_bytes(b"not a model" * 100)
    from dataclasses import replace
    from hashlib import sha256

    digest = sha256(version.path.read_bytes()).hexdigest()
    shelf._versions[-1] = replace(version, digest=digest)
    carry_out(world, RollOut, "roll-broken", deployment="digits", version="2")
    yield Question(world, target="digits")


@contextmanager
def healthy_deployment(stage: Stage) -> Iterator[Question]:
    world, _ = stage.served("good")
    stage.load(world)
    yield Question(world, target="digits")


@contextmanager
def healthy_after_rollout(stage: Stage) -> Iterator[Question]:
    world, _ = stage.served("good", "good")
    stage.load(world, 80)
    yield Question(world, target="digits")


@contextmanager
def healthy_after_changes(stage: Stage) -> Iterator[Question]:
    world, _ = stage.served("good")
    carry_out(world, Scale, "s", deployment="digits", replicas=3)
    carry_out(world, Restart, "r", deployment="digits")
    stage.load(world)
    yield Question(world, target="digits")


@contextmanager
def healthy_resolved_alert(stage: Stage) -> Iterator[Question]:
    world, _ = stage.served("good")
    stage.load(world)
    began = datetime.now(UTC) - timedelta(minutes=3)
    for state in ("firing", "resolved"):
        where = {"deployment": "digits", "instance": os.uname().nodename}
        fire(world, "InferenceErrorRateHigh", state=state, began=began, **where)
    yield Question(world, target="digits")


@contextmanager
def false_alarm(stage: Stage) -> Iterator[Question]:
    world, _ = stage.served("good")
    stage.load(world)
    fire(world, "InferenceErrorRateHigh", deployment="digits", instance=os.uname().nodename)
    yield Question(world, alert="InferenceErrorRateHigh")


@contextmanager
def idle_host(stage: Stage) -> Iterator[Question]:
    world = stage.world()
    for _ in range(20):
        sample = telemetry(world).host()
        if sample.cpu_percent < 80 and sample.load[0] < 1.4 * len(sample.cores):
            break
        time.sleep(3)
    else:
        raise Skip(f"this machine is busy (CPU {sample.cpu_percent:.0f} %)")
    yield Question(world, target="host")


@contextmanager
def running_job(stage: Stage) -> Iterator[Question]:
    more = _SLOW.format(0.3)
    world, job = stage.job(more, epochs=200)
    until(lambda: world.jobs.status(job).step >= 5, 60)
    yield Question(world, target=job)


@contextmanager
def chatty_job(stage: Stage) -> Iterator[Question]:
    more = (
        "print('WARNING: NCCL_IB_DISABLE is set; retrying in 1 s')\n"
        "print('Gradient overflow.  Skipping step, loss scaler 0 reducing loss scale to 32768.0')\n"
        "print('0 errors, no nan detected, out of memory handling enabled')\n" + _SLOW.format(0.2)
    )
    world, job = stage.job(more, epochs=200)
    until(lambda: world.jobs.status(job).step >= 5, 60)
    yield Question(world, target=job)


@contextmanager
def finished_job(stage: Stage) -> Iterator[Question]:
    world, job = stage.job("", epochs=2)
    until(lambda: world.jobs.status(job).state not in ("pending", "running"), 90)
    yield Question(world, target=job)


@contextmanager
def starting_job(stage: Stage) -> Iterator[Question]:
    world, job = stage.job(_SLOW.format(0.5), epochs=50)
    yield Question(world, target=job)


@contextmanager
def other_trouble(stage: Stage) -> Iterator[Question]:
    """A job failed beside it; the deployment is well."""
    world, _ = stage.served("good")
    stage.load(world)
    fire(world, "NodeNetworkErrors", source="alertmanager", instance="node-9:9100")
    assert len(alerts(world).alerts("firing")) == 1
    yield Question(world, target="digits")


CASES: tuple[Case, ...] = (
    Case("CPU hog", cpu_hog, ("cpu_hog", "cpu_crowded")),
    Case("full disk", disk_full, ("disk_full_data",)),
    Case("job: full disk", job_disk_full, ("disk_full_data",)),
    Case(
        "job: memory leak up to its limit",
        memory_leak,
        ("memory_leak", "memory_limit", "host_memory"),
    ),
    Case("job: out of memory", job_out_of_memory, ("host_memory", "memory_limit")),
    Case("job: NaN", job_nan, ("overflow",)),
    Case("job: stall", job_stalls, ("deadlock",)),
    Case("job: data loader stall", job_data_stalls, ("loader_or_storage",)),
    Case("job: lost worker", job_loses_worker, ("lost_worker",)),
    Case("job: code error", job_code_error, ("training_code",)),
    Case("job: missing data", job_missing_data, ("data_error",)),
    Case("killed replica (alert)", replica_killed, ("replica_killed",)),
    Case("killed replica (target)", replica_killed_by_target, ("replica_killed",)),
    Case("frozen replica", replica_frozen, ("application_hang",)),
    Case("slow version", slow_version, ("slow_version",)),
    Case("failing version (alert)", failing_version, ("failing_version", "bad_change")),
    Case("failing version (target)", failing_version_by_target, ("failing_version", "bad_change")),
    Case("broken artefact", broken_artifact, ("model_unloadable",)),
    Case("healthy deployment", healthy_deployment),
    Case("healthy after a roll-out", healthy_after_rollout),
    Case("healthy after scale and restart", healthy_after_changes),
    Case("healthy, alert resolved", healthy_resolved_alert),
    Case("healthy, false alarm", false_alarm),
    Case("healthy, trouble elsewhere", other_trouble),
    Case("healthy host", idle_host),
    Case("healthy job, running", running_job),
    Case("healthy job, chatty log", chatty_job),
    Case("healthy job, finished", finished_job),
    Case("healthy job, starting", starting_job),
)
