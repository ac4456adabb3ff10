"""Defaults and validation of what clients send."""

from __future__ import annotations

import copy
from typing import Any

from tests.platforms.api_double import errors
from tests.platforms.api_double.store import Obj

_DEPLOYMENT = {
    "replicas": 1,
    "revisionHistoryLimit": 10,
    "progressDeadlineSeconds": 600,
}


def defaulted(resource: str, obj: Obj) -> Obj:
    obj = copy.deepcopy(obj)
    meta, spec = obj.get("metadata") or {}, obj.get("spec")
    if not isinstance(spec, dict):
        return obj
    if resource == "apps/v1/deployments":
        for key, value in _DEPLOYMENT.items():
            spec.setdefault(key, value)
        strategy = spec.setdefault("strategy", {})
        strategy.setdefault("type", "RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxSurge", "25%")
            rolling.setdefault("maxUnavailable", "25%")
    if "template" in spec:
        _pod_defaults(spec["template"].setdefault("spec", {}))
        _check_template(obj.get("kind", ""), meta.get("name", ""), spec)
    return obj


def _pod_defaults(pod: Obj) -> None:
    pod.setdefault("restartPolicy", "Always")
    pod.setdefault("terminationGracePeriodSeconds", 30)
    for box in pod.get("containers") or []:
        box.setdefault("imagePullPolicy", "IfNotPresent")
        box.setdefault("resources", {})


def _check_template(kind: str, name: str, spec: Obj) -> None:
    causes: list[str] = []
    boxes = spec["template"]["spec"].get("containers") or []
    if not boxes:
        causes.append("spec.template.spec.containers: Required value")
    for index, box in enumerate(boxes):
        if not box.get("image"):
            causes.append(f"spec.template.spec.containers[{index}].image: Required value")
        for kept, limit in ((box["resources"].get("requests"), box["resources"].get("limits")),):
            causes += _over(index, kept or {}, limit or {})
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    wanted = (spec.get("selector") or {}).get("matchLabels") or {}
    if any(labels.get(k) != v for k, v in wanted.items()):
        causes.append(
            "spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`"
        )
    if isinstance(spec.get("replicas"), int) and spec["replicas"] < 0:
        causes.append("spec.replicas: Invalid value: must be greater than or equal to 0")
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    if str(rolling.get("maxSurge")) in ("0", "0%") and str(rolling.get("maxUnavailable")) in (
        "0",
        "0%",
    ):
        causes.append(
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: may not be 0 when `maxSurge` is 0"
        )
    if causes:
        raise errors.invalid(f"{kind}.apps", name, causes)


def _over(index: int, requests: Obj, limits: Obj) -> list[str]:
    return [
        f"spec.template.spec.containers[{index}].resources.requests: Invalid value: must be less than"
        f" or equal to {key} limit"
        for key, value in requests.items()
        if key in limits and quantity(value) > quantity(limits[key])
    ]


def check_update(resource: str, before: Obj, after: Obj) -> list[str]:
    """Immutable fields; returns the warnings a server attaches."""
    if (
        resource == "apps/v1/deployments"
        and before["spec"]["selector"] != after["spec"]["selector"]
    ):
        raise errors.invalid(
            "Deployment.apps", before["metadata"]["name"], ["spec.selector: field is immutable"]
        )
    return []


_SCALE = {
    "m": 1e-3,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
}


def quantity(value: Any) -> float:
    text = str(value)
    for suffix, factor in _SCALE.items():
        if text.endswith(suffix):
            return float(text[: -len(suffix)]) * factor
    return float(text)
