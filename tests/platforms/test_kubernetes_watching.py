"""How long a roll-out is watched, and what is seen of faults that come late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.platforms.api_double import ApiDouble
from tests.support import RecordingAct
from tools.platforms import kubernetes_canary
from tools.platforms.base import PlatformEvent, Release, RollOut
from tools.platforms.kubernetes import Kubernetes
from tools.platforms.kubernetes_box_causes import relapse
from tools.platforms.kubernetes_pace import Pace, pace
from tools.platforms.kubernetes_pods import read_pod
from tools.platforms.kubernetes_settings import batches, settings_for
from tools.platforms.kubernetes_template import Shape

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RELEASE = Release("digits", "2", "sha256:beef", "/models/2", image="server:2")
LIVE = {"livenessProbe": {"periodSeconds": 10, "failureThreshold": 3}}
ONE_MISSING = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}


def watched(replicas: int, box: dict[str, Any], how: str = "rolling", **before: Any) -> int:
    template = {"spec": {"containers": [{"name": "server", **box}]}}
    edit = RollOut(RELEASE, replicas, how)  # type: ignore[arg-type]
    return settings_for(before, edit, template, Shape())["minReadySeconds"]


@pytest.mark.parametrize("replicas", [1, 2, 3, 4, 7, 10, 50])
@pytest.mark.parametrize("box", [{}, LIVE], ids=["no probe", "liveness"])
@pytest.mark.parametrize("how", ["rolling", "blue_green"])
@pytest.mark.parametrize("before", [{}, {"strategy": ONE_MISSING}], ids=["usual", "no surge"])
def test_the_last_old_replica_stays_until_a_late_fault_would_have_shown(
    replicas: int, box: dict[str, Any], how: str, before: dict[str, Any]
) -> None:
    seconds = watched(replicas, box, how, **before)
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0}}
    strategy = rolling if how == "blue_green" else before.get("strategy", {})
    assert seconds * batches(strategy, replicas) >= (125 if box else 90)
    assert 30 <= seconds <= 150


def test_a_team_that_chose_is_not_overruled() -> None:
    assert watched(1, {}, minReadySeconds=200) == 200
    assert watched(3, {}, strategy={"type": "Recreate"}) == 30  # no old one is left to hold
    template = {"spec": {"containers": [{"name": "server"}]}}
    after = settings_for({}, RollOut(RELEASE, 1), template, Shape(min_ready=5))
    assert after["minReadySeconds"] == 5


def test_a_grace_period_is_time_for_leaving_and_not_for_starting() -> None:
    pod = {"terminationGracePeriodSeconds": 600, "containers": [{"name": "server"}]}
    found = pace({"kind": "Deployment", "spec": {"replicas": 3, "template": {"spec": pod}}})
    assert found.leaving == timedelta(seconds=600)
    assert found.patience == timedelta(seconds=180)


def restarted(ran: float, ready_after: float, since: float = 20, **ended: Any) -> Any:
    """A pod that is ready, whose container runs for the second time since ``since`` seconds ago."""

    def at(seconds: float) -> str:
        return f"{NOW - timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"

    last = {"startedAt": at(since + ran), "finishedAt": at(since), "reason": "Error", **ended}
    box = {
        "name": "server",
        "ready": True,
        "started": True,
        "restartCount": 1,
        "state": {"running": {"startedAt": at(since)}},
        "lastState": {"terminated": last},
    }
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": at(since - ready_after)}
    meta = {"name": "p", "uid": "u", "creationTimestamp": at(since + ran + 1)}
    status = {"phase": "Running", "conditions": [ready], "containerStatuses": [box]}
    return read_pod({"metadata": meta, "spec": {"containers": []}, "status": status})


def test_a_crash_is_believed_though_the_container_serves_again() -> None:
    found = relapse(restarted(60, 2, exitCode=3), (), NOW)
    assert found is not None
    assert found.text.startswith("crash loop: container server exits with 3, after it had been")
    assert found.final(NOW)


def test_a_liveness_probe_that_ended_it_is_named() -> None:
    said = "Container server failed liveness probe, will be restarted"
    events = [
        PlatformEvent(NOW, "Pod/p", "warning", "Unhealthy", "Liveness probe failed: 503"),
        PlatformEvent(NOW, "Pod/p", "normal", "Killing", said),
    ]
    found = relapse(restarted(60, 2, exitCode=143), events, NOW)
    assert found is not None
    assert found.text.startswith("probe failing: Liveness probe failed: 503, after it had been")


@pytest.mark.parametrize(
    "pod",
    [
        restarted(10, 2, exitCode=1),  # a dependency came late
        restarted(60, 55, exitCode=1),  # it takes a minute to become ready, so it never was
        restarted(60, 2, since=3600, exitCode=1),  # long before this roll-out
        restarted(60, 2, exitCode=143),  # told to stop, and nobody says by which probe
    ],
    ids=["early", "never ready", "long ago", "told to"],
)
def test_other_restarts_of_a_container_that_serves_tell_nothing(pod: Any) -> None:
    assert relapse(pod, (), NOW) is None


def test_a_container_that_could_not_start_never_served() -> None:
    epoch = "1970-01-01T00:00:00Z"
    ended = {"exitCode": 128, "reason": "StartError", "startedAt": epoch, "message": "exec: x"}
    box = {"name": "server", "restartCount": 0, "state": {"terminated": ended}}
    made = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
    condition = {"type": "Ready", "status": "False", "lastTransitionTime": made}
    status = {"phase": "Running", "conditions": [condition], "containerStatuses": [box]}
    meta = {"name": "p", "uid": "u", "creationTimestamp": made}
    assert (
        read_pod({"metadata": meta, "spec": {"containers": []}, "status": status}).dropped is None
    )


def test_a_canary_that_never_gets_ready_goes_when_any_replica_would(
    cluster: ApiDouble, kube: Kubernetes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    quick = Pace(3, 1, timedelta(seconds=2), timedelta())
    monkeypatch.setattr(kubernetes_canary, "pace", lambda work: quick)
    cluster.behaves("server:2", never_ready="connect: connection refused")
    cluster.deploy("digits", replicas=4)
    cluster.settle("digits")
    edit = RollOut(RELEASE, 4, "canary", steps=(0.25, 1.0), pause=timedelta(seconds=0.2))
    kube.edit("ml/digits", edit, RecordingAct("a"))
    seen = cluster.until(lambda: (s := kube.status("ml/digits")).phase == "failed" and s, 30)
    assert seen.message.startswith("canary rolled back at 25%: probe failing")
