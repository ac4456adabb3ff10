"""Roll-outs for a real cluster: what is there before, what goes wrong, and what must come out.

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
IMAGES = {"never": "steward.test/not-here:1", "nowhere": "registry.invalid/steward/server:2"}

FAULTED = (
    Case("image not found", "image cannot be pulled", image=IMAGES["nowhere"]),
    Case(
        "image never pulled",
        "image cannot be pulled",
        image=IMAGES["never"],
        box={"imagePullPolicy": "Never"},
    ),
    Case("image name invalid", "image cannot be pulled", image="Server:UPPER:2"),
    Case("crash at once", "crash loop", env={"CRASH_AFTER_S": "0"}),
    Case("crash after five seconds", "crash loop", env={"CRASH_AFTER_S": "5"}),
    Case("process ends", "exits with 0", env={"CRASH_AFTER_S": "1", "EXIT_CODE": "0"}),
    Case("out of memory", "out of memory", env={"ALLOC_MIB": "-1"}),
    Case("no such command", "cannot start", image="PYTHON", box={"command": ["/testsrv"]}),
    Case(
        "never ready",
        "probe failing: Readiness",
        env={"READY": "0"},
        spec={"progressDeadlineSeconds": 40},
    ),
    Case("liveness", "probe failing: Liveness", env={"UNLIVE_AFTER_S": "5"}, box=LIVE),
    Case("startup probe", "probe failing: Startup", env={"START_DELAY_S": "90"}, box=STARTUP),
    Case("no cpu", "no capacity (cpu", box=BIG),
    Case("no gpu", "no capacity (nvidia.com/gpu", options=GPUS),
    Case(
        "host port",
        "no capacity (host port",
        box={"ports": [{"containerPort": 8080, "hostPort": 18080}]},
    ),
    Case("anti-affinity", "no capacity (anti-affinity", pod=APART),
    Case("quota", "quota: exceeded quota", after=QUOTA),
    Case("limit range", "quota (limit range)", after=LIMITS),
    Case(
        "pod security",
        "refused by policy",
        after=label("pod-security.kubernetes.io/enforce", "restricted"),
    ),
    Case("admission policy", "refused by policy", after=forbid),
    Case(
        "secret gone",
        "bad config or secret",
        box=reads("secretKeyRef", "token"),
        before=SECRET,
        after=drop("secrets", "token"),
    ),
    Case(
        "config key gone",
        "bad config or secret",
        box=reads("configMapKeyRef", "cfg"),
        before=CONFIG,
        after=drop("configmaps", "cfg"),
    ),
    Case(
        "secret without its key",
        "bad config or secret",
        box=reads("secretKeyRef", "token"),
        before=SECRET,
        after=put("secrets", "token", {"data": {"k": None, "other": "eA=="}}),
    ),
    Case(
        "init container",
        "init container migrate exits with 3",
        pod=MIGRATION,
        before=CONFIG,
        after=put("configmaps", "cfg", {"data": {"k": "w"}}),
    ),
    Case(
        "volume gone",
        "bad config or secret",
        pod=volume("configMap", "cfg", "name"),
        box=MOUNT,
        before=CONFIG,
        after=drop("configmaps", "cfg"),
    ),
    Case(
        "service account gone",
        "bad config or secret",
        pod={"serviceAccountName": "server"},
        before=ACCOUNT,
        after=drop("serviceaccounts", "server"),
    ),
    Case("held by a finalizer", "stuck terminating", after=hold, options={"deadline": 60}),
    Case("crash of a single replica", "crash loop", env={"CRASH_AFTER_S": "2"}, replicas=1),
)
HEALTHY = (
    Case("plain"),
    Case("one replica", replicas=1),
    Case("ten replicas", replicas=10, least=8),
    Case("slow start", env={"START_DELAY_S": "45"}, box=PATIENT),
    Case("slow readiness", env={"READY_AFTER_S": "60"}),
    Case("no surge", spec=rolling(0, 1), least=2),
    Case("all at once", spec=rolling("25%", "100%")),
    Case("recreate", spec={"strategy": {"type": "Recreate"}}, least=0),
    Case("tight quota", spec=rolling(1, 1), after=QUOTA, least=2),
    Case("quota for one more", spec=rolling(3, 0), after=ONE_MORE),
    Case(
        "in the room of old ones", spec=rolling(1, 1), box=BIG, env={"READY_AFTER_S": "25"}, least=2
    ),
    Case("slow to leave", env={}, box={"env": [{"name": "TERM_DELAY_S", "value": "15"}]}),
    Case("ignores SIGTERM", box={"env": [{"name": "IGNORE_TERM", "value": "1"}]}),
)
