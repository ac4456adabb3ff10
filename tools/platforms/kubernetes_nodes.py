"""Nodes: list, cordon, and drain by eviction, so that disruption budgets hold."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from tools.contract import Act, Happened
from tools.errors import Failed, Refused, unknown
from tools.platforms.base import Node, Preview
from tools.platforms.kubernetes_api import Api
from tools.platforms.kubernetes_errors import Conflict, Missing, Throttled
from tools.platforms.kubernetes_objects import (
    Obj,
    actions_of,
    at,
    condition,
    controller,
    many,
    name_of,
    namespace_of,
    note,
    table,
    with_action,
)
from tools.platforms.kubernetes_refusals import short
from tools.platforms.kubernetes_request import MERGE_PATCH, api_path

PATIENCE = timedelta(minutes=10)
"""How long a drain waits for budgets and for pods to end."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """What a drain does to the pods of a node."""

    evict: tuple[Obj, ...]
    stay: tuple[str, ...]
    bare: tuple[str, ...]
    """Pods without a controller: nothing would start them again."""
    scratch: tuple[str, ...]
    """Pods whose emptyDir contents are lost."""


class Machines:
    """The nodes of one cluster."""

    def __init__(self, api: Api, patience: timedelta = PATIENCE) -> None:
        self._api = api
        self._patience = patience

    def list(self) -> list[Node]:
        """Every node with its pods counted."""
        pods: Counter[str] = Counter()
        for pod in self._api.items(api_path("v1", None, "pods"), {"fieldSelector": _ALIVE}):
            pods[str(at(pod, "spec", "nodeName"))] += 1
        return [_node(n, pods[name_of(n)]) for n in self._api.items(api_path("v1", None, "nodes"))]

    def _read(self, name: str) -> Obj:
        try:
            return self._api.get(_path(name))
        except Missing:
            known = [name_of(n) for n in self._api.items(api_path("v1", None, "nodes"))]
            raise unknown("node", name, known, "节点") from None

    def set_schedulable(self, name: str, schedulable: bool, act: Act) -> str:
        """Cordon or uncordon; idempotent under the same action."""
        word = "takes new pods again" if schedulable else "takes no new pods"
        for _ in range(5):
            act.check()
            node = self._read(name)
            if act.id in actions_of(node):
                return f"Node {name} carries this action already."
            body = {
                "metadata": {
                    "resourceVersion": at(node, "metadata", "resourceVersion"),
                    "uid": at(node, "metadata", "uid"),
                    "annotations": with_action(node, act.id),
                },
                "spec": {"unschedulable": None if schedulable else True},
            }
            try:
                self._api.patch(_path(name), body, kind=MERGE_PATCH)
            except Conflict:  # the kubelet reports its status all the time
                continue
            return f"Node {name} {word}."
        raise Refused(f"Node {name} changes too fast to be edited; try again.")

    def happened(self, name: str, action_id: str) -> Happened:
        """Does the node carry the action?"""
        node = self._api.find(_path(name))
        if node is None:
            return Happened.UNSURE
        return Happened.YES if action_id in actions_of(node) else Happened.NO

    def leaving(self, name: str) -> Leaving:
        """The pods of a node, sorted by what a drain does to them."""
        self._read(name)
        query = {"fieldSelector": f"spec.nodeName={name},{_ALIVE}"}
        evict: list[Obj] = []
        stay: list[str] = []
        for pod in self._api.items(api_path("v1", None, "pods"), query):
            if note(pod, "kubernetes.io/config.mirror") or controller(pod)[0] == "DaemonSet":
                stay.append(_ref(pod))
            else:
                evict.append(pod)
        evict.sort(key=_ref)
        return Leaving(
            tuple(evict),
            tuple(sorted(stay)),
            tuple(_ref(p) for p in evict if not controller(p)[0]),
            tuple(
                _ref(p) for p in evict if any("emptyDir" in v for v in many(p, "spec", "volumes"))
            ),
        )

    def drain_preview(self, name: str) -> Preview:
        """Which pods go, and what stands in the way."""
        found = self.leaving(name)
        lines = [f"- evict {_ref(pod)}" for pod in found.evict]
        lines += [f"  keep {ref} (DaemonSet or static)" for ref in found.stay]
        warnings: list[str] = []
        if found.bare:
            warnings.append(f"no controller would start these again: {', '.join(found.bare[:5])}")
        if found.scratch:
            warnings.append(f"emptyDir data is lost in {', '.join(found.scratch[:5])}")
        warnings += self._budgets(found.evict)
        return Preview("\n".join(lines), tuple(warnings))

    def _budgets(self, pods: Sequence[Obj]) -> list[str]:
        found: list[str] = []
        for namespace in sorted({str(namespace_of(p)) for p in pods}):
            path = api_path("policy/v1", namespace, "poddisruptionbudgets")
            for budget in self._api.items(path, most=500):
                labels = table(budget, "spec", "selector", "matchLabels")
                hit = [p for p in pods if namespace_of(p) == namespace and _matches(p, labels)]
                allowed = at(budget, "status", "disruptionsAllowed") or 0
                if hit and labels and not allowed:
                    found.append(
                        f"PodDisruptionBudget {namespace}/{name_of(budget)} allows no disruption now;"
                        f" {len(hit)} pods wait for it"
                    )
        return found

    def drain(self, name: str, act: Act) -> str:
        """Cordon, then evict until the node is empty; budgets that say no are asked again."""
        bare = self.leaving(name).bare
        if bare:
            raise Refused(
                f"{', '.join(bare[:5])} on {name} have no controller and would be gone for good;"
                " delete or move them first.",
                f"{name} 上的 {'、'.join(bare[:5])} 没有控制器，驱逐后不会重建；请先处理它们。",
            )
        self.set_schedulable(name, False, act)
        total = len(self.leaving(name).evict)
        end = time.monotonic() + self._patience.total_seconds()
        while True:
            act.check()
            left = self.leaving(name).evict
            if not left:
                return f"Node {name} is drained: {total} pods were evicted."
            refused = self._evict(left)
            act.progress(
                f"{total - len(left)} of {total} pods have left {name}",
                1 - len(left) / max(total, 1),
            )
            if time.monotonic() > end:
                why = refused or f"{_ref(left[0])} does not end"
                raise Failed(
                    f"{len(left)} of {total} pods are still on {name} after"
                    f" {self._patience.total_seconds() / 60:.0f} minutes: {why}. The node stays"
                    " cordoned.",
                    f"{self._patience.total_seconds() / 60:.0f} 分钟后 {name} 上仍有 {len(left)} 个 Pod：{why}。"
                    "节点保持停止调度。",
                )
            time.sleep(1.0)

    def _evict(self, pods: Sequence[Obj]) -> str:
        refused = ""
        for pod in pods:
            if at(pod, "metadata", "deletionTimestamp"):
                continue
            body = {
                "apiVersion": "policy/v1",
                "kind": "Eviction",
                "metadata": {"name": name_of(pod), "namespace": namespace_of(pod)},
                "deleteOptions": {"preconditions": {"uid": at(pod, "metadata", "uid")}},
            }
            path = api_path("v1", namespace_of(pod), "pods", name_of(pod), "eviction")
            try:
                self._api.create(path, body)
            except Throttled as error:
                refused = short(str(error), 200)
            except (Missing, Conflict):
                continue  # it has gone, or another pod has its name now
        return refused


_ALIVE = "status.phase!=Succeeded,status.phase!=Failed"


def _path(name: str) -> str:
    return api_path("v1", None, "nodes", name)


def _ref(pod: Obj) -> str:
    return f"{namespace_of(pod)}/{name_of(pod)}"


def _matches(pod: Obj, labels: Obj) -> bool:
    own = table(pod, "metadata", "labels")
    return all(own.get(k) == v for k, v in labels.items())


def _node(obj: Obj, pods: int) -> Node:
    ready = condition(obj, "Ready")
    # The control plane adds and removes taints of its own, which nobody edited.
    taints = [t for t in many(obj, "spec", "taints") if "kubernetes.io/" not in str(t.get("key"))]
    wanted = {"unschedulable": bool(at(obj, "spec", "unschedulable")), "taints": taints}
    edition = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:12]
    pressed = [
        str(c["type"])
        for c in many(obj, "status", "conditions")
        if c.get("type") != "Ready" and c.get("status") == "True"
    ]
    says = (
        ""
        if ready.get("status") == "True"
        else short(str(ready.get("message") or "not ready"), 120)
    )
    return Node(
        name=name_of(obj),
        ready=ready.get("status") == "True",
        schedulable=not wanted["unschedulable"],
        uid=str(at(obj, "metadata", "uid")),
        generation=edition,
        pods=pods,
        gpus=int(at(obj, "status", "allocatable", "nvidia.com/gpu") or 0),
        message="; ".join([says, *pressed] if says else pressed),
    )
