"""Kubernetes under the contract suite: the API double always, a real cluster when KUBECONFIG is set."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contract.platforms import Bench, bench
from tests.platforms.api_double import ApiDouble
from tools.fleet import DeploymentSpec
from tools.platforms.base import Release
from tools.platforms.kubernetes import Kubernetes
from tools.platforms.kubernetes_api import Api
from tools.platforms.kubernetes_connection import Access
from tools.platforms.kubernetes_request import api_path

LIVE_IMAGE = os.environ.get("STEWARD_TEST_IMAGE", "busybox:1.36")
WAITING = {"metadata": {"annotations": {"steward.dev/placeholder": "true"}}}


def _spec(namespace: str, **options: int) -> DeploymentSpec:
    return DeploymentSpec("digits", "kube", "digits", namespace, options=dict(options))


@bench("kubernetes")
@contextmanager
def double_bench(home: Path) -> Iterator[Bench]:
    with ApiDouble(speed=50) as cluster:
        cluster.behaves("server:666", pull="not found")
        cluster.deploy("digits", image="server:none", replicas=0)
        cluster.edit(
            "digits",
            lambda o: o["spec"]["template"]["metadata"].update(
                annotations=WAITING["metadata"]["annotations"]
            ),
        )
        cluster.settle("digits")
        access = Access("kube", str(cluster.kubeconfig(home)))

        def release(version: int) -> Release:
            return Release(
                "digits", str(version), f"{version:064x}", f"/models/{version}", f"server:{version}"
            )

        def slow() -> None:
            for version in (2, 3):
                cluster.behaves(f"server:{version}", ready_after=50.0)

        def open_again() -> Kubernetes:
            return Kubernetes("kube", Api(access), ["ml"], [_spec("ml")])

        yield Bench(
            open_again(),
            release,
            release(666),
            "image cannot be pulled",
            again=open_again,
            ref="ml/digits",
            too_many=0,
            slow=slow,
        )


@bench("kubernetes-live", skip="" if os.environ.get("KUBECONFIG") else "KUBECONFIG is not set")
@contextmanager
def live_bench(home: Path) -> Iterator[Bench]:
    api = Api(Access("kube", os.environ.get("KUBECONFIG")))
    namespace = f"steward-test-{uuid.uuid4().hex[:8]}"
    space = api.create(api_path("v1", None, "namespaces"), {"metadata": {"name": namespace}})
    labels = {"app": "digits"}
    script = "trap 'exit 0' TERM; echo listening; while true; do sleep 0.2; done"
    template = {
        "metadata": {"labels": labels, **WAITING["metadata"]},
        "spec": {
            "containers": [{"name": "server", "image": LIVE_IMAGE, "command": ["sh", "-c", script]}]
        },
    }
    api.create(
        api_path("apps/v1", namespace, "deployments"),
        {
            "metadata": {"name": "digits", "namespace": namespace},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
        },
    )

    def release(version: int, image: str = LIVE_IMAGE) -> Release:
        return Release("digits", str(version), f"{version:064x}", f"/models/{version}", image)

    try:
        yield Bench(
            Kubernetes("kube", api, [namespace], [_spec(namespace, min_ready=3)]),
            release,
            release(666, "registry.invalid/steward/nothing:666"),
            "image cannot be pulled",
            ref=f"{namespace}/digits",
            too_many=0,
            patience=180.0,
        )
    finally:
        api.delete(api_path("v1", None, "namespaces", namespace), space.object["metadata"]["uid"])
