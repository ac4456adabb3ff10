"""Finding workloads and reading what belongs to them, with a bounded number of calls.

One workload costs at most ten calls: the object, its ReplicaSets (metadata only), its pods and,
when something is wrong, the events of three pods and the state of three nodes. A listing costs one
call per 500 objects of a kind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress

from tools.errors import BadArguments, unknown
from tools.platforms.kubernetes_api import Api
from tools.platforms.kubernetes_errors import Forbidden
from tools.platforms.kubernetes_evidence import explained
from tools.platforms.kubernetes_objects import (
    REVISION,
    Obj,
    at,
    controller,
    name_of,
    namespace_of,
    number,
    selector_text,
    table,
)
from tools.platforms.kubernetes_owners import (
    deployment_view,
    hash_of,
    root_of,
    settled,
    simple_view,
)
from tools.platforms.kubernetes_pods import Pod, read_pod
from tools.platforms.kubernetes_request import METADATA, api_path
from tools.platforms.kubernetes_view import View, revision_of

PLURALS = {
    "Deployment": ("apps/v1", "deployments"),
    "StatefulSet": ("apps/v1", "statefulsets"),
    "DaemonSet": ("apps/v1", "daemonsets"),
    "Rollout": ("argoproj.io/v1alpha1", "rollouts"),
    "InferenceService": ("serving.kserve.io/v1beta1", "inferenceservices"),
}
OWN = ("Deployment", "StatefulSet", "DaemonSet")
"""The workload kinds that every cluster has."""
LIVE = {"fieldSelector": "status.phase!=Succeeded"}


class Reader:
    """Reads one cluster; knows no edits."""

    def __init__(self, api: Api, namespaces: Sequence[str]) -> None:
        self.api = api
        self.namespaces = tuple(namespaces)
        """Empty means all of them, which needs a ClusterRole."""
        self._extra: tuple[str, ...] | None = None

    @property
    def scopes(self) -> tuple[str | None, ...]:
        """The namespaces to list, or ``(None,)`` for all at once."""
        return self.namespaces or (None,)

    def kinds(self) -> tuple[str, ...]:
        """Workload kinds of this cluster; custom ones where their definitions are installed."""
        if self._extra is None:
            groups = {str(g.get("name")) for g in self.api.get("/apis").get("groups") or ()}
            self._extra = tuple(
                kind
                for kind, (version, _) in PLURALS.items()
                if kind not in OWN and version.split("/")[0] in groups
            )
        return (*OWN, *self._extra)

    def path(self, obj: Obj, *rest: str) -> str:
        """The address of a workload."""
        version, plural = PLURALS[obj["kind"]]
        return api_path(version, namespace_of(obj), plural, name_of(obj), *rest)

    def workload(self, ref: str) -> Obj:
        """The workload a reference means; raises ``BadArguments`` with near names."""
        namespace, _, name = ref.rpartition("/")
        if not namespace:
            return self._anywhere(name)
        found = self._at(namespace, name)
        if found is None:
            raise unknown("deployment", ref, self.names(), "部署")
        return found

    def again(self, obj: Obj) -> Obj:
        """The same workload, read anew."""
        return {**self.api.get(self.path(obj)), "kind": obj["kind"]}

    def _at(self, namespace: str, name: str) -> Obj | None:
        for kind in self.kinds():
            version, plural = PLURALS[kind]
            found = self.api.find(api_path(version, namespace, plural, name))
            if found is not None:
                return {**found, "kind": kind}
        return None

    def _anywhere(self, name: str) -> Obj:
        refs = [ref for ref in self.names() if ref.rpartition("/")[2] == name]
        if len(refs) > 1:
            raise BadArguments(
                f"{name} exists in several namespaces; say one of {', '.join(refs)}.",
                f"多个命名空间里都有 {name}；请写明：{'、'.join(refs)}。",
            )
        if not refs:
            raise unknown("deployment", name, self.names(), "部署")
        return self.workload(refs[0])

    def names(self) -> list[str]:
        """``namespace/name`` of every workload of the built-in kinds."""
        return [
            f"{namespace_of(o)}/{name_of(o)}"
            for kind in OWN
            for o in self._listed(kind, accept=METADATA)
        ]

    def _listed(self, kind: str, accept: str = "") -> Iterator[Obj]:
        version, plural = PLURALS[kind]
        for scope in self.scopes:
            for item in self.api.items(api_path(version, scope, plural), accept=accept):
                yield {**item, "kind": kind}

    def views(self) -> Iterator[View]:
        """Every workload with its pods; without events."""
        pods: dict[tuple[str, str, str], list[Pod]] = defaultdict(list)
        for scope in self.scopes:
            for item in self.api.items(api_path("v1", scope, "pods"), LIVE):
                pod = read_pod(item)
                pods[pod.namespace, *root_of(pod)].append(pod)
        hashes: dict[str, dict[str, int]] | None = None
        now = self.api.now()
        for kind in self.kinds():
            for work in self._listed(kind):
                own = pods.get((str(namespace_of(work)), kind, name_of(work)), [])
                if kind == "Deployment" and not settled(work):
                    hashes = hashes if hashes is not None else self._all_revisions()
                    yield deployment_view(
                        work, own, hashes.get(at(work, "metadata", "uid"), {}), now
                    )
                else:
                    yield simple_view(work, own, now)

    def _all_revisions(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for scope in self.scopes:
            for item in self.api.items(api_path("apps/v1", scope, "replicasets"), accept=METADATA):
                found[controller(item)[2]][hash_of(item)] = number(
                    item, "metadata", "annotations", REVISION
                )
        return found

    def replica_sets(self, work: Obj, *, full: bool = False) -> list[Obj]:
        """ReplicaSets that the Deployment owns; metadata only, unless ``full``."""
        path = api_path("apps/v1", namespace_of(work), "replicasets")
        uid = at(work, "metadata", "uid")
        query = {"labelSelector": selector_text(work)}
        found = self.api.items(path, query, accept="" if full else METADATA)
        return [item for item in found if controller(item)[2] == uid]

    def pods(self, work: Obj) -> list[Pod]:
        """Pods that the workload owns, directly or through a ReplicaSet."""
        path = api_path("v1", namespace_of(work), "pods")
        selector = selector_text(work)
        if work["kind"] == "InferenceService":
            selector = f"serving.kserve.io/inferenceservice={name_of(work)}"
        query = {"labelSelector": selector}
        mine = (work["kind"], name_of(work))
        found = (read_pod(item) for item in self.api.items(path, query))
        whole = work["kind"] == "InferenceService"
        return [pod for pod in found if whole or root_of(pod) == mine]

    def view(self, work: Obj) -> View:
        """Everything about one workload, with the events of what is wrong."""
        pods = self.pods(work)
        if work["kind"] in ("Deployment", "Rollout"):
            sets = self.replica_sets(work)
            revisions = {hash_of(s): revision_of(s) for s in sets}
            view = deployment_view(work, pods, revisions, self.api.now())
        else:
            view = simple_view(work, pods, self.api.now())
        return explained(self.api, view)

    def quotas(self, work: Obj) -> list[Obj]:
        """The ResourceQuotas of a workload's namespace; none where they may not be read."""
        with suppress(Forbidden):
            path = api_path("v1", namespace_of(work), "resourcequotas")
            return list(self.api.items(path, most=100))
        return []

    def autoscaler(self, work: Obj) -> Obj | None:
        """The HorizontalPodAutoscaler of a workload, if there is one and it may be read."""
        with suppress(Forbidden):
            path = api_path("autoscaling/v2", namespace_of(work), "horizontalpodautoscalers")
            for item in self.api.items(path, most=1000):
                aim = table(item, "spec", "scaleTargetRef")
                if (aim.get("kind"), aim.get("name")) == (work["kind"], name_of(work)):
                    return item
        return None
