"""A roll-out against the double under some circumstance: what is arranged, and what must come out."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.platforms.api_double import ApiDouble
from tests.support import RecordingAct
from tools.platforms.base import Release, RollBack, RollOut, Status
from tools.platforms.kubernetes import Kubernetes


@dataclass
class Case:
    """A roll-out from ``server:1`` to ``server:2`` under some circumstance."""

    name: str
    cause: str = ""
    """Text the status must name; empty where the roll-out must succeed."""
    image: str = "server:2"
    how: dict[str, Any] = field(default_factory=dict)
    """Behaviour of the new image."""
    old: dict[str, Any] = field(default_factory=dict)
    """Behaviour of the old image."""
    deploy: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    break_template: Callable[[dict[str, Any]], None] | None = None
    arrange: Callable[[ApiDouble], None] | None = None
    midway: Callable[[ApiDouble], None] | None = None
    replicas: int = 3
    least: int = 2
    settled: bool = True
    """Whether the old revision is whole before the roll-out begins; else it is known to be ill."""
    ends: bool = True
    """Whether the undo can become complete while the circumstance lasts."""


def pod(**parts: Any) -> Callable[[dict[str, Any]], None]:
    return lambda template: template["spec"].update(parts)


def env(kind: str, name: str, key: str) -> Callable[[dict[str, Any]], None]:
    value = {"name": "TOKEN", "valueFrom": {kind: {"name": name, "key": key}}}
    return lambda template: template["spec"]["containers"][0].setdefault("env", []).append(value)


def quota(pods: int) -> Callable[[ApiDouble], None]:
    def arrange(cluster: ApiDouble) -> None:
        cluster.add(
            "v1/resourcequotas",
            {"metadata": {"name": "q", "namespace": "ml"}, "spec": {"hard": {"pods": str(pods)}}},
        )

    return arrange


def refuse(image: str, said: str) -> Callable[[ApiDouble], None]:
    def arrange(cluster: ApiDouble) -> None:
        cluster.refusals.append(
            lambda pod: said if pod["spec"]["containers"][0]["image"] == image else None
        )

    return arrange


def _start(cluster: ApiDouble, kube: Kubernetes, case: Case) -> dict[str, Any]:
    cluster.behaves("server:1", **case.old)
    cluster.behaves(case.image, **case.how)
    cluster.deploy("digits", replicas=case.replicas, **copy.deepcopy(case.deploy))
    if case.settled:
        cluster.settle("digits")
    else:
        assert _settled(kube).phase in ("failed", "degraded")
    if case.arrange:
        case.arrange(cluster)
    return copy.deepcopy(cluster.deployment("digits")["spec"])


def _roll(cluster: ApiDouble, kube: Kubernetes, case: Case) -> Status:
    release = Release(
        "digits", "2", "sha256:beef", "/models/2", image=case.image, config=case.config
    )
    kube.edit("ml/digits", RollOut(release, case.replicas), RecordingAct("out-1"))
    if case.break_template:
        _spoil(cluster, case.break_template)
    if case.midway:
        case.midway(cluster)
    return _settled(kube)


def _spoil(cluster: ApiDouble, change: Callable[[dict[str, Any]], None]) -> None:
    cluster.edit("digits", lambda o: change(o["spec"]["template"]))


def _settled(kube: Kubernetes, seconds: float = 90.0) -> Status:
    end = time.monotonic() + seconds
    while True:
        seen = kube.status("ml/digits")
        if seen.phase in ("complete", "failed", "degraded") or time.monotonic() > end:
            return seen
        time.sleep(0.05)


def must_fail(cluster: ApiDouble, kube: Kubernetes, case: Case) -> Status:
    """The roll-out fails with its cause, never serves less than allowed, and is undone whole."""
    before = _start(cluster, kube, case)
    began = cluster.clock.seconds()
    seen = _roll(cluster, kube, case)
    assert seen.phase in ("failed", "degraded"), seen
    assert case.cause in seen.message
    assert cluster.least_ready("digits", began) >= case.least
    kube.edit("ml/digits", RollBack(1), RecordingAct("back-1"))
    assert cluster.deployment("digits")["spec"] == before
    if case.ends:
        _undone(cluster, kube)
        assert cluster.least_ready("digits", began) >= case.least
    return seen


def _undone(cluster: ApiDouble, kube: Kubernetes) -> None:
    """The undo becomes complete, and on its way there never looks like a failure."""
    end = time.monotonic() + 90
    while (seen := kube.status("ml/digits")).phase != "complete":
        assert seen.phase != "failed", seen
        assert time.monotonic() < end, seen
        time.sleep(0.02)
    cluster.settle("digits")


def must_complete(cluster: ApiDouble, kube: Kubernetes, case: Case) -> None:
    """The roll-out completes, whatever it looked like on its way."""
    _start(cluster, kube, case)
    began = cluster.clock.seconds()
    seen = _roll(cluster, kube, case)
    assert seen.phase == "complete", seen
    assert seen.release.version == "2"
    assert seen.ready == case.replicas
    assert len(cluster.pods("digits")) == case.replicas
    if case.replicas:
        assert cluster.least_ready("digits", began) >= case.least
