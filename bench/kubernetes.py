"""How fast a status over a large cluster is: 500 deployments, 5,000 pods, on the API double.

    python -m bench.kubernetes [--deployments 500] [--pods 10]

Prints seconds, memory of this process, bytes and calls; the server runs in a process of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.platforms.api_double import ApiDouble
from tests.platforms.api_double.controllers import HASH, REVISION


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deployments", type=int, default=500)
    parser.add_argument("--pods", type=int, default=10)
    parser.add_argument("--ill", type=int, default=5, help="deployments in trouble")
    said = parser.parse_args()
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    folder = Path(tempfile.mkdtemp())
    server = context.Process(
        target=serve, args=(there, folder, said.deployments, said.pods, said.ill)
    )
    server.start()
    size = here.recv()
    try:
        measure(folder, size)
    finally:
        here.send("stop")
        server.join(10)


def measure(folder: Path, size: int) -> None:
    from tools.platforms.kubernetes import Kubernetes
    from tools.platforms.kubernetes_api import Api
    from tools.platforms.kubernetes_connection import Access

    api = Api(Access("kube", str(folder / "kubeconfig")))
    api.get("/apis")
    platform = Kubernetes("kube", api, ["ml"])
    seconds: list[float] = []
    busy: list[float] = []
    calls = 0
    for _ in range(5):
        calls = api.calls
        began, worked = time.perf_counter(), time.process_time()
        found = platform.deployments()
        seconds.append(time.perf_counter() - began)
        busy.append(time.process_time() - worked)
        calls = api.calls - calls
    ill = [d for d in found if d.phase != "complete"]
    pods = sum(len(d.replicas) for d in found)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(found)} deployments, {pods} pods, {size / 1e6:.1f} MB of pods at the server")
    print(f"status of all: median {statistics.median(seconds):.2f} s, best {min(seconds):.2f} s")
    print(f"CPU of this process: median {statistics.median(busy):.2f} s")
    print(
        f"peak memory {peak:.0f} MB; {calls} API calls; {len(ill)} in trouble: {ill[0].message if ill else ''}"
    )
    calls = api.calls
    began = time.perf_counter()
    one = platform.status(ill[0].ref if ill else found[0].ref)
    print(
        f"status of one ({one.phase}): {time.perf_counter() - began:.3f} s, {api.calls - calls} API calls"
    )


def serve(link: Connection, folder: Path, deployments: int, pods: int, ill: int) -> None:
    with ApiDouble(speed=1) as cluster:
        cluster.frozen = True
        for number in range(deployments):
            _deployment(cluster, f"app-{number:03d}", pods, number < ill)
        rows = cluster.store.items("v1/pods", "ml")
        size = sum(len(cluster.store.encoded("v1/pods", key, obj)) for key, obj in rows)
        cluster.kubeconfig(folder)
        link.send(size)
        link.recv()


def _deployment(cluster: ApiDouble, name: str, pods: int, ill: bool) -> None:
    made = cluster.deploy(name, replicas=pods)
    digest = f"{abs(hash(name)) % 10**9:09d}a"
    ready = pods - ill
    status: dict[str, Any] = {
        "observedGeneration": 1,
        "replicas": pods,
        "updatedReplicas": pods,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "conditions": [
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
        ],
    }

    def settle(o: dict[str, Any]) -> None:
        o["status"] = status
        o["metadata"]["annotations"] = {REVISION: "1"}

    cluster.store.edit("apps/v1/deployments", made, settle)
    owner = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": name,
        "uid": made["metadata"]["uid"],
        "controller": True,
    }
    rs = cluster.store.create(
        "apps/v1/replicasets",
        {
            "metadata": {
                "name": f"{name}-{digest}",
                "namespace": "ml",
                "labels": {"app": name, HASH: digest},
                "annotations": {REVISION: "1"},
                "ownerReferences": [owner],
            },
            "spec": {
                "replicas": pods,
                "selector": {"matchLabels": {"app": name}},
                "template": made["spec"]["template"],
            },
        },
    )
    for index in range(pods):
        cluster.store.create("v1/pods", _pod(cluster, name, digest, rs, index, ill and index == 0))


def _pod(
    cluster: ApiDouble, name: str, digest: str, rs: dict[str, Any], index: int, ill: bool
) -> dict[str, Any]:
    """A pod of realistic size: about 6 KB, as kubelets and controllers leave them."""
    now = cluster.clock.text(-600)
    waiting = {
        "waiting": {
            "reason": "CrashLoopBackOff",
            "message": "back-off 5m0s restarting failed container",
        }
    }
    state = waiting if ill else {"running": {"startedAt": now}}
    last = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": now}} if ill else {}
    word = "False" if ill else "True"
    fields = {f"f:field{n}": {f"f:inner{m}": {} for m in range(6)} for n in range(14)}
    return {
        "metadata": {
            "name": f"{name}-{digest}-{index:05d}",
            "generateName": f"{name}-{digest}-",
            "namespace": "ml",
            "labels": {"app": name, HASH: digest},
            "annotations": {"steward.dev/version": "3", "prometheus.io/scrape": "true"},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": rs["metadata"]["name"],
                    "uid": rs["metadata"]["uid"],
                    "controller": True,
                }
            ],
            "managedFields": [
                {"manager": m, "operation": "Update", "time": now, "fieldsV1": fields}
                for m in ("kube-controller-manager", "kubelet")
            ],
        },
        "spec": {
            "nodeName": f"node-{index % 3 + 1}",
            "containers": [
                {
                    "name": "server",
                    "image": "server:1",
                    "env": [{"name": f"VARIABLE_{n}", "value": f"value-{n}"} for n in range(20)],
                    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
                }
            ],
            "volumes": [
                {
                    "name": "kube-api-access",
                    "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]},
                }
            ],
            "tolerations": [
                {
                    "key": f"node.kubernetes.io/{k}",
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": 300,
                }
                for k in ("not-ready", "unreachable")
            ],
        },
        "status": {
            "phase": "Running",
            "conditions": [
                {
                    "type": t,
                    "status": word if t in ("Ready", "ContainersReady") else "True",
                    "lastTransitionTime": now,
                }
                for t in (
                    "PodReadyToStartContainers",
                    "Initialized",
                    "Ready",
                    "ContainersReady",
                    "PodScheduled",
                )
            ],
            "containerStatuses": [
                {
                    "name": "server",
                    "image": "server:1",
                    "imageID": "sha256:" + "0" * 64,
                    "containerID": "containerd://" + "1" * 64,
                    "ready": not ill,
                    "started": not ill,
                    "restartCount": 7 if ill else 0,
                    "state": state,
                    "lastState": last,
                }
            ],
            "hostIP": "10.0.0.1",
            "podIP": "10.1.0.1",
            "qosClass": "Burstable",
        },
    }


if __name__ == "__main__":
    main()
