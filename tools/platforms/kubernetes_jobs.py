"""Training on a cluster: an Indexed Job with static rendezvous, or a TrainJob where it is known.

Several workers need each other from the start, so torchrun's rendezvous is static and a failure of
one restarts all: measured, this recovers a lost worker in ten seconds, where elastic rendezvous
does not recover at all.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tools.contract import Act, Happened
from tools.errors import BadArguments
from tools.models.base import JobState
from tools.platforms.kubernetes_api import Api, api_path
from tools.platforms.kubernetes_causes import Cause, pod_cause
from tools.platforms.kubernetes_errors import Exists
from tools.platforms.kubernetes_objects import (
    ACTION,
    Obj,
    at,
    condition,
    created,
    name_of,
    note,
    number,
)
from tools.platforms.kubernetes_pods import read_pod
from tools.platforms.kubernetes_reading import Reader

PORT = 29500
TRAINER = "trainer.kubeflow.org/v1alpha1"


@dataclass(frozen=True, slots=True)
class Training:
    """A training run to start."""

    name: str
    namespace: str
    image: str
    script: Sequence[str]
    """What torchrun runs: ``("/app/train.py", "--epochs", "3")``."""
    workers: int = 1
    gpus: int = 0
    """GPUs of each worker; each gets one process."""
    cpu: str = "1"
    memory: str = "2Gi"
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    claim: str | None = None
    """PersistentVolumeClaim for checkpoints, mounted at ``/ckpt``."""
    retries: int = 6
    seconds: int = 86_400
    """Longest run."""
    queue: str | None = None
    """Kueue queue."""


@dataclass(frozen=True, slots=True)
class Run:
    """A training Job now."""

    name: str
    namespace: str
    state: JobState
    succeeded: int
    workers: int
    restarts: int
    cause: str
    action_id: str | None


def manifests(training: Training, action_id: str) -> tuple[Obj, Obj]:
    """The headless Service that gives workers their names, and the Indexed Job."""
    labels = {"steward.dev/job": training.name}
    if training.queue:
        labels["kueue.x-k8s.io/queue-name"] = training.queue
    meta = {
        "name": training.name,
        "namespace": training.namespace,
        "labels": labels,
        "annotations": {ACTION: action_id},
    }
    service: Obj = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": {"batch.kubernetes.io/job-name": training.name},
            "ports": [{"name": "rendezvous", "port": PORT}],
        },
    }
    job: Obj = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta,
        "spec": {
            "completionMode": "Indexed",
            "completions": training.workers,
            "parallelism": training.workers,
            "backoffLimit": training.retries,
            "activeDeadlineSeconds": training.seconds,
            "ttlSecondsAfterFinished": 86_400,
            "template": {"metadata": {"labels": labels}, "spec": _pod(training, action_id)},
        },
    }
    return service, job


def _pod(training: Training, action_id: str) -> Obj:
    volumes: list[Obj] = [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}]
    mounts: list[Obj] = [{"name": "shm", "mountPath": "/dev/shm"}]
    if training.claim:
        volumes.append({"name": "ckpt", "persistentVolumeClaim": {"claimName": training.claim}})
        mounts.append({"name": "ckpt", "mountPath": "/ckpt"})
    requests: Obj = {"cpu": training.cpu, "memory": training.memory}
    limits: Obj = {"memory": training.memory}
    if training.gpus:
        limits["nvidia.com/gpu"] = str(training.gpus)
    env = {**training.env, "STEWARD_ACTION_ID": action_id, "STEWARD_JOB": training.name}
    return {
        "subdomain": training.name,
        "restartPolicy": "OnFailure",
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "trainer",
                "image": training.image,
                "command": ["sh", "-c", command(training)],
                "env": [{"name": k, "value": v} for k, v in sorted(env.items())],
                "resources": {"requests": requests, "limits": limits},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": mounts,
            }
        ],
        "volumes": volumes,
    }


def command(training: Training) -> str:
    """The shell line of every worker; its rank is its completion index."""
    script = " ".join(shlex.quote(part) for part in training.script)
    processes = max(1, training.gpus)
    if training.workers == 1:
        return f"exec torchrun --standalone --nproc-per-node={processes} {script}"
    return (
        f"exec torchrun --rdzv-backend=static --nnodes={training.workers}"
        f" --nproc-per-node={processes} --node-rank=$JOB_COMPLETION_INDEX"
        f" --master-addr={training.name}-0.{training.name} --master-port={PORT}"
        f" --max-restarts=0 {script}"
    )


def train_job(training: Training, action_id: str, runtime: str = "torch-distributed") -> Obj:
    """The same as a Kubeflow Trainer v2 ``TrainJob``."""
    env = {**training.env, "STEWARD_ACTION_ID": action_id, "STEWARD_JOB": training.name}
    limits: Obj = {"nvidia.com/gpu": str(training.gpus)} if training.gpus else {}
    return {
        "apiVersion": TRAINER,
        "kind": "TrainJob",
        "metadata": {
            "name": training.name,
            "namespace": training.namespace,
            "labels": {"steward.dev/job": training.name},
            "annotations": {ACTION: action_id},
        },
        "spec": {
            "runtimeRef": {"name": runtime, "kind": "ClusterTrainingRuntime"},
            "activeDeadlineSeconds": training.seconds,
            "trainer": {
                "image": training.image,
                "command": ["torchrun", *training.script],
                "numNodes": training.workers,
                "numProcPerNode": max(1, training.gpus),
                "env": [{"name": k, "value": v} for k, v in sorted(env.items())],
                "resourcesPerNode": {
                    "requests": {"cpu": training.cpu, "memory": training.memory},
                    "limits": limits,
                },
            },
        },
    }


class Trainings:
    """Starts, watches and cancels training on one cluster."""

    def __init__(self, api: Api, reader: Reader) -> None:
        self._api = api
        self._reader = reader

    def launch(self, training: Training, act: Act) -> Run:
        """Create the Service and the Job; the same action creates them once."""
        act.check()
        service, job = manifests(training, act.id)
        for plural, version, obj in (("services", "v1", service), ("jobs", "batch/v1", job)):
            try:
                self._api.create(api_path(version, training.namespace, plural), obj)
            except Exists:
                there = self._api.get(api_path(version, training.namespace, plural, training.name))
                if note(there, ACTION) != act.id:
                    raise BadArguments(
                        f"There is a {obj['kind']} {training.name} already; choose another name.",
                        f"已经存在名为 {training.name} 的 {obj['kind']}；请换一个名字。",
                    ) from None
        return self.status(training.namespace, training.name)

    def status(self, namespace: str, name: str) -> Run:
        """The Job with the named cause of what keeps its workers from running."""
        job = self._api.get(api_path("batch/v1", namespace, "jobs", name))
        query = {"labelSelector": f"batch.kubernetes.io/job-name={name}"}
        pods = [read_pod(p) for p in self._api.items(api_path("v1", namespace, "pods"), query)]
        state, cause = _state(job), str(condition(job, "Failed").get("message") or "")
        for pod in pods if state in ("pending", "running", "failed") else ():
            events = () if pod.unscheduled else self._reader.events_about(namespace, pod.uid)
            found: Cause | None = pod_cause(pod, events, {})
            if found is not None and state != "running":
                cause = found.text
                break
        return Run(
            name=name,
            namespace=namespace,
            state=state,
            succeeded=number(job, "status", "succeeded"),
            workers=number(job, "spec", "completions"),
            restarts=sum(p.restarts for p in pods) + number(job, "status", "failed"),
            cause=cause,
            action_id=note(job, ACTION),
        )

    def list(self) -> list[Run]:
        """Jobs that Steward started, newest first."""
        query = {"labelSelector": "steward.dev/job"}
        found = [
            job
            for scope in self._reader.scopes
            for job in self._api.items(api_path("batch/v1", scope, "jobs"), query)
        ]
        found.sort(key=created, reverse=True)
        return [self.status(str(at(j, "metadata", "namespace")), name_of(j)) for j in found[:50]]

    def cancel(self, namespace: str, name: str) -> None:
        """Delete the Job with its pods, and its Service."""
        for version, plural in (("batch/v1", "jobs"), ("v1", "services")):
            path = api_path(version, namespace, plural, name)
            there = self._api.find(path)
            if there is not None:
                self._api.delete(path, str(at(there, "metadata", "uid")))

    def happened(self, namespace: str, name: str, action_id: str) -> Happened:
        """Does a Job of this name carry the action?"""
        there = self._api.find(api_path("batch/v1", namespace, "jobs", name))
        if there is None:
            return Happened.NO
        return Happened.YES if note(there, ACTION) == action_id else Happened.NO


def _state(job: Obj) -> JobState:
    ends: tuple[tuple[str, JobState], ...] = (
        ("Complete", "succeeded"),
        ("Failed", "failed"),
        ("Suspended", "pending"),
    )
    for kind, state in ends:
        if condition(job, kind).get("status") == "True":
            return state
    if number(job, "status", "ready") or number(job, "status", "succeeded"):
        return "running"
    return "pending"
