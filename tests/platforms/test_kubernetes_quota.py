"""Quotas: a roll-out finds its way where one forbids extra replicas, and says so beforehand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.platforms.api_double import ApiDouble
from tests.platforms.rollout import quota
from tests.support import RecordingAct
from tools.platforms.base import Preview, Release, RollOut
from tools.platforms.kubernetes import Kubernetes
from tools.platforms.kubernetes_quota import quantity, room

RELEASE = Release("digits", "2", "sha256:beef", "/models/2", image="server:2")


def _rolling(surge: Any, missing: Any) -> dict[str, Any]:
    how = {"maxSurge": surge, "maxUnavailable": missing}
    return {"strategy": {"type": "RollingUpdate", "rollingUpdate": how}}


def _planned(cluster: ApiDouble, kube: Kubernetes, pods: int, **spec: Any) -> Preview:
    quota(pods)(cluster)
    cluster.deploy("digits", **spec)
    cluster.settle("digits")
    cluster.until(lambda: cluster.store.all("v1/resourcequotas")[0].get("status"))
    return kube.preview("ml/digits", RollOut(RELEASE, 3))


def test_without_room_for_extra_replicas_old_ones_leave_first(
    cluster: ApiDouble, kube: Kubernetes
) -> None:
    seen = _planned(cluster, kube, 3, **_rolling(1, 1))
    assert "+ strategy.rollingUpdate.maxSurge: 0" in seen.diff
    assert seen.least == 2
    assert any("quota q (pods: 3 allowed, 3 used)" in w for w in seen.warnings)
    kube.edit("ml/digits", RollOut(RELEASE, 3), RecordingAct("a-1"))
    cluster.until(lambda: kube.status("ml/digits").phase == "complete")
    assert kube.status("ml/digits").release.version == "2"


def test_no_more_extra_replicas_than_there_is_room_for(
    cluster: ApiDouble, kube: Kubernetes
) -> None:
    seen = _planned(cluster, kube, 4, **_rolling(2, 0))
    assert "+ strategy.rollingUpdate.maxSurge: 1" in seen.diff
    assert seen.least == 3


def test_where_none_may_be_missing_the_card_says_what_will_happen(
    cluster: ApiDouble, kube: Kubernetes
) -> None:
    seen = _planned(cluster, kube, 3, **_rolling(1, 0))
    assert "maxSurge" not in seen.diff
    assert seen.least == 3
    assert any("will refuse it (quota)" in w for w in seen.warnings)


def test_a_quota_with_room_changes_nothing(cluster: ApiDouble, kube: Kubernetes) -> None:
    seen = _planned(cluster, kube, 10, **_rolling(1, 1))
    assert "maxSurge" not in seen.diff
    assert not [w for w in seen.warnings if "quota" in w]


def test_without_the_right_to_quotas_a_roll_out_is_planned_all_the_same(
    cluster: ApiDouble, kube: Kubernetes
) -> None:
    cluster.faults.forbidden.add(("list", "resourcequotas"))
    assert _planned(cluster, kube, 3, **_rolling(1, 1)).least == 2


@pytest.mark.parametrize(
    ("hard", "used", "pods"),
    [
        ({"pods": "5"}, {"pods": "3"}, 2),
        ({"requests.cpu": "2"}, {"requests.cpu": "500m"}, 3),
        ({"memory": "1Gi"}, {"memory": "768Mi"}, 2),
        ({"limits.memory": "1Gi"}, {"limits.memory": "900Mi"}, 0),
        ({"requests.nvidia.com/gpu": "4"}, {"requests.nvidia.com/gpu": "4"}, 0),
        ({"pods": "2", "count/secrets": "1"}, {"pods": "3"}, 0),
    ],
)
def test_room_by_resource(hard: dict[str, str], used: dict[str, str], pods: int) -> None:
    limits = {"memory": "128Mi", "nvidia.com/gpu": "1"}
    box = {"resources": {"requests": {"cpu": "500m"}, "limits": limits}}
    seen = {"metadata": {"name": "q"}, "status": {"hard": hard, "used": used}}
    assert room([seen], {"spec": {"containers": [box]}}).pods == pods


def test_init_containers_count_by_the_largest() -> None:
    def box(cpu: str) -> dict[str, Any]:
        return {"resources": {"requests": {"cpu": cpu}}}

    hard = {"metadata": {"name": "q"}, "status": {"hard": {"cpu": "6"}, "used": {}}}
    template = {"spec": {"containers": [box("1"), box("500m")], "initContainers": [box("2")]}}
    assert room([hard], template).pods == 3


@pytest.mark.parametrize(
    ("text", "value"), [("500m", 0.5), ("2Gi", 2**31), ("1e3", 1000), ("4", 4), ("?", 0), (7, 7)]
)
def test_quantities(text: Any, value: float) -> None:
    assert float(quantity(text)) == value
