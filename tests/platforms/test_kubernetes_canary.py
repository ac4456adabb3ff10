"""Canaries on plain Deployments: good ones reach everything, bad ones go at the first step."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.platforms.api_double import ApiDouble
from tests.support import RecordingAct
from tools.contract import Happened
from tools.errors import Refused
from tools.platforms.base import Pause, Release, Resume, RollBack, RollOut
from tools.platforms.kubernetes import Kubernetes
from tools.platforms.kubernetes_api import Api
from tools.platforms.kubernetes_canary_state import STATE, state_of
from tools.platforms.kubernetes_connection import Access
from tools.serving.metrics import Metrics

RELEASE = Release("digits", "2", "sha256:beef", "/models/2", image="server:2")


def canary(steps: tuple[float, ...] = (0.25, 1.0)) -> RollOut:
    return RollOut(RELEASE, 4, "canary", steps=steps, pause=timedelta(seconds=0.2), min_requests=20)


def traffic(
    requests: int = 100, errors: int = 0, seconds: float = 0.01, right: float = 0.95
) -> str:
    counters = Metrics("digits")
    for number in range(requests):
        counters.observe("x", "error" if number < errors else "ok", seconds)
    counters.label("x", round(requests * right), requests)
    return counters.render({})


@pytest.fixture
def ready(cluster: ApiDouble) -> ApiDouble:
    cluster.behaves("server:1", metrics=traffic())
    cluster.deploy("digits", replicas=4)
    cluster.settle("digits")
    return cluster


def gone(cluster: ApiDouble) -> bool:
    return cluster.store.find("apps/v1/deployments", "ml", "digits-canary") is None


def test_a_good_version_reaches_everything(ready: ApiDouble, kube: Kubernetes) -> None:
    ready.behaves("server:2", metrics=traffic())
    began = ready.clock.seconds()
    kube.edit("ml/digits", canary(), RecordingAct("a"))
    seen = kube.status("ml/digits")
    assert seen.phase == "progressing"
    assert seen.action_id == "a"
    ready.until(
        lambda: (s := kube.status("ml/digits")).phase == "complete" and s.release.version == "2", 30
    )
    assert gone(ready)
    assert ready.least_ready("digits", began) >= 3
    assert [d.ref for d in kube.deployments()] == ["ml/digits"]


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"metrics": traffic(errors=30)}, "error rate"),
        ({"metrics": traffic(seconds=0.2)}, "p95 latency"),
        ({"metrics": traffic(right=0.5)}, "quality"),
        ({"exit_code": 1}, "crash loop"),
        ({"pull": "not found"}, "image cannot be pulled"),
    ],
)
def test_a_bad_version_is_rolled_back_and_says_why(
    ready: ApiDouble, kube: Kubernetes, how: dict[str, Any], word: str
) -> None:
    ready.behaves("server:2", **how)
    before = ready.deployment("digits")["spec"]
    kube.edit("ml/digits", canary(), RecordingAct("a"))
    seen = ready.until(lambda: (s := kube.status("ml/digits")).phase == "failed" and s, 30)
    assert seen.message.startswith("canary rolled back at 25%")
    assert word in seen.message
    assert ready.deployment("digits")["spec"] == before
    assert ready.until(lambda: gone(ready))
    assert kube.happened("ml/digits", "a") is Happened.YES
    kube.edit("ml/digits", canary(), RecordingAct("a"))
    assert gone(ready)
    kube.edit("ml/digits", RollBack(1), RecordingAct("b"))
    ready.until(lambda: kube.status("ml/digits").phase == "complete")


def test_a_paused_canary_stays_and_goes_on(ready: ApiDouble, kube: Kubernetes) -> None:
    ready.behaves("server:2", metrics=traffic(), ready_after=20.0)
    kube.edit("ml/digits", canary(), RecordingAct("a"))
    kube.edit("ml/digits", Pause(), RecordingAct("p"))
    assert kube.status("ml/digits").phase == "paused"
    with pytest.raises(Refused, match="canary under way"):
        kube.edit("ml/digits", canary(), RecordingAct("other"))
    kube.edit("ml/digits", Resume(), RecordingAct("r"))
    ready.until(
        lambda: (s := kube.status("ml/digits")).phase == "complete" and s.release.version == "2", 30
    )


def test_an_aborted_canary_leaves_no_trace_of_itself(ready: ApiDouble, kube: Kubernetes) -> None:
    ready.behaves("server:2", metrics=traffic(), ready_after=200.0)
    kube.edit("ml/digits", canary(), RecordingAct("a"))
    kube.abort("ml/digits", RecordingAct("stop"))
    ready.until(lambda: gone(ready) and kube.status("ml/digits").phase == "complete")
    assert kube.status("ml/digits").release.version is None
    assert kube.happened("ml/digits", "stop") is Happened.YES


def test_another_steward_finishes_what_a_dead_driver_began(
    ready: ApiDouble, kube: Kubernetes, tmp_path: Path
) -> None:
    ready.behaves("server:2", metrics=traffic())
    work = {**ready.deployment("digits"), "kind": "Deployment"}
    canaries = kube._canaries
    canaries.drive = lambda work: None  # type: ignore[method-assign]
    kube.edit("ml/digits", canary(), RecordingAct("a"))
    made = ready.store.get("apps/v1/deployments", "ml", "digits-canary")
    state = state_of(made)
    assert state is not None
    dead = json.dumps(
        {
            **json.loads(made["metadata"]["annotations"][STATE]),
            "driver": "dead",
            "renewed": 1.0,
            "promoting": True,
        }
    )
    ready.store.edit(
        "apps/v1/deployments", made, lambda o: o["metadata"]["annotations"].update({STATE: dead})
    )
    other = Kubernetes("kube", Api(Access("kube", str(ready.kubeconfig(tmp_path)))), ["ml"])
    other._canaries.drive(work)
    ready.until(
        lambda: (s := other.status("ml/digits")).phase == "complete" and s.release.version == "2",
        30,
    )
    assert gone(ready)
