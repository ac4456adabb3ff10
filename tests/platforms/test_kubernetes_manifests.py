"""Manifests that Steward sends or ships are what the API server accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.platforms.api_double import ApiDouble
from tests.platforms.manifest_schema import faults
from tests.support import RecordingAct
from tools.contract import Happened
from tools.errors import BadArguments
from tools.platforms.kubernetes import Kubernetes
from tools.platforms.kubernetes_jobs import Trainings
from tools.platforms.kubernetes_reading import Reader
from tools.platforms.kubernetes_training import Training, manifests, train_job

SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"


def documents() -> list[Any]:
    return [
        pytest.param(doc, id=f"{file.stem}-{doc['kind']}-{doc['metadata']['name']}")
        for file in sorted(SHIPPED.glob("*.yaml"))
        for doc in yaml.safe_load_all(file.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("doc", documents())
def test_what_is_shipped_obeys_the_schema(doc: dict[str, Any]) -> None:
    assert faults(doc, f"V1{doc['kind']}") == []


def test_the_schema_check_finds_a_misspelt_field() -> None:
    doc = {
        "kind": "Deployment",
        "spec": {"replica": 1, "template": {"spec": {"containers": [{"nam": "x"}]}}},
    }
    assert len(faults(doc, "V1Deployment")) == 2


def test_the_rights_shipped_cover_what_is_called(cluster: ApiDouble, kube: Kubernetes) -> None:
    rules = [
        rule
        for name in ("rbac-read", "rbac-change")
        for doc in yaml.safe_load_all((SHIPPED / f"{name}.yaml").read_text(encoding="utf-8"))
        if doc["kind"] == "ClusterRole"
        for rule in doc["rules"]
    ]
    held = {
        (verb, resource)
        for rule in rules
        for verb in rule["verbs"]
        for resource in rule["resources"]
    }
    for needed in (
        ("patch", "deployments"),
        ("create", "pods/eviction"),
        ("get", "pods/log"),
        ("get", "pods/proxy"),
        ("list", "replicasets"),
        ("patch", "nodes"),
        ("create", "jobs"),
        ("patch", "rollouts"),
        ("patch", "rollouts/status"),
        ("patch", "inferenceservices"),
    ):
        assert needed in held
    assert not any("*" in rule["verbs"] or "*" in rule["resources"] for rule in rules)
    assert ("get", "secrets") not in held


@settings(deadline=None)
@given(
    workers=st.integers(1, 16),
    gpus=st.integers(0, 8),
    queue=st.none() | st.just("team-a"),
    claim=st.none() | st.just("ckpt"),
    words=st.lists(
        st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1),
        min_size=1,
        max_size=4,
    ),
)
def test_every_training_manifest_obeys_the_schema(
    workers: int, gpus: int, queue: str | None, claim: str | None, words: list[str]
) -> None:
    training = Training(
        "retrain", "ml", "trainer:1", words, workers, gpus, queue=queue, claim=claim
    )
    service, job = manifests(training, "act-1")
    assert faults(service, "V1Service") == []
    assert faults(job, "V1Job") == []
    line = job["spec"]["template"]["spec"]["containers"][0]["command"][2]
    assert ("--rdzv-backend=static" in line) is (workers > 1)
    assert job["spec"]["completions"] == job["spec"]["parallelism"] == workers
    assert train_job(training, "act-1")["spec"]["trainer"]["numNodes"] == workers


def test_a_training_is_launched_once_and_cancelled(cluster: ApiDouble, kube: Kubernetes) -> None:
    trainings = Trainings(kube.api, Reader(kube.api, ["ml"]))
    training = Training("retrain", "ml", "trainer:1", ("/app/train.py",), workers=2)
    for _ in range(2):
        run = trainings.launch(training, RecordingAct("t1"))
    assert (run.state, run.workers, run.action_id) == ("pending", 2, "t1")
    assert trainings.happened("ml", "retrain", "t1") is Happened.YES
    with pytest.raises(BadArguments, match="already"):
        trainings.launch(training, RecordingAct("t2"))
    assert [r.name for r in trainings.list()] == ["retrain"]
    trainings.cancel("ml", "retrain")
    assert trainings.happened("ml", "retrain", "t1") is Happened.NO
    assert trainings.list() == []
