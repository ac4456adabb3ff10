"""What roll-outs on a real cluster are made of: what is there before, and what is arranged.

The image is a small HTTP server whose faults are chosen by variables (``CRASH_AFTER_S``, ``READY``,
``ALLOC_MIB``, ``START_DELAY_S``, ``UNLIVE_AFTER_S``); the release brings them as its configuration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tools.platforms.kubernetes_api import Api
from tools.platforms.kubernetes_request import MERGE_PATCH, api_path

Obj = dict[str, Any]
Arrange = Callable[[Api, str], None]


@dataclass(frozen=True)
class Case:
    """One roll-out; healthy where no cause is expected."""

    name: str
    cause: str = ""
    image: str = ""
    """Of version 2; the same as version 1's where empty."""
    env: Obj = field(default_factory=dict[str, Any])
    """Configuration of version 2."""
    spec: Obj = field(default_factory=dict[str, Any])
    pod: Obj = field(default_factory=dict[str, Any])
    box: Obj = field(default_factory=dict[str, Any])
    before: Arrange | None = None
    """Objects that version 1 needs."""
    after: Arrange | None = None
    """What happens once version 1 serves."""
    replicas: int = 3
    least: int | None = None
    """Fewest that must serve; by default all."""
    options: Obj = field(default_factory=dict[str, Any])
    during: Arrange | None = None
    """What happens six seconds into the roll-out."""
    strategy: str = ""
    state: str = ""
    """How it must end, where that is neither ``verified`` (healthy) nor ``undone`` (faulted)."""
    restores: bool = True
    """Whether the undo can bring back every replica while the circumstance lasts."""


def make(resource: str, body: Obj, version: str = "v1") -> Arrange:
    return lambda api, space: api.create(api_path(version, space, resource), body) and None


def drop(resource: str, name: str, version: str = "v1") -> Arrange:
    def arrange(api: Api, space: str) -> None:
        path = api_path(version, space, resource, name)
        api.delete(path, api.get(path)["metadata"]["uid"])

    return arrange


def put(resource: str, name: str, body: Obj) -> Arrange:
    path = ("v1", resource, name)
    return lambda api, space: (
        api.patch(api_path(path[0], space, *path[1:]), body, kind=MERGE_PATCH) and None
    )


def label(key: str, value: str) -> Arrange:
    body = {"metadata": {"labels": {key: value}}}
    return lambda api, space: (
        api.patch(api_path("v1", None, "namespaces", space), body, kind=MERGE_PATCH) and None
    )


def hold(api: Api, space: str) -> None:
    for pod in list(api.items(api_path("v1", space, "pods"))):
        path = api_path("v1", space, "pods", pod["metadata"]["name"])
        api.patch(path, {"metadata": {"finalizers": ["example.org/keep"]}}, kind=MERGE_PATCH)


def scale(replicas: int) -> Arrange:
    body = {"spec": {"replicas": replicas}}
    return lambda api, space: (
        api.patch(api_path("apps/v1", space, "deployments", "digits"), body, kind=MERGE_PATCH)
        and None
    )


def kill_oldest(api: Api, space: str) -> None:
    pods = list(api.items(api_path("v1", space, "pods")))
    oldest = min(pods, key=lambda p: p["metadata"]["creationTimestamp"])["metadata"]
    api.delete(api_path("v1", space, "pods", oldest["name"]), oldest["uid"])


def let_go(api: Api, space: str) -> None:
    """Take every finalizer off, so that the namespace can go."""
    for pod in list(api.items(api_path("v1", space, "pods"))):
        path = api_path("v1", space, "pods", pod["metadata"]["name"])
        if pod["metadata"].get("finalizers"):
            api.patch(path, {"metadata": {"finalizers": None}}, kind=MERGE_PATCH)


def named(name: str, **more: Any) -> Obj:
    return {"metadata": {"name": name}, **more}


