"""The Deployment and ReplicaSet controllers, garbage collection, and budgets.

A port in behaviour, not in code: fenceposts, proportions, revision numbers, conditions and their
reasons follow the documented behaviour of kube-controller-manager.
"""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

from tests.platforms.api_double.errors import ApiError
from tests.platforms.api_double.store import Obj, Store

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"


class Controllers:
    def __init__(self, store: Store, events: Any) -> None:
        self.store = store
        self.events = events

    def step(self) -> None:
        for deployment in self.store.all("apps/v1/deployments"):
            self._deployment(deployment)
        for rs in self.store.all("apps/v1/replicasets"):
            self._replica_set(rs)
        for resource in ("apps/v1/statefulsets", "apps/v1/daemonsets"):
            for work in self.store.all(resource):
                self._direct(resource, work)
        self._collect()
        self._budgets()
        self._quotas()

    def _quotas(self) -> None:
        """What quotas report: their limits, and how many pods count against them."""
        for quota in self.store.all("v1/resourcequotas"):
            pods = self.store.all("v1/pods", quota["metadata"]["namespace"])
            live = [p for p in pods if p["status"].get("phase") not in ("Succeeded", "Failed")]
            said = {"hard": dict(quota["spec"]["hard"]), "used": {"pods": str(len(live))}}
            if quota.get("status") != said:
                self.store.edit("v1/resourcequotas", quota, lambda o, s=said: o.update(status=s))

    # Deployments

    def _deployment(self, dep: Obj) -> None:
        spec = dep["spec"]
        owned = [
            r
            for r in self.store.all("apps/v1/replicasets", dep["metadata"]["namespace"])
            if _owner(r) == dep["metadata"]["uid"]
        ]
        new = next((r for r in owned if _template(r) == spec["template"]), None)
        old = [r for r in owned if r is not new]
        if not spec.get("paused"):
            new = self._new_set(dep, new, old)
            old = [r for r in owned if r["metadata"]["uid"] != new["metadata"]["uid"]]
            if spec["strategy"]["type"] == "Recreate":
                self._recreate(dep, new, old)
            else:
                self._rolling(dep, new, old)
            self._trim(dep, old)
        elif new is not None:
            self._size(new, spec["replicas"] - sum(r["spec"]["replicas"] for r in old))
        fresh = self.store.find(
            "apps/v1/deployments", dep["metadata"]["namespace"], dep["metadata"]["name"]
        )
        self._status(dep, (fresh or dep).get("status") or {}, new, old)

    def _new_set(self, dep: Obj, new: Obj | None, old: list[Obj]) -> Obj:
        highest = max((_revision(r) for r in old), default=0)
        if new is None:
            digest = hashlib.sha256(
                json.dumps(dep["spec"]["template"], sort_keys=True).encode()
            ).hexdigest()[:10]
            template = copy.deepcopy(dep["spec"]["template"])
            template.setdefault("metadata", {}).setdefault("labels", {})[HASH] = digest
            selector = copy.deepcopy(dep["spec"]["selector"])
            selector.setdefault("matchLabels", {})[HASH] = digest
            meta = dep["metadata"]
            new = self.store.create(
                "apps/v1/replicasets",
                {
                    "metadata": {
                        "name": f"{meta['name']}-{digest}",
                        "namespace": meta["namespace"],
                        "labels": dict(template["metadata"]["labels"]),
                        "annotations": {**_copied(meta), REVISION: str(highest + 1)},
                        "ownerReferences": [_reference(dep)],
                    },
                    "spec": {
                        "replicas": 0,
                        "selector": selector,
                        "template": template,
                        "minReadySeconds": dep["spec"].get("minReadySeconds", 0),
                    },
                    "status": {"replicas": 0},
                },
            )
            self._revise(dep, highest + 1)
            made = {c["type"]: c for c in (dep.get("status") or {}).get("conditions") or []}
            said = f'Created new replica set "{new["metadata"]["name"]}"'
            self._condition(made, "Progressing", True, "NewReplicaSetCreated", said)
            made["Progressing"]["lastUpdateTime"] = self.store.clock.text()
            self.store.edit(
                "apps/v1/deployments",
                dep,
                lambda o: o.setdefault("status", {}).update(conditions=list(made.values())),
            )
            return new
        wanted = highest + 1 if _revision(new) <= highest else _revision(new)
        notes = {**_copied(dep["metadata"]), REVISION: str(wanted)}
        if any(new["metadata"]["annotations"].get(k) != v for k, v in notes.items()):
            new = self.store.edit(
                "apps/v1/replicasets", new, lambda o: o["metadata"]["annotations"].update(notes)
            )
        least = dep["spec"].get("minReadySeconds", 0)
        if new["spec"].get("minReadySeconds", 0) != least:
            new = self.store.edit(
                "apps/v1/replicasets", new, lambda o: o["spec"].update(minReadySeconds=least)
            )
        self._revise(dep, wanted)
        return new

    def _revise(self, dep: Obj, revision: int) -> None:
        if (dep["metadata"].get("annotations") or {}).get(REVISION) != str(revision):
            self.store.edit(
                "apps/v1/deployments",
                dep,
                lambda o: (
                    o["metadata"].setdefault("annotations", {}).update({REVISION: str(revision)})
                ),
            )

    def _size(self, rs: Obj, replicas: int) -> None:
        replicas = max(0, replicas)
        if rs["spec"]["replicas"] != replicas:
            self.store.edit(
                "apps/v1/replicasets", rs, lambda o: o["spec"].update(replicas=replicas)
            )

    def _rolling(self, dep: Obj, new: Obj, old: list[Obj]) -> None:
        wanted = dep["spec"]["replicas"]
        surge, missing = fenceposts(dep)
        total = new["spec"]["replicas"] + sum(r["spec"]["replicas"] for r in old)
        if new["spec"]["replicas"] > wanted:
            self._size(new, wanted)
        elif new["spec"]["replicas"] < wanted:
            room = wanted + surge - total
            if room > 0:
                self._size(
                    new, new["spec"]["replicas"] + min(room, wanted - new["spec"]["replicas"])
                )
                return
        self._shrink(dep, new, old, wanted - missing)

    def _shrink(self, dep: Obj, new: Obj, old: list[Obj], least: int) -> None:
        news = (
            self.store.find(
                "apps/v1/replicasets", new["metadata"]["namespace"], new["metadata"]["name"]
            )
            or new
        )
        everything = news["spec"]["replicas"] + sum(r["spec"]["replicas"] for r in old)
        unavailable = news["spec"]["replicas"] - _available(news)
        spare = everything - least - unavailable
        for rs in sorted(old, key=_revision):
            if spare <= 0:
                return
            sick = min(spare, rs["spec"]["replicas"] - _available(rs))
            if sick > 0:
                self._size(rs, rs["spec"]["replicas"] - sick)
                spare -= sick
                return
        free = _available(news) + sum(_available(r) for r in old) - least
        for rs in sorted(old, key=_revision):
            if free <= 0:
                return
            cut = min(free, rs["spec"]["replicas"])
            if cut:
                self._size(rs, rs["spec"]["replicas"] - cut)
                free -= cut

    def _recreate(self, dep: Obj, new: Obj, old: list[Obj]) -> None:
        for rs in old:
            self._size(rs, 0)
        uids = {r["metadata"]["uid"] for r in old}
        if any(
            _owner(p) in uids and not _over(p)
            for p in self.store.all("v1/pods", dep["metadata"]["namespace"])
        ):
            return
        self._size(new, dep["spec"]["replicas"])

    def _trim(self, dep: Obj, old: list[Obj]) -> None:
        limit = dep["spec"].get("revisionHistoryLimit", 10)
        idle = [
            r
            for r in old
            if not r["spec"]["replicas"] and not (r.get("status") or {}).get("replicas")
        ]
        for rs in sorted(idle, key=_revision)[: max(0, len(idle) - limit)]:
            self.store.remove("apps/v1/replicasets", rs)

    def _status(self, dep: Obj, before: Obj, new: Obj | None, old: list[Obj]) -> None:
        fresh = [
            self.store.find(
                "apps/v1/replicasets", r["metadata"]["namespace"], r["metadata"]["name"]
            )
            for r in ([new] if new else []) + old
        ]
        sets = [r for r in fresh if r]
        news = sets[0] if new and sets else None
        numbers = {
            "observedGeneration": dep["metadata"]["generation"],
            "replicas": sum((r.get("status") or {}).get("replicas", 0) for r in sets),
            "updatedReplicas": (news.get("status") or {}).get("replicas", 0) if news else 0,
            "readyReplicas": sum((r.get("status") or {}).get("readyReplicas", 0) for r in sets),
            "availableReplicas": sum(_available(r) for r in sets),
        }
        wanted = dep["spec"]["replicas"]
        numbers["unavailableReplicas"] = max(
            0, sum(r["spec"]["replicas"] for r in sets) - numbers["availableReplicas"]
        )
        conditions = {c["type"]: dict(c) for c in before.get("conditions") or []}
        _, missing = fenceposts(dep)
        enough = numbers["availableReplicas"] >= wanted - missing
        self._condition(
            conditions,
            "Available",
            enough,
            "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
            "",
        )
        self._progress(dep, before, numbers, conditions, new)
        failure = next(
            (
                c
                for r in sets
                for c in (r.get("status") or {}).get("conditions") or []
                if c["type"] == "ReplicaFailure"
            ),
            None,
        )
        if failure:
            self._condition(
                conditions, "ReplicaFailure", True, failure["reason"], failure["message"]
            )
        else:
            conditions.pop("ReplicaFailure", None)
        after = {k: v for k, v in numbers.items() if v or k == "observedGeneration"}
        after["conditions"] = list(conditions.values())
        if after != before:
            self.store.edit("apps/v1/deployments", dep, lambda o: o.update(status=after))

    def _progress(
        self, dep: Obj, before: Obj, numbers: Obj, conditions: Obj, new: Obj | None
    ) -> None:
        """As syncRolloutStatus: a condition stays, with its old words, until there is a reason."""
        wanted, held = dep["spec"]["replicas"], conditions.get("Progressing")
        whom = f'ReplicaSet "{new["metadata"]["name"]}"' if new else "Deployment"
        if self._paused(dep, conditions, held):
            return
        held = conditions.get("Progressing")
        settled = numbers["replicas"] == numbers["updatedReplicas"]
        if held and held["reason"] == "NewReplicaSetAvailable" and settled:
            return
        if (
            numbers["updatedReplicas"]
            == wanted
            == numbers["replicas"]
            == numbers["availableReplicas"]
        ):
            said = f"{whom} has successfully progressed."
            self._condition(conditions, "Progressing", True, "NewReplicaSetAvailable", said)
            return
        if any(
            numbers[k] > before.get(k, 0)
            for k in ("updatedReplicas", "readyReplicas", "availableReplicas")
        ) or (
            numbers["replicas"] - numbers["updatedReplicas"]
            < before.get("replicas", 0) - before.get("updatedReplicas", 0)
        ):
            said = f"{whom} is progressing."
            self._condition(conditions, "Progressing", True, "ReplicaSetUpdated", said)
            conditions["Progressing"]["lastUpdateTime"] = self.store.clock.text()
            return
        if not held or held["reason"] == "NewReplicaSetAvailable":
            return
        quiet = self.store.clock.seconds() - self.store.clock.parse(held["lastUpdateTime"])
        if quiet > dep["spec"].get("progressDeadlineSeconds", 600):
            said = f"{whom} has timed out progressing."
            self._condition(conditions, "Progressing", False, "ProgressDeadlineExceeded", said)

    def _paused(self, dep: Obj, conditions: Obj, held: Obj | None) -> bool:
        """As checkPausedConditions; nothing else is estimated while it is paused."""
        paused = bool(dep["spec"].get("paused"))
        over = held and held["reason"] == "ProgressDeadlineExceeded"
        known = held and held["reason"] == "DeploymentPaused"
        if paused and not known and not over:
            self._condition(
                conditions, "Progressing", None, "DeploymentPaused", "Deployment is paused"
            )
        elif known and not paused:
            self._condition(
                conditions, "Progressing", None, "DeploymentResumed", "Deployment is resumed"
            )
        return paused

    def _condition(
        self, conditions: Obj, kind: str, true: bool | None, reason: str, message: str
    ) -> None:
        now, held = self.store.clock.text(), conditions.get(kind)
        word = {True: "True", False: "False", None: "Unknown"}[true]
        if (
            held
            and held["status"] == word
            and held["reason"] == reason
            and held.get("message") == message
        ):
            return
        since = held["lastTransitionTime"] if held and held["status"] == word else now
        conditions[kind] = {
            "type": kind,
            "status": word,
            "reason": reason,
            "message": message,
            "lastUpdateTime": now,
            "lastTransitionTime": since,
        }

    # ReplicaSets

    def _replica_set(self, rs: Obj) -> None:
        pods = [
            p
            for p in self.store.all("v1/pods", rs["metadata"]["namespace"])
            if _owner(p) == rs["metadata"]["uid"]
        ]
        alive = [p for p in pods if not _over(p) and "deletionTimestamp" not in p["metadata"]]
        failure: Obj | None = None
        for _ in range(rs["spec"]["replicas"] - len(alive)):
            try:
                alive.append(self._make_pod(rs))
            except ApiError as error:
                failure = {
                    "type": "ReplicaFailure",
                    "status": "True",
                    "reason": "FailedCreate",
                    "message": error.message,
                    "lastTransitionTime": self.store.clock.text(),
                }
                self.events.record(
                    rs, "Warning", "FailedCreate", f"Error creating: {error.message}"
                )
                break
        surplus = len(alive) - rs["spec"]["replicas"]
        if surplus > 0:
            order = sorted(alive, key=lambda p: (is_ready(p), p["metadata"]["creationTimestamp"]))
            for pod in order[:surplus]:
                self.store.delete("v1/pods", pod)
                alive.remove(pod)
        ready = [p for p in alive if is_ready(p)]
        wait = rs["spec"].get("minReadySeconds", 0)
        now = self.store.clock.seconds()
        available = [p for p in ready if now - self.store.clock.parse(_ready_time(p)) >= wait]
        status: Obj = {
            "replicas": len(alive),
            "readyReplicas": len(ready),
            "availableReplicas": len(available),
            "observedGeneration": rs["metadata"]["generation"],
        }
        held = next((c for c in (rs.get("status") or {}).get("conditions") or []), None)
        if failure:
            status["conditions"] = [
                held if held and held["message"] == failure["message"] else failure
            ]
        if status != rs.get("status"):
            self.store.edit("apps/v1/replicasets", rs, lambda o: o.update(status=status))

    def _make_pod(self, owner: Obj, name: str = "", labels: Obj | None = None) -> Obj:
        template = owner["spec"]["template"]
        meta = copy.deepcopy(template.get("metadata") or {})
        meta.update(namespace=owner["metadata"]["namespace"], ownerReferences=[_reference(owner)])
        meta.setdefault("labels", {}).update(labels or {})
        if name:
            meta["name"] = name
        else:
            meta["generateName"] = owner["metadata"]["name"] + "-"
        return self.store.create(
            "v1/pods",
            {
                "metadata": meta,
                "spec": copy.deepcopy(template["spec"]),
                "status": {"phase": "Pending"},
            },
        )

    # StatefulSets and DaemonSets, one pod after another

    def _direct(self, resource: str, work: Obj) -> None:
        digest = hashlib.sha256(
            json.dumps(work["spec"]["template"], sort_keys=True).encode()
        ).hexdigest()[:10]
        pods = [
            p
            for p in self.store.all("v1/pods", work["metadata"]["namespace"])
            if _owner(p) == work["metadata"]["uid"]
        ]
        stateful = work["kind"] == "StatefulSet"
        nodes = [n["metadata"]["name"] for n in self.store.all("v1/nodes")]
        wanted = work["spec"].get("replicas", 1) if stateful else len(nodes)
        names = [f"{work['metadata']['name']}-{n if stateful else nodes[n]}" for n in range(wanted)]
        by_name = {p["metadata"]["name"]: p for p in pods}
        for name in names:
            if name not in by_name:
                self._make_pod(work, name, {"controller-revision-hash": digest})
                break
            if not is_ready(by_name[name]):
                break
        else:
            stale = [
                p for p in pods if p["metadata"]["labels"].get("controller-revision-hash") != digest
            ]
            for pod in stale[:1]:
                self.store.delete("v1/pods", pod)
        for pod in pods:
            if pod["metadata"]["name"] not in names:
                self.store.delete("v1/pods", pod)
        alive = [p for p in pods if "deletionTimestamp" not in p["metadata"]]
        ready = sum(is_ready(p) for p in alive)
        fresh = sum(
            p["metadata"]["labels"].get("controller-revision-hash") == digest for p in alive
        )
        seen = work["metadata"]["generation"]
        status = (
            {
                "replicas": len(alive),
                "readyReplicas": ready,
                "availableReplicas": ready,
                "updatedReplicas": fresh,
                "updateRevision": digest,
                "observedGeneration": seen,
            }
            if stateful
            else {
                "desiredNumberScheduled": wanted,
                "currentNumberScheduled": len(alive),
                "numberReady": ready,
                "numberAvailable": ready,
                "updatedNumberScheduled": fresh,
                "observedGeneration": seen,
            }
        )
        if status != work.get("status"):
            self.store.edit(resource, work, lambda o: o.update(status=status))

    # The rest

    def _collect(self) -> None:
        alive = {
            o["metadata"]["uid"]
            for r in (
                "apps/v1/deployments",
                "apps/v1/replicasets",
                "apps/v1/statefulsets",
                "apps/v1/daemonsets",
                "batch/v1/jobs",
            )
            for o in self.store.all(r)
        }
        for resource in ("apps/v1/deployments", "apps/v1/replicasets", "v1/pods"):
            for obj in self.store.all(resource):
                owners = obj["metadata"].get("ownerReferences") or []
                if owners and all(o["uid"] not in alive for o in owners):
                    self.store.delete(resource, obj)

    def _budgets(self) -> None:
        for budget in self.store.all("policy/v1/poddisruptionbudgets"):
            labels = budget["spec"]["selector"]["matchLabels"]
            pods = [
                p
                for p in self.store.all("v1/pods", budget["metadata"]["namespace"])
                if all((p["metadata"].get("labels") or {}).get(k) == v for k, v in labels.items())
            ]
            healthy = sum(is_ready(p) and "deletionTimestamp" not in p["metadata"] for p in pods)
            allowed = healthy - budget["spec"].get("minAvailable", 0)
            if "maxUnavailable" in budget["spec"]:
                allowed = budget["spec"]["maxUnavailable"] - (len(pods) - healthy)
            status = {
                "currentHealthy": healthy,
                "disruptionsAllowed": max(0, allowed),
                "expectedPods": len(pods),
            }
            if status != budget.get("status"):
                self.store.edit(
                    "policy/v1/poddisruptionbudgets", budget, lambda o, s=status: o.update(status=s)
                )


