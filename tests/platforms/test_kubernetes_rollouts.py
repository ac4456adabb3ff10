"""Roll-outs against the double: the named cause of thirty faults, and thirteen that must succeed."""

from __future__ import annotations

import pytest

from tests.platforms.api_double import ApiDouble
from tests.platforms.rollout import Case, env, must_complete, must_fail, pod, quota, refuse
from tools.platforms.kubernetes import Kubernetes


def _lose_node(cluster: ApiDouble) -> None:
    fresh = cluster.until(
        lambda: [
            p
            for p in cluster.pods("digits")
            if p["spec"]["containers"][0]["image"] == "server:2" and p["spec"].get("nodeName")
        ]
    )
    cluster.kubelet.lost.add(fresh[0]["spec"]["nodeName"])


NO_COMMAND = 'exec: "/srv/serve": stat /srv/serve: no such file or directory: unknown'
FAULTS = [
    Case("image not found", "image cannot be pulled", how={"pull": "not found"}),
    Case("image denied", "image cannot be pulled", how={"pull": "denied"}),
    Case("image name invalid", "image cannot be pulled", how={"pull": "invalid"}),
    Case("image never pulled", "image cannot be pulled", how={"pull": "never"}),
    Case("registry unknown", "no such host", how={"pull": "no host"}),
    Case("registry silent", "i/o timeout", how={"pull": "timeout"}),
    Case("crash", "crash loop", how={"exit_code": 1, "log": "ValueError: no model"}),
    Case(
        "crash says why",
        "ValueError: no model",
        how={"exit_code": 1, "log": "x\nValueError: no model"},
    ),
    Case(
        "crash after a moment of readiness",
        "crash loop",
        how={"exit_code": 1, "exit_after": 4.0, "ready_after": 0.0},
    ),
    Case(
        "crash after serving a while",
        "after it had been ready",
        how={"exit_code": 139, "exit_after": 25.0, "ready_after": 0.0},
        least=3,
    ),
    Case("process ends", "exits with 0", how={"exit_code": 0}),
    Case("segfault", "segmentation fault", how={"exit_code": 139}),
    Case("out of memory", "out of memory", how={"oom": True}),
    Case("no such command", "cannot start", how={"cannot_start": NO_COMMAND}),
    Case("init container", "init container prepare", how={"exit_code": 2, "init": True}),
    Case(
        "never ready",
        "Readiness probe failed",
        how={"never_ready": "HTTP probe failed with statuscode: 503"},
        deploy={"progressDeadlineSeconds": 60},
    ),
    Case(
        "liveness",
        "probe failing: Liveness",
        how={"liveness": "connection refused", "exit_after": 5.0},
    ),
    Case(
        "liveness after serving a while",
        "probe failing: Liveness",
        how={"liveness": "connection refused", "exit_after": 25.0, "ready_after": 0.0},
        deploy={"progressDeadlineSeconds": 60},
        least=3,
    ),
    Case("startup probe", "probe failing: Startup", how={"startup": "timeout", "exit_after": 5.0}),
    Case(
        "readiness gate",
        "readiness gate",
        how={"gate": "lb/ready"},
        break_template=pod(readinessGates=[{"conditionType": "lb/ready"}]),
        deploy={"progressDeadlineSeconds": 60},
    ),
    Case("no cpu", "no capacity (cpu)", config={"resources": {"requests": {"cpu": "64"}}}),
    Case(
        "no gpu",
        "no capacity (nvidia.com/gpu)",
        config={"resources": {"limits": {"nvidia.com/gpu": "1"}}},
    ),
    Case(
        "node selector",
        "no capacity (node selector)",
        break_template=pod(nodeSelector={"disk": "ssd"}),
    ),
    Case(
        "cordoned",
        "no capacity (cordoned nodes)",
        arrange=lambda c: [
            c.store.edit("v1/nodes", n, lambda o: o["spec"].update(unschedulable=True))
            for n in c.store.all("v1/nodes")
        ],
    ),
    Case(
        "taint",
        "no capacity (taint gpu)",
        arrange=lambda c: [
            c.store.edit(
                "v1/nodes",
                n,
                lambda o: o["spec"].update(taints=[{"key": "gpu", "effect": "NoSchedule"}]),
            )
            for n in c.store.all("v1/nodes")
        ],
    ),
    Case("quota", "quota: exceeded quota", arrange=quota(3)),
    Case(
        "secret missing", "bad config or secret", break_template=env("secretKeyRef", "token", "t")
    ),
    Case(
        "config key missing",
        "bad config or secret",
        arrange=lambda c: c.add(
            "v1/configmaps", {"metadata": {"name": "cfg", "namespace": "ml"}, "data": {}}
        ),
        break_template=env("configMapKeyRef", "cfg", "k"),
    ),
    Case(
        "secret volume missing",
        "bad config or secret",
        break_template=pod(volumes=[{"name": "v", "secret": {"secretName": "nope"}}]),
    ),
    Case(
        "claim missing",
        "volume cannot be mounted",
        break_template=pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]),
    ),
    Case(
        "pod security",
        "refused by policy",
        arrange=refuse(
            "server:2",
            'pods "{name}" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
        ),
    ),
    Case(
        "webhook",
        "refused by policy",
        arrange=refuse(
            "server:2", 'admission webhook "images.example.org" denied the request: unsigned image'
        ),
    ),
    Case(
        "service account",
        "bad config or secret",
        arrange=refuse(
            "server:2",
            'pods "{name}" is forbidden: error looking up service account ml/nope: serviceaccount "nope" not found',
        ),
    ),
    Case(
        "sandbox",
        "pod sandbox failing",
        how={"sandbox": 'failed to setup network for sandbox: plugin type="cni" failed'},
    ),
    Case("node lost", "node lost", how={"ready_after": 40.0}, midway=_lose_node, ends=False),
    Case("stuck terminating", "stuck terminating", old={"never_stops": True}, ends=False),
]
HEALTHY = [
    Case("plain"),
    Case("slow start", how={"ready_after": 60.0}),
    Case("one crash at first", how={"exit_code": 1, "exits": 1}),
    Case("two crashes at first", how={"exit_code": 1, "exits": 2}),
    Case("pull fails once", how={"pull": "timeout", "pull_failures": 2}),
    Case("minReadySeconds", deploy={"minReadySeconds": 20}),
    Case(
        "progress deadline shorter than the proof",
        how={"ready_after": 6.0},
        deploy={"progressDeadlineSeconds": 12},
        least=3,
    ),
    Case("one replica", replicas=1, least=1),
    Case("ten replicas", replicas=10, least=8),
    Case(
        "no surge",
        deploy={
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1},
            }
        },
    ),
    Case(
        "all at once",
        deploy={
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "100%"},
            }
        },
        least=3,
    ),
    Case("recreate", deploy={"strategy": {"type": "Recreate"}}, least=0),
    Case(
        "tight quota",
        arrange=quota(3),
        deploy={
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1},
            }
        },
    ),
    Case("slow to leave", old={"stop_after": 25.0}),
    Case(
        "blips of readiness",
        how={"exit_code": 1, "exit_after": 4.0, "ready_after": 0.0, "exits": 2},
    ),
    Case("no replicas", replicas=0, least=0),
]


@pytest.mark.parametrize("case", FAULTS, ids=lambda c: c.name)
def test_a_faulted_rollout_is_named_and_undone(
    cluster: ApiDouble, kube: Kubernetes, case: Case
) -> None:
    must_fail(cluster, kube, case)


@pytest.mark.parametrize("case", HEALTHY, ids=lambda c: c.name)
def test_a_healthy_rollout_completes(cluster: ApiDouble, kube: Kubernetes, case: Case) -> None:
    must_complete(cluster, kube, case)
