"""Nodes: cordon, uncordon, drain; through the tools as a person would."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from tests.platforms.api_double import ApiDouble
from tests.support import RecordingAct, carry_out, make_world
from tools.contract import Effect, Happened
from tools.errors import BadArguments, Failed, Refused
from tools.nodes.cordon import CordonNode, UncordonNode
from tools.nodes.drain import DrainNode
from tools.nodes.listing import list_nodes
from tools.platforms.base import Platform
from tools.platforms.kubernetes import Kubernetes
from tools.platforms.kubernetes_api import Api
from tools.platforms.kubernetes_connection import Access
from tools.world import World


class OnlyKube:
    def __init__(self, kube: Kubernetes) -> None:
        self._kube = kube

    def all(self) -> Sequence[Platform]:
        return [self._kube]

    def named(self, name: str) -> Platform:
        return self._kube

    def of(self, deployment: str) -> tuple[Platform, str]:
        return self._kube, deployment


@pytest.fixture
def kube(cluster: ApiDouble, tmp_path: Path) -> Kubernetes:
    access = Access("kube", str(cluster.kubeconfig(tmp_path)))
    return Kubernetes("kube", Api(access), ["ml"], drain_patience=timedelta(seconds=3))


@pytest.fixture
def world(cluster: ApiDouble, kube: Kubernetes, tmp_path: Path) -> World:
    return make_world(tmp_path / "home", platforms=lambda _: OnlyKube(kube))


def test_cordon_and_uncordon(cluster: ApiDouble, kube: Kubernetes, world: World) -> None:
    plan, _, verdict = carry_out(world, CordonNode, "c1", node="node-1")
    assert verdict.ok
    assert plan.diff == "- schedulable\n+ unschedulable"
    assert cluster.store.get("v1/nodes", None, "node-1")["spec"]["unschedulable"] is True
    assert kube.node_happened("node-1", "c1") is Happened.YES
    assert kube.node_happened("node-1", "c2") is Happened.NO
    with pytest.raises(BadArguments, match="already unschedulable"):
        CordonNode.change.plan(world, CordonNode.bind({"node": "node-1"}))
    _, _, verdict = carry_out(world, UncordonNode, "c3", node="kube/node-1")
    assert verdict.ok
    assert "unschedulable" not in cluster.store.get("v1/nodes", None, "node-1")["spec"]


def test_a_drain_moves_the_pods_and_says_so(
    cluster: ApiDouble, kube: Kubernetes, world: World
) -> None:
    cluster.deploy("digits", replicas=3)
    cluster.settle("digits")
    name = cluster.pods("digits")[0]["spec"]["nodeName"]
    plan, outcome, verdict = carry_out(world, DrainNode, "d1", node=name)
    assert "- evict ml/digits-" in plan.diff
    assert plan.risk is Effect.CHANGE
    assert verdict.ok, verdict
    cluster.settle("digits")
    assert name not in {p["spec"]["nodeName"] for p in cluster.pods("digits")}
    undo = DrainNode.change.undo(world, plan, outcome)
    assert (undo.tool, undo.args) == ("uncordon_node", {"node": name})


def test_a_budget_is_respected_and_named(cluster: ApiDouble, kube: Kubernetes) -> None:
    cluster.deploy("digits", replicas=3)
    cluster.settle("digits")
    cluster.add(
        "policy/v1/poddisruptionbudgets",
        {
            "metadata": {"name": "digits", "namespace": "ml"},
            "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "digits"}}},
        },
    )
    began = cluster.clock.seconds()
    name = cluster.pods("digits")[0]["spec"]["nodeName"]
    cluster.until(lambda: kube.drain_preview(name).warnings)
    assert "PodDisruptionBudget ml/digits" in kube.drain_preview(name).warnings[0]
    with pytest.raises(Failed, match="disruption budget digits"):
        kube.drain(name, RecordingAct("d"))
    assert cluster.least_ready("digits", began) == 3
    assert kube.node_happened(name, "d") is Happened.YES


def test_a_tight_budget_lets_pods_go_one_by_one(cluster: ApiDouble, kube: Kubernetes) -> None:
    for node in ("node-2", "node-3"):
        cluster.kubelet.lost.discard(node)
    cluster.deploy("digits", replicas=6)
    cluster.settle("digits")
    cluster.add(
        "policy/v1/poddisruptionbudgets",
        {
            "metadata": {"name": "digits", "namespace": "ml"},
            "spec": {"minAvailable": 5, "selector": {"matchLabels": {"app": "digits"}}},
        },
    )
    began = cluster.clock.seconds()
    name = cluster.pods("digits")[0]["spec"]["nodeName"]
    kube._machines._patience = timedelta(seconds=20)
    assert "drained" in kube.drain(name, RecordingAct("d"))
    cluster.settle("digits")
    assert cluster.least_ready("digits", began) >= 5


def test_pods_that_would_not_come_back_stop_a_drain(cluster: ApiDouble, kube: Kubernetes) -> None:
    cluster.add(
        "v1/pods",
        {
            "metadata": {"name": "alone", "namespace": "ml"},
            "spec": {"nodeName": "node-1", "containers": [{"name": "c", "image": "c:1"}]},
            "status": {"phase": "Pending"},
        },
    )
    assert "alone" in kube.drain_preview("node-1").warnings[0]
    with pytest.raises(Refused, match="no controller"):
        kube.drain("node-1", RecordingAct("d"))
    assert "unschedulable" not in cluster.store.get("v1/nodes", None, "node-1")["spec"]


def test_lost_scratch_data_makes_it_destructive(cluster: ApiDouble, world: World) -> None:
    cluster.deploy("digits", replicas=1, pod={"volumes": [{"name": "tmp", "emptyDir": {}}]})
    cluster.settle("digits")
    name = cluster.pods("digits")[0]["spec"]["nodeName"]
    plan = DrainNode.change.plan(world, DrainNode.bind({"node": name}))
    assert plan.risk is Effect.DESTROY


def test_nodes_are_listed_in_both_languages(cluster: ApiDouble, world: World) -> None:
    cluster.add_node("gpu-1", gpus=8)
    cluster.kubelet.lost.add("node-2")
    cluster.until(lambda: "node-2: not ready" in list_nodes.read(world).say("en"))
    said = list_nodes.read(world).say("en")
    assert said.splitlines()[0] == "3 of 4 nodes are ready, 0 cordoned, 8 GPUs in all."
    assert "共 4 个节点" in list_nodes.read(world).say("zh")


def test_an_unknown_node_has_neighbours(world: World) -> None:
    with pytest.raises(BadArguments, match="node-1"):
        CordonNode.change.plan(world, CordonNode.bind({"node": "node-11"}))
