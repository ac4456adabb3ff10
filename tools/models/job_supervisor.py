"""The detached process that sees one job through: starts it, watches it, registers its result.

``python -m tools.models.job_supervisor FOLDER`` with the database URL in ``STEWARD_DATABASE``.
It may be killed at any moment. A second one finds the folder, ends what is left of the first, and
goes on: from the checkpoint, from the finished output, or (a version is registered once per job)
from the registered version.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tools.errors import ToolError
from tools.models import job_failures
from tools.models.job_folder import JobFolder, read, write
from tools.models.job_tracker import phases
from tools.models.processes import carrying, die_with_parent, end, started

DISTRIBUTED = ("train", "tune", "prune", "distill")
MARK = "STEWARD_JOB_FOLDER"
"""Environment variable that every process of a job carries."""
GRACE = 8.0
"""Seconds a cancelled job has to stop at a step by itself."""


def command(folder: JobFolder, spec: Mapping[str, Any]) -> list[str]:
    """How the work is started: by torchrun where it trains, else directly."""
    worker = ["-m", "tools.models.job_worker", str(folder.root)]
    if spec["kind"] not in DISTRIBUTED:
        return [sys.executable, *worker]
    elastic = [
        "--standalone",
        f"--nproc-per-node={spec['workers']}",
        f"--max-restarts={spec['training']['max_restarts']}",
        "--monitor-interval=0.2",
    ]
    return [sys.executable, "-m", "torch.distributed.run", *elastic, *worker]


def environment(folder: JobFolder, spec: Mapping[str, Any]) -> dict[str, str]:
    """The workers' environment: no database, no registry, and the package importable anywhere."""
    root = str(Path(__file__).resolve().parents[2])
    said = json.loads(os.environ.get("STEWARD_REGISTRY") or "{}")
    ours = ("STEWARD_DATABASE", "STEWARD_REGISTRY", said.get("token_env"))
    given = {k: v for k, v in os.environ.items() if k not in ours}
    path = [root, *(p for p in given.get("PYTHONPATH", "").split(os.pathsep) if p)]
    threads = int(spec["training"].get("threads") or 0)
    share = max(1, (os.cpu_count() or 1) // int(spec["workers"]))
    return {
        **given,
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": str(threads or share),
        MARK: str(folder.root),
        "STEWARD_ACTION": spec["action_id"],
    }


def work(folder: JobFolder, spec: Mapping[str, Any]) -> tuple[int, str]:
    """Run the workers to their end; returns the exit code and a cause when it was ended for one."""
    folder.logs.mkdir(parents=True, exist_ok=True)
    for old in (*folder.root.glob("failure-*.json"), *folder.root.glob("phase-*")):
        old.unlink(missing_ok=True)
    if spec.get("cluster"):
        return _on_cluster(folder, spec)
    log = (folder.logs / "launcher.log").open("wb")
    with log:
        process = subprocess.Popen(
            command(folder, spec),
            env=environment(folder, spec),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder.root,
            preexec_fn=die_with_parent,
        )
        return _watch(folder, spec, process)


def _on_cluster(folder: JobFolder, spec: Mapping[str, Any]) -> tuple[int, str]:
    from tools.models.cluster_work import Following

    threads = str(spec["training"].get("threads") or 1)
    # without MARK: what runs in the cluster is not this machine's to sweep
    env = {
        "OMP_NUM_THREADS": threads,
        "PYTHONUNBUFFERED": "1",
        "STEWARD_ACTION": str(spec["action_id"]),
    }
    limit = float(spec["training"]["stall_timeout"])
    return Following(folder, spec, env, lambda: stall(folder, limit)).see()


def _watch(
    folder: JobFolder, spec: Mapping[str, Any], process: subprocess.Popen[bytes]
) -> tuple[int, str]:
    limit, asked = float(spec["training"]["stall_timeout"]), None
    while (code := process.poll()) is None:
        time.sleep(0.1)
        if folder.cancel.exists():
            asked = asked or time.monotonic()
            if time.monotonic() - asked > GRACE:
                return _end(folder, process), "cancelled"
        elif stalled := stall(folder, limit):
            return _end(folder, process), stalled
    return code, ""


def stall(folder: JobFolder, limit: float) -> str:
    """Name what has made no step for ``limit`` seconds; empty when all is well.

    A rank that waits for data is the cause; ranks that wait for it in a collective are victims.
    """
    now = time.time()
    late = [
        (rank, doing, step, now - since)
        for rank, (doing, step, since) in phases(folder).items()
        if now - since > limit and doing != "finish"
    ]
    for rank, doing, step, seconds in late:
        if doing == "load":
            return f"stalled data loader: rank {rank} has waited {seconds:.0f} s for step {step}'s data"
    for rank, _, step, seconds in late:
        return f"stalled: rank {rank} has been in step {step} for {seconds:.0f} s"
    return ""


def _end(folder: JobFolder, process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(3)
    process.kill()
    code = process.wait()
    sweep(folder)
    return code


def sweep(folder: JobFolder) -> None:
    """End what is left of an earlier supervisor's workers: two writers would spoil a checkpoint.

    They are known by the folder, not by the job's name, which other homes use too.
    """
    for pid, start in list(carrying(MARK, str(folder.root))):
        end(pid, start)


def register(folder: JobFolder, spec: Mapping[str, Any]) -> int:
    """Register the output once; returns the version number."""
    from tools.models.registries import VARIABLE, registry_of
    from tools.store import Store
    from tools.world import SystemClock

    made = read(folder.manifest)
    store = Store(os.environ["STEWARD_DATABASE"])
    said = json.loads(os.environ.get(VARIABLE) or "{}")
    registry = registry_of(said, store, Path(os.environ["STEWARD_HOME"]), SystemClock())
    version = registry.register(
        made.get("model", spec["model"]),
        folder.output / made["artifact"],
        made["format"],
        metrics=made["metrics"],
        technique=made["technique"],
        parent=made.get("parent"),
        action_id=spec["action_id"],
        job=spec["name"],
        lineage=made.get("lineage", {}),
        gate=made.get("gate", {}),
        extras={name: folder.output / file for name, file in made.get("extras", {}).items()},
    )
    return version.number


def see_through(folder: JobFolder) -> dict[str, Any]:
    """Do the job and say how it ended; never raises a :class:`ToolError`."""
    spec, kills, code, cause = read(folder.spec), job_failures.kernel_kills(), 0, ""
    if not folder.manifest.exists():
        restarts = 0 if spec["kind"] in DISTRIBUTED else int(spec["training"]["max_restarts"])
        for _ in range(restarts + 1):
            code, cause = work(folder, spec)
            if code == 0 or cause or folder.cancel.exists():
                break
    if folder.manifest.exists():
        return _registered(folder, spec)
    failures = folder.failures()
    if folder.cancel.exists():
        return {"state": "cancelled", "cause": "cancelled by a person"}
    if not cause:
        cause = (
            job_failures.culprit(failures)
            if failures and (code == 0 or any(f.get("fatal") for f in failures))
            else job_failures.of_exit(folder, code, kills)
        )
    return {"state": "failed", "cause": cause}


def _registered(folder: JobFolder, spec: Mapping[str, Any]) -> dict[str, Any]:
    made = read(folder.manifest)
    if made.get("report"):
        return {"state": "succeeded", "cause": ""}
    try:
        number = register(folder, spec)
    except ToolError as error:
        return {"state": "failed", "cause": str(error)}
    return {"state": "succeeded", "cause": "", "version": number, "metrics": made["metrics"]}


def main() -> None:
    """Entry point: detach, be the only one, do the job, write the result."""
    folder = JobFolder(Path(sys.argv[1]))
    if os.fork():
        os._exit(0)
    os.setsid()
    lock = os.open(folder.root / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os._exit(0)
    log = os.open(folder.root / "supervisor.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if folder.result.exists():
        os._exit(0)
    sweep(folder)
    mine = {"pid": os.getpid(), "started": started(os.getpid()), "at": time.time()}
    write(folder.supervisor, mine)
    result = see_through(folder)
    write(folder.result, {**result, "ended_at": time.time()})


if __name__ == "__main__":
    main()
