"""One cluster in this process: start it, seed it, make it misbehave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.platforms.api_double import errors
from tests.platforms.api_double.admission import defaulted, quantity
from tests.platforms.api_double.clock import ClusterClock
from tests.platforms.api_double.controllers import Controllers, is_ready
from tests.platforms.api_double.errors import ApiError
from tests.platforms.api_double.kubelet import Behaviour, Kubelet
from tests.platforms.api_double.server import Address, ApiServer
from tests.platforms.api_double.store import Obj, Store


class Events:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._number = 0

    def record(self, about: Obj, kind: str, reason: str, message: str) -> None:
        meta, now = about["metadata"], self._store.clock.text()
        for held in self._store.all("v1/events", meta.get("namespace", "default")):
            ref = held["involvedObject"]
            if (ref["uid"], held["reason"], held["message"]) == (meta["uid"], reason, message):
                self._store.edit(
                    "v1/events", held, lambda o: o.update(count=o["count"] + 1, lastTimestamp=now)
                )
                return
        self._number += 1
        self._store.create(
            "v1/events",
            {
                "metadata": {
                    "name": f"{meta['name']}.{self._number:x}",
                    "namespace": meta.get("namespace", "default"),
                },
                "involvedObject": {
                    "kind": about["kind"],
                    "name": meta["name"],
                    "namespace": meta.get("namespace"),
                    "uid": meta["uid"],
                },
                "type": kind,
                "reason": reason,
                "message": message,
                "firstTimestamp": now,
                "lastTimestamp": now,
                "count": 1,
            },
        )


class ApiDouble:
    """``with ApiDouble(speed=50) as cluster: …``; ``cluster.kubeconfig(path)`` to reach it."""

    def __init__(self, speed: float = 50.0, nodes: int = 3) -> None:
        self.clock = ClusterClock(speed)
        self.store = Store(self.clock)
        self.events = Events(self.store)
        self.server = ApiServer(self.store, self)
        self.kubelet = Kubelet(self.store, self.events)
        self.controllers = Controllers(self.store, self.events)
        self.refusals: list[Callable[[Obj], str | None]] = []
        self.ready_log: list[tuple[float, str, int]] = []
        self.frozen = False
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.store.on_create.append(self._admit)
        self.store.create("v1/namespaces", {"metadata": {"name": "ml"}, "status": {}})
        for number in range(nodes):
            self.add_node(f"node-{number + 1}")

    @property
    def faults(self) -> Any:
        return self.server.faults

    @property
    def calls(self) -> int:
        return len(self.server.requests)

    def __enter__(self) -> ApiDouble:
        for target in (self.server.serve, self._loop):
            thread = threading.Thread(target=target, daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.server.stop()
        for thread in self._threads:
            thread.join(5)

    def _loop(self) -> None:
        while not self._stop.wait(0.01):
            if self.frozen:
                continue
            with self.store.lock:
                self.kubelet.step()
                self.controllers.step()
                self._note()

    def _note(self) -> None:
        ready: dict[str, int] = {}
        for pod in self.store.all("v1/pods"):
            app = (pod["metadata"].get("labels") or {}).get("app", "")
            ready[app] = ready.get(app, 0) + (
                is_ready(pod) and "deletionTimestamp" not in pod["metadata"]
            )
        for app, number in ready.items():
            self.ready_log.append((self.clock.seconds(), app, number))

    def least_ready(self, app: str, since: float = 0.0) -> int:
        """The fewest replicas that were ready at any moment."""
        return min(n for at, name, n in self.ready_log if name == app and at >= since)

    def kubeconfig(self, folder: Path, token: str = "good") -> Path:
        path = folder / "kubeconfig"
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "double",
                    "clusters": [{"name": "double", "cluster": {"server": self.server.url}}],
                    "users": [{"name": "steward", "user": {"token": token}}],
                    "contexts": [
                        {
                            "name": "double",
                            "context": {"cluster": "double", "user": "steward", "namespace": "ml"},
                        }
                    ],
                }
            )
        )
        return path

    def add_node(self, name: str, cpu: str = "8", gpus: int = 0, labels: Obj | None = None) -> None:
        room = {
            "cpu": cpu,
            "memory": "32Gi",
            "pods": "110",
            **({"nvidia.com/gpu": str(gpus)} if gpus else {}),
        }
        self.store.create(
            "v1/nodes",
            {
                "metadata": {
                    "name": name,
                    "labels": {"kubernetes.io/hostname": name, **(labels or {})},
                },
                "spec": {},
                "status": {
                    "allocatable": room,
                    "capacity": room,
                    "conditions": [
                        {
                            "type": "Ready",
                            "status": "True",
                            "reason": "KubeletReady",
                            "message": "kubelet is posting ready status",
                        }
                    ],
                },
            },
        )

    def add(self, resource: str, obj: Obj) -> Obj:
        return self.store.create(
            resource, defaulted(resource, obj), manager="kubectl-client-side-apply"
        )

    def deploy(self, name: str, image: str = "server:1", replicas: int = 3, **spec: Any) -> Obj:
        labels = {"app": name}
        template: Obj = {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "server", "image": image}], **spec.pop("pod", {})},
        }
        template["spec"]["containers"][0].update(spec.pop("container", {}))
        return self.add(
            "apps/v1/deployments",
            {
                "metadata": {"name": name, "namespace": "ml"},
                "spec": {
                    "replicas": replicas,
                    "selector": {"matchLabels": labels},
                    "template": template,
                    **spec,
                },
            },
        )

    def deployment(self, name: str) -> Obj:
        return self.store.get("apps/v1/deployments", "ml", name)

    def pods(self, app: str) -> list[Obj]:
        return [
            p
            for p in self.store.all("v1/pods", "ml")
            if (p["metadata"].get("labels") or {}).get("app") == app
        ]

    def behaves(self, image: str, **how: Any) -> None:
        self.kubelet.behaviours[image] = Behaviour(**how)

    def edit(self, name: str, change: Callable[[Obj], None], manager: str = "kubectl-edit") -> None:
        """What a person does with kubectl."""
        import copy

        with self.store.lock:
            before = self.deployment(name)
            after = copy.deepcopy(before)
            change(after)
            self.store.replace("apps/v1/deployments", before, after, manager=manager)

    def until(self, condition: Callable[[], Any], seconds: float = 60.0) -> Any:
        """Wait (wall clock) until ``condition`` holds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(0.02)
        raise AssertionError("the cluster did not get there in time")

    def complete(self, name: str) -> bool:
        dep = self.deployment(name)
        status, wanted = dep.get("status") or {}, dep["spec"]["replicas"]
        return (
            status.get("observedGeneration") == dep["metadata"]["generation"]
            and status.get("updatedReplicas", 0) == status.get("replicas", 0) == wanted
            and status.get("availableReplicas", 0) == wanted
            and len(self.pods(name)) == wanted
        )

    def settle(self, name: str) -> None:
        self.until(lambda: self.complete(name))

    # Plug-ins of the server

    def _admit(self, resource: str, obj: Obj) -> None:
        if resource != "v1/pods":
            return
        name, space = obj["metadata"]["name"], obj["metadata"]["namespace"]
        for refuse in self.refusals:
            said = refuse(obj)
            if said:
                raise ApiError(403, "Forbidden", said.format(name=name))
        for quota in self.store.all("v1/resourcequotas", space):
            used = len(
                [
                    p
                    for p in self.store.all("v1/pods", space)
                    if p["status"].get("phase") not in ("Succeeded", "Failed")
                ]
            )
            hard = quantity(quota["spec"]["hard"]["pods"])
            if used + 1 > hard:
                raise ApiError(
                    403,
                    "Forbidden",
                    f'pods "{name}" is forbidden: exceeded quota: {quota["metadata"]["name"]}, requested: pods=1, used: pods={used}, limited: pods={int(hard)}',
                )

    def warnings(self, where: Address, after: Obj) -> list[str]:
        labels = self.store.get("v1/namespaces", None, "ml")["metadata"].get("labels") or {}
        level = labels.get("pod-security.kubernetes.io/warn")
        if level and where.resource == "apps/v1/deployments":
            return [
                f'would violate PodSecurity "{level}:latest": allowPrivilegeEscalation != false'
            ]
        return []

    def evict(self, where: Address, body: Any, dry: bool) -> None:
        pod = self.store.get("v1/pods", where.namespace, where.name)
        wanted = ((body.get("deleteOptions") or {}).get("preconditions") or {}).get("uid")
        if wanted and wanted != pod["metadata"]["uid"]:
            raise errors.conflict("v1/pods", where.name)
        self.controllers._budgets()
        for budget in self.store.all("policy/v1/poddisruptionbudgets", where.namespace):
            labels = budget["spec"]["selector"]["matchLabels"]
            own = pod["metadata"].get("labels") or {}
            if (
                all(own.get(k) == v for k, v in labels.items())
                and not budget["status"]["disruptionsAllowed"]
            ):
                name = budget["metadata"]["name"]
                raise ApiError(
                    429,
                    "TooManyRequests",
                    "Cannot evict pod as it would violate the pod's disruption budget.",
                    {
                        "causes": [
                            {
                                "reason": "DisruptionBudget",
                                "message": f"The disruption budget {name} needs {budget['spec'].get('minAvailable', 0)} healthy pods and has {budget['status']['currentHealthy']} currently",
                            }
                        ]
                    },
                )
        if not dry:
            self.store.delete("v1/pods", pod)

    def log(self, where: Address, query: dict[str, str]) -> str:
        pod = self.store.get("v1/pods", where.namespace, where.name)
        boxes = pod["status"].get("containerStatuses") or []
        if query.get("previous") == "true" and not any(b["restartCount"] for b in boxes):
            raise ApiError(
                400,
                "BadRequest",
                f'previous terminated container "server" in pod "{where.name}" not found',
            )
        if not boxes or ("waiting" in boxes[0]["state"] and not boxes[0]["restartCount"]):
            raise ApiError(
                400,
                "BadRequest",
                f'container "server" in pod "{where.name}" is waiting to start: ContainerCreating',
            )
        text = self.kubelet.behaviour(pod).log
        lines = [
            f"{self.clock.text()[:-1]}.{n:09d}Z {line}" for n, line in enumerate(text.splitlines())
        ]
        return "\n".join(lines[-int(query.get("tailLines") or 1000) :]) + "\n"

    def proxy(self, where: Address) -> str:
        pod = self.store.get("v1/pods", where.namespace, where.name.split(":")[0])
        text = self.kubelet.behaviour(pod).metrics
        if not text:
            raise ApiError(
                503,
                "ServiceUnavailable",
                "error trying to reach service: dial tcp: connection refused",
            )
        return text
