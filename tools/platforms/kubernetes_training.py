"""The manifests of a training run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tools.platforms.kubernetes_objects import (
    ACTION,
    Obj,
)

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
    """PersistentVolumeClaim for checkpoints, mounted at ``mount``."""
    mount: str = "/ckpt"
    launcher: str = "torchrun"
    """What starts the script on every worker: ``torchrun``, or ``python3 -m torch.distributed.run``."""
    user: int | None = None
    """Numeric user of the workers; ``None``: the image's."""
    retries: int = 6
    seconds: int = 86_400
    """Longest run."""
    queue: str | None = None
    """Kueue queue."""


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
        mounts.append({"name": "ckpt", "mountPath": training.mount})
    requests: Obj = {"cpu": training.cpu, "memory": training.memory}
    limits: Obj = {"memory": training.memory}
    if training.gpus:
        limits["nvidia.com/gpu"] = str(training.gpus)
    env = {**training.env, "STEWARD_ACTION_ID": action_id, "STEWARD_JOB": training.name}
    secure: Obj = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if training.user is not None:
        secure |= {"runAsUser": training.user, "fsGroup": training.user}
    return {
        "subdomain": training.name,
        "restartPolicy": "OnFailure",
        "securityContext": secure,
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
        return f"exec {training.launcher} --standalone --nproc-per-node={processes} {script}"
    return (
        f"exec {training.launcher} --rdzv-backend=static --nnodes={training.workers}"
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