def forbid(api: Api, space: str) -> None:
    """A policy that lets no pod with the new version's variable in."""
    group = "admissionregistration.k8s.io/v1"
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pods"],
    }
    spec: Obj = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": "false", "message": "no new pods today"}],
    }
    api.create(api_path(group, None, "validatingadmissionpolicies"), named(space, spec=spec))
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space}}}
    bound = {"policyName": space, "validationActions": ["Deny"], "matchResources": where}
    plural = "validatingadmissionpolicybindings"
    api.create(api_path(group, None, plural), named(space, spec=bound))


def label_nodes(value: str | None) -> Arrange:
    """Give every node a label that the pods ask for, or take it away."""

    def arrange(api: Api, _: str) -> None:
        for node in list(api.items(api_path("v1", None, "nodes"))):
            path = api_path("v1", None, "nodes", node["metadata"]["name"])
            api.patch(path, {"metadata": {"labels": {NODE_LABEL: value}}}, kind=MERGE_PATCH)

    return arrange


def volume(kind: str, name: str, key: str) -> Obj:
    return {"volumes": [{"name": "v", kind: {key: name}}]}


def reads(kind: str, name: str) -> Obj:
    source = {kind: {"name": name, "key": "k"}}
    return {"env": [{"name": "TOKEN", "valueFrom": source}]}


def rolling(surge: Any, missing: Any) -> Obj:
    how = {"maxSurge": surge, "maxUnavailable": missing}
    return {"strategy": {"type": "RollingUpdate", "rollingUpdate": how}}


BIG = {"resources": {"requests": {"cpu": "5"}, "limits": {"memory": "128Mi"}}}
GPUS = {"resources": {"limits": {"nvidia.com/gpu": "9", "memory": "128Mi"}}}
MOUNT = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
APART = {
    "affinity": {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {
                    "topologyKey": "kubernetes.io/hostname",
                    "labelSelector": {"matchLabels": {"app": "digits"}},
                }
            ]
        }
    }
}
LIVE = {
    "livenessProbe": {
        "httpGet": {"path": "/live", "port": 8080},
        "periodSeconds": 2,
        "failureThreshold": 2,
    }
}
STARTUP = {
    "startupProbe": {
        "httpGet": {"path": "/ready", "port": 8080},
        "periodSeconds": 1,
        "failureThreshold": 6,
    }
}
PATIENT = {
    "startupProbe": {
        "httpGet": {"path": "/ready", "port": 8080},
        "periodSeconds": 2,
        "failureThreshold": 60,
    }
}
MIGRATION = {
    "initContainers": [
        {
            "name": "migrate",
            "image": "PYTHON",
            "imagePullPolicy": "IfNotPresent",
            "command": ["sh", "-c", 'test "$K" = v || exit 3'],
            "env": [{"name": "K", "valueFrom": {"configMapKeyRef": {"name": "cfg", "key": "k"}}}],
        }
    ]
}
SECRET = make("secrets", named("token", stringData={"k": "v"}))
CONFIG = make("configmaps", named("cfg", data={"k": "v"}))
ACCOUNT = make("serviceaccounts", named("server"))
QUOTA = make("resourcequotas", named("q", spec={"hard": {"pods": "3"}}))
ONE_MORE = make("resourcequotas", named("q", spec={"hard": {"requests.cpu": "45m"}}))
LIMITS = make(
    "limitranges",
    named("l", spec={"limits": [{"type": "Container", "max": {"memory": "64Mi"}}]}),
)
NODE_LABEL = "steward.test/pool"
LIVE_SLOWLY = {"livenessProbe": {"httpGet": {"path": "/live", "port": 8080}}}
CLAIM = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]}
CLAIMED = make(
    "persistentvolumeclaims",
    named(
        "data",
        spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    ),
)
WAITS = {
    "initContainers": [
        {
            **MIGRATION["initContainers"][0],
            "command": ["sh", "-c", 'test "$K" = v || sleep 9999'],
        }
    ]
}
SIDECAR = {
    "initContainers": [
        {
            "name": "proxy",
            "image": "docker.io/library/steward-test:v1",
            "imagePullPolicy": "IfNotPresent",
            "restartPolicy": "Always",
            "env": [{"name": "PORT", "value": "9090"}, {"name": "ADMIN_PORT", "value": "0"}],
            "envFrom": [{"configMapRef": {"name": "cfg"}}],
        }
    ]
}
