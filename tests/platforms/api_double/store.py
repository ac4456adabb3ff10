"""Objects with resource versions, generations and a log for watches."""

from __future__ import annotations

import base64
import copy
import json
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from tests.platforms.api_double import errors
from tests.platforms.api_double.clock import ClusterClock

Obj = dict[str, Any]

KINDS = {
    "v1/pods": "Pod",
    "v1/events": "Event",
    "v1/nodes": "Node",
    "v1/services": "Service",
    "v1/secrets": "Secret",
    "v1/configmaps": "ConfigMap",
    "v1/namespaces": "Namespace",
    "v1/persistentvolumeclaims": "PersistentVolumeClaim",
    "v1/resourcequotas": "ResourceQuota",
    "apps/v1/deployments": "Deployment",
    "apps/v1/replicasets": "ReplicaSet",
    "apps/v1/statefulsets": "StatefulSet",
    "apps/v1/daemonsets": "DaemonSet",
    "batch/v1/jobs": "Job",
    "policy/v1/poddisruptionbudgets": "PodDisruptionBudget",
    "autoscaling/v2/horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "argoproj.io/v1alpha1/rollouts": "Rollout",
    "serving.kserve.io/v1beta1/inferenceservices": "InferenceService",
    "trainer.kubeflow.org/v1alpha1/trainjobs": "TrainJob",
}
CLUSTER_WIDE = ("v1/nodes", "v1/namespaces")
COUNTED = (
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "Pod",
    "Rollout",
    "InferenceService",
    "TrainJob",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
)


