"""Two people for a tool that destroys: the catalogue's own drain_node, through Slack, by a service."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.fronts.composed import Composed
from tests.fronts.serving import eventually
from tests.fronts.slack_standin import SlackStandin, words
from tests.platforms.api_double import ApiDouble

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


@pytest.fixture
def cluster() -> Generator[ApiDouble]:
    with ApiDouble(speed=50) as double:
        yield double


def whispered(slack: SlackStandin, user: str, part: str) -> None:
    heard = slack.state.ephemerals
    eventually(lambda: [e for e in heard if e["user"] == user and part in e["text"]], 90)


def busy_node(cluster: ApiDouble) -> str:
    """A node with a pod whose scratch volume a drain would empty for good."""
    cluster.deploy("digits", replicas=2, pod={"volumes": [{"name": "s", "emptyDir": {}}]})
    cluster.settle("digits")
    return str(cluster.pods("digits")[0]["spec"]["nodeName"])


def left(cluster: ApiDouble, node: str) -> list[Any]:
    return [pod for pod in cluster.pods("digits") if pod["spec"].get("nodeName") == node]


def test_a_drain_that_loses_data_needs_two_people(
    tmp_path: Path, slack: SlackStandin, cluster: ApiDouble
) -> None:
    node = busy_node(cluster)
    kube = {"kind": "kubernetes", "kubeconfig": str(cluster.kubeconfig(tmp_path))}
    service = Composed(
        tmp_path,
        slack,
        platforms={"kube": {**kube, "namespaces": ["ml"], "drain_seconds": 30}},
        deployments={"digits": {"platform": "kube", "namespace": "ml", "model": "digits"}},
        policy={"approvers": {"*": ["group:oncall"]}, "destroy_approvals": 2},
    )
    try:
        service.start()
        _two_must_agree(slack, cluster, node)
    finally:
        service.stop()


def _two_must_agree(slack: SlackStandin, cluster: ApiDouble, node: str) -> None:
    ts = slack.mention(f"drain {node}", user="UEVE")
    card = slack.cards("C1", ts)[0]
    for part in ("DESTROYS", "drain_node", node, "emptyDir", "0/2"):
        assert part in words(card)
    slack.click("steward_approve", card, "UEVE")
    whispered(slack, "UEVE", "may not decide")
    slack.click("steward_approve", card, "UANA")
    whispered(slack, "UANA", "1 of 2")
    eventually(lambda: "1/2" in words(card) and "ana" in words(card), 90)
    slack.click("steward_approve", card, "UANA")
    eventually(lambda: len([e for e in slack.state.ephemerals if e["user"] == "UANA"]) == 2, 90)
    assert "1/2" in words(card), "the same person is one person"
    assert left(cluster, node), "nothing happened yet"
    slack.click("steward_approve", card, "UBOB")
    eventually(lambda: "done and verified" in words(card), 120)
    assert left(cluster, node) == []
    told = slack.answers("C1", ts, 2)[-1]["text"]
    assert "approved by ana, bob" in told
