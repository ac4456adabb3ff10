"""Causes in the words of Kubernetes 1.36, and roll-outs that only look as if they failed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.platforms.api_double import ApiDouble
from tests.platforms.rollout import Case, must_complete, must_fail, pod, refuse
from tools.platforms.kubernetes import Kubernetes

ONE_BY_ONE = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}, "type": "RollingUpdate"}


def forbidden(said: str) -> Any:
    return refuse("server:2", f'pods "{{name}}" is forbidden: {said}')


def unplaced(said: str) -> Any:
    """The scheduler says this of every node for the new version's pods."""

    def arrange(cluster: ApiDouble) -> None:
        cluster.kubelet.unfit = lambda pod: (
            said if pod["spec"]["containers"][0]["image"] == "server:2" else ""
        )

    return arrange


def full(cluster: ApiDouble) -> None:
    """Room for exactly the replicas there are."""
    for node in cluster.store.all("v1/nodes"):
        cluster.store.edit(
            "v1/nodes", node, lambda o: o["status"]["allocatable"].update({"cpu": "1"})
        )


def unreachable(cluster: ApiDouble) -> None:
    """Every node gone for the scheduler's purposes, as a node controller taints it."""
    taint = {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"}
    for node in cluster.store.all("v1/nodes"):
        cluster.store.edit("v1/nodes", node, lambda o: o["spec"].update(taints=[taint]))


def hold(cluster: ApiDouble) -> None:
    """A finalizer on every pod that serves."""
    for each in cluster.pods("digits"):
        cluster.store.edit(
            "v1/pods", each, lambda o: o["metadata"].update(finalizers=["example.org/keep"])
        )


def late_secret(cluster: ApiDouble) -> None:
    cluster.until(
        lambda: [e for e in cluster.store.all("v1/events") if e["reason"] == "FailedMount"]
    )
    cluster.add("v1/secrets", {"metadata": {"name": "late", "namespace": "ml"}, "data": {}})


CPU = {"resources": {"requests": {"cpu": "1"}}}
FAULTS = [
    Case("other architecture", "no match for platform", how={"pull": "platform"}),
    Case("untrusted registry", "x509", how={"pull": "x509"}),
    Case("pull rate limit", "pull rate limit", how={"pull": "limit"}),
    Case(
        "exec format error",
        "another processor architecture",
        how={"exit_code": 255, "log": "exec /srv/serve: exec format error"},
    ),
    Case(
        "entry point not executable",
        "permission denied",
        how={"cannot_start": 'exec: "/srv/serve": permission denied: unknown'},
    ),
    Case(
        "read-only file system",
        "Read-only file system",
        how={"exit_code": 1, "log": "OSError: [Errno 30] Read-only file system: '/cache'"},
    ),
    Case("not found by the shell", "the command is not found", how={"exit_code": 127}),
    Case(
        "too little memory to begin",
        "out of memory",
        how={
            "waits": (
                "CreateContainerError",
                "container init was OOM-killed (memory limit too low?)",
            )
        },
    ),
    Case(
        "too little memory even for the sandbox",
        "out of memory",
        how={
            "sandbox": "failed to start sandbox: runc create failed: unable to start container"
            " process: container init was OOM-killed (memory limit too low?): unknown"
        },
    ),
    Case(
        "liveness after it served",
        "probe failing: Liveness",
        how={"liveness": "statuscode: 503", "exit_after": 50.0},
        least=3,
    ),
    Case(
        "runs as root",
        "bad config or secret reference: container has runAsNonRoot",
        how={
            "waits": (
                "CreateContainerConfigError",
                'container has runAsNonRoot and image will run as root (pod: "digits", container: server)',
            )
        },
    ),
    Case(
        "no command in the image",
        "bad config or secret reference: failed to generate",
        how={
            "waits": (
                "CreateContainerError",
                'failed to generate container "1f" spec: failed to generate spec: no command specified',
            )
        },
    ),
    Case(
        "command looked for at creation",
        "crash loop: container server cannot start",
        how={
            "waits": (
                "CreateContainerError",
                "container create failed: executable file `serve` not found in $PATH",
            )
        },
    ),
    Case("postStart hook", "postStart hook fails", how={"hook": "exited with 1"}),
    Case(
        "config key of a volume",
        "configmap references non-existent config key: model.json",
        how={
            "mount": 'MountVolume.SetUp failed for volume "c" : configmap references non-existent config key: model.json'
        },
    ),
    Case(
        "volume cannot be mounted",
        "volume cannot be mounted",
        how={
            "mount": 'MountVolume.SetUp failed for volume "m" : mount failed: exit status 32: mount.nfs: access denied by server'
        },
    ),
    Case(
        "limit range",
        "quota (limit range)",
        arrange=forbidden("maximum memory usage per Container is 1Gi, but limit is 2Gi"),
    ),
    Case(
        "quota without requests",
        "quota: failed quota",
        arrange=forbidden("failed quota: team: must specify limits.memory for: server"),
    ),
    Case(
        "admission policy",
        "refused by policy: ValidatingAdmissionPolicy",
        arrange=forbidden(
            "ValidatingAdmissionPolicy 'tags' with binding 'ml' denied request: no latest"
        ),
    ),
    Case(
        "webhook gone",
        "refused by policy",
        arrange=refuse(
            "server:2",
            'Internal error occurred: failed calling webhook "v.example.org": failed to call webhook: Post "https://v": dial tcp: connect: connection refused',
        ),
    ),
    Case(
        "priority class",
        "bad config or secret reference: no PriorityClass",
        arrange=forbidden("no PriorityClass with name gold was found"),
    ),
    Case(
        "runtime class",
        "bad config or secret",
        arrange=forbidden('pod rejected: RuntimeClass "gvisor" not found'),
    ),
    Case(
        "claim unbound",
        "volume cannot be mounted: 0/3 nodes are available: 3 pod has unbound",
        arrange=unplaced("pod has unbound immediate PersistentVolumeClaims"),
    ),
    Case(
        "volume elsewhere",
        "volume cannot be mounted",
        arrange=unplaced("node(s) didn't match PersistentVolume's node affinity"),
    ),
    Case(
        "host port taken",
        "no capacity (host port)",
        arrange=unplaced("node(s) didn't have free ports for the requested pod ports"),
    ),
    Case(
        "anti-affinity",
        "no capacity (anti-affinity)",
        arrange=unplaced("node(s) didn't match pod anti-affinity rules"),
    ),
    Case(
        "topology spread",
        "no capacity (topology spread)",
        arrange=unplaced("node(s) didn't match pod topology spread constraints"),
    ),
    Case("memory", "no capacity (memory)", config={"resources": {"requests": {"memory": "64Gi"}}}),
    Case("no unreachable node", "node lost", arrange=unreachable),
    Case(
        "scheduling gate",
        "no capacity (scheduling gate)",
        break_template=pod(schedulingGates=[{"name": "example.org/budget"}]),
    ),
    Case(
        "unknown scheduler",
        "no capacity (no scheduler)",
        break_template=pod(schedulerName="gang-scheduler"),
    ),
    Case("full", "no capacity (cpu)", deploy={"container": CPU}, arrange=full),
    Case(
        "probes of many",
        "probe failing: Liveness",
        how={"liveness": "connection refused", "exit_after": 5.0},
        deploy={
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0},
            }
        },
        replicas=6,
        least=6,
    ),
    Case("held by a finalizer", "held by finalizer example.org/keep", arrange=hold, ends=False),
    Case(
        "one replica past its deadline",
        "Readiness probe failed",
        how={"never_ready": "connect: connection refused"},
        deploy={"progressDeadlineSeconds": 30},
        replicas=1,
        least=1,
    ),
]
HEALTHY = [
    Case("mends a crash loop", old={"exit_code": 1}, settled=False, least=0),
    Case("mends a missing image", old={"pull": "not found"}, settled=False, least=0),
    Case(
        "mends an unplaceable one",
        deploy={"pod": {"nodeSelector": {"disk": "ssd"}}},
        break_template=lambda template: template["spec"].pop("nodeSelector"),
        settled=False,
        least=0,
    ),
    Case("three crashes at first", how={"exit_code": 1, "exits": 3}),
    Case(
        "slow pull, then a crash",
        how={"pull": "timeout", "pull_failures": 2, "exit_code": 1, "exits": 1},
    ),
    Case(
        "secret comes late, then a slow start",
        how={"ready_after": 90.0},
        break_template=pod(volumes=[{"name": "v", "secret": {"secretName": "late"}}]),
        midway=late_secret,
    ),
    Case(
        "new ones get the room of old ones",
        how={"ready_after": 50.0},
        old={"stop_after": 20.0},
        deploy={"container": CPU, "strategy": ONE_BY_ONE},
        arrange=full,
    ),
]


@pytest.mark.parametrize("case", FAULTS, ids=lambda c: c.name)
def test_a_fault_has_its_name(cluster: ApiDouble, kube: Kubernetes, case: Case) -> None:
    must_fail(cluster, kube, case)


@pytest.mark.parametrize("case", HEALTHY, ids=lambda c: c.name)
def test_a_rollout_that_only_looks_ill_completes(
    cluster: ApiDouble, kube: Kubernetes, case: Case
) -> None:
    must_complete(cluster, kube, case)