class Store:
    def __init__(self, clock: ClusterClock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.version = 1000
        self.compacted = 0
        self.log: deque[tuple[int, str, str, Obj]] = deque(maxlen=20_000)
        self._objects: dict[str, dict[tuple[str, str], Obj]] = {r: {} for r in KINDS}
        self._bytes: dict[tuple[str, str, str], tuple[str, bytes]] = {}
        self.on_create: list[Callable[[str, Obj], None]] = []

    def get(self, resource: str, namespace: str | None, name: str) -> Obj:
        with self.lock:
            found = self._objects[resource].get((namespace or "", name))
            if found is None:
                raise errors.not_found(resource, name)
            return found

    def find(self, resource: str, namespace: str | None, name: str) -> Obj | None:
        return self._objects[resource].get((namespace or "", name))

    def all(self, resource: str, namespace: str | None = None) -> list[Obj]:
        with self.lock:
            found = self._objects[resource].values()
            if namespace is None:
                return list(found)
            return [o for o in found if o["metadata"].get("namespace") == namespace]

    def items(self, resource: str, namespace: str | None) -> Iterator[tuple[tuple[str, str], Obj]]:
        with self.lock:
            rows = sorted(self._objects[resource].items())
        for key, obj in rows:
            if not namespace or key[0] == namespace:
                yield key, obj

    def encoded(self, resource: str, key: tuple[str, str], obj: Obj) -> bytes:
        version = obj["metadata"]["resourceVersion"]
        slot = (resource, *key)
        held = self._bytes.get(slot)
        if held is None or held[0] != version:
            bare = {k: v for k, v in obj.items() if k not in ("kind", "apiVersion")}
            held = (version, json.dumps(bare, separators=(",", ":")).encode())
            self._bytes[slot] = held
        return held[1]

    def create(self, resource: str, obj: Obj, *, manager: str = "", dry_run: bool = False) -> Obj:
        with self.lock:
            obj = copy.deepcopy(obj)
            meta = obj.setdefault("metadata", {})
            if "name" not in meta:
                meta["name"] = meta["generateName"] + uuid.uuid4().hex[:5]
            namespace = "" if resource in CLUSTER_WIDE else meta.setdefault("namespace", "default")
            if (namespace, meta["name"]) in self._objects[resource]:
                raise errors.exists(resource, meta["name"])
            for hook in self.on_create:
                hook(resource, obj)
            meta["uid"] = str(uuid.uuid4())
            meta["creationTimestamp"] = self.clock.text()
            obj["kind"] = KINDS[resource]
            obj["apiVersion"] = resource.rpartition("/")[0]
            if obj["kind"] in COUNTED:
                meta["generation"] = 1
            self._manage(obj, manager, "")
            if dry_run:
                return obj
            self._put(resource, "ADDED", obj)
            return obj

    def replace(
        self,
        resource: str,
        before: Obj,
        after: Obj,
        *,
        manager: str = "",
        subresource: str = "",
        dry_run: bool = False,
    ) -> Obj:
        """Store ``after`` in place of ``before``; the caller holds the lock and read ``before``."""
        after = copy.deepcopy(after)
        meta, old = after["metadata"], before["metadata"]
        meta.update({k: old[k] for k in ("uid", "creationTimestamp", "name") if k in old})
        if "generation" in old:
            meta["generation"] = old["generation"]
        if subresource == "status":
            after = {**copy.deepcopy(before), "status": after.get("status", {})}
            after["metadata"]["annotations"] = meta.get("annotations", {})
            meta = after["metadata"]
        elif before.get("status") is not None and subresource != "all":
            after["status"] = copy.deepcopy(before["status"])
        edited = after.get("spec") != before.get("spec")
        if resource == "apps/v1/deployments" and not subresource:
            # as the API server: annotations are copied to ReplicaSets, so they count as an edit
            edited = edited or meta.get("annotations") != old.get("annotations")
        if edited and "generation" in old:
            meta["generation"] = old["generation"] + 1
        if _same(before, after):
            return after
        self._manage(after, manager, subresource)
        if dry_run:
            return after
        self._put(resource, "MODIFIED", after)
        return after

    def edit(
        self, resource: str, obj: Obj, change: Callable[[Obj], None], status: bool = True
    ) -> Obj:
        """What controllers do: read, change, write, under the lock."""
        with self.lock:
            meta = obj["metadata"]
            before = self.find(resource, meta.get("namespace"), meta["name"])
            if before is None or before["metadata"]["uid"] != meta["uid"]:
                return obj
            after = copy.deepcopy(before)
            change(after)
            return self.replace(resource, before, after, subresource="all")

    def remove(self, resource: str, obj: Obj) -> None:
        with self.lock:
            meta = obj["metadata"]
            key = ("" if resource in CLUSTER_WIDE else meta["namespace"], meta["name"])
            held = self._objects[resource].get(key)
            if held is None or held["metadata"]["uid"] != meta["uid"]:
                return
            del self._objects[resource][key]
            self._bytes.pop((resource, *key), None)
            self.version += 1
            gone = copy.deepcopy(held)
            gone["metadata"]["resourceVersion"] = str(self.version)
            self.log.append((self.version, resource, "DELETED", gone))
            self.changed.notify_all()

    def delete(self, resource: str, obj: Obj, grace: float | None = None) -> None:
        """As a client's DELETE: pods on a node and objects with finalizers only begin to go."""
        with self.lock:
            meta = obj["metadata"]
            placed = resource == "v1/pods" and obj["spec"].get("nodeName")
            if not placed and not meta.get("finalizers"):
                self.remove(resource, obj)
                return
            if "deletionTimestamp" in meta:
                return
            seconds = (
                grace if grace is not None else obj["spec"].get("terminationGracePeriodSeconds", 30)
            )

            def mark(o: Obj) -> None:
                o["metadata"]["deletionTimestamp"] = self.clock.text(seconds)
                o["metadata"]["deletionGracePeriodSeconds"] = seconds

            self.edit(resource, obj, mark)

    def compact(self) -> None:
        """Forget the past: watches and continue tokens from before are answered with 410."""
        with self.lock:
            self.compacted = self.version
            self.log.clear()
            self.changed.notify_all()

    def token(self, key: tuple[str, str]) -> str:
        return base64.b64encode(json.dumps([self.version, key]).encode()).decode()

    def after(self, token: str) -> tuple[str, str]:
        version, key = json.loads(base64.b64decode(token))
        if version < self.compacted:
            raise errors.expired()
        return tuple(key)

    def _put(self, resource: str, event: str, obj: Obj) -> None:
        self.version += 1
        meta = obj["metadata"]
        meta["resourceVersion"] = str(self.version)
        key = ("" if resource in CLUSTER_WIDE else meta["namespace"], meta["name"])
        self._objects[resource][key] = obj
        self.log.append((self.version, resource, event, obj))
        self.changed.notify_all()

    def _manage(self, obj: Obj, manager: str, subresource: str) -> None:
        if not manager:
            return
        fields = obj["metadata"].setdefault("managedFields", [])
        fields[:] = [
            f for f in fields if (f["manager"], f.get("subresource", "")) != (manager, subresource)
        ]
        entry = {
            "manager": manager,
            "operation": "Update",
            "time": self.clock.text(),
            "fieldsV1": {},
        }
        fields.append({**entry, "subresource": subresource} if subresource else entry)


def _same(a: Obj, b: Obj) -> bool:
    def bare(o: Obj) -> Obj:
        meta = {
            k: v for k, v in o["metadata"].items() if k not in ("resourceVersion", "managedFields")
        }
        return {**o, "metadata": meta}

    return bare(a) == bare(b)