def fenceposts(dep: Obj) -> tuple[int, int]:
    wanted = dep["spec"]["replicas"]
    rolling = (dep["spec"].get("strategy") or {}).get("rollingUpdate") or {
        "maxSurge": 0,
        "maxUnavailable": 0,
    }
    surge, missing = (
        _share(rolling["maxSurge"], wanted, True),
        _share(rolling["maxUnavailable"], wanted, False),
    )
    return (surge, min(missing, wanted)) if surge or missing else (0, 1)


def _share(value: Any, wanted: int, up: bool) -> int:
    text = str(value)
    if not text.endswith("%"):
        return int(text)
    exact = int(text[:-1]) * wanted
    return -(-exact // 100) if up else exact // 100


def is_ready(pod: Obj) -> bool:
    return any(
        c["type"] == "Ready" and c["status"] == "True"
        for c in (pod.get("status") or {}).get("conditions") or []
    )


def _ready_time(pod: Obj) -> str:
    return next(
        c["lastTransitionTime"] for c in pod["status"]["conditions"] if c["type"] == "Ready"
    )


def _owner(obj: Obj) -> str:
    return next(
        (o["uid"] for o in obj["metadata"].get("ownerReferences") or [] if o.get("controller")), ""
    )


def _over(pod: Obj) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def _revision(rs: Obj) -> int:
    return int((rs["metadata"].get("annotations") or {}).get(REVISION, 0))


def _available(rs: Obj) -> int:
    return (rs.get("status") or {}).get("availableReplicas", 0)


def _template(rs: Obj) -> Obj:
    template = copy.deepcopy(rs["spec"]["template"])
    (template.get("metadata", {}).get("labels") or {}).pop(HASH, None)
    return template


def _copied(meta: Obj) -> Obj:
    return {
        k: v
        for k, v in (meta.get("annotations") or {}).items()
        if k not in (REVISION, "kubectl.kubernetes.io/last-applied-configuration")
    }


def _reference(owner: Obj) -> Obj:
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
