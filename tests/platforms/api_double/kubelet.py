"""Scheduler, kubelets and node controller: what becomes of a pod, by the behaviour of its image."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.platforms.api_double.admission import quantity
from tests.platforms.api_double.controllers import is_ready
from tests.platforms.api_double.store import Obj, Store

PULL_ERRORS = {
    "not found": 'failed to pull and unpack image "{i}": failed to resolve reference "{i}": {i}: not found',
    "denied": 'failed to pull and unpack image "{i}": failed to resolve reference "{i}": pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials',
    "timeout": 'failed to pull and unpack image "{i}": failed to resolve reference "{i}": failed to do request: Head "https://r/v2": dial tcp 10.0.0.9:443: i/o timeout',
    "platform": 'failed to pull and unpack image "{i}": no match for platform in manifest: not found',
    "x509": 'failed to pull and unpack image "{i}": failed to resolve reference "{i}": failed to do request: Head "https://r/v2": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    "limit": 'failed to pull and unpack image "{i}": failed to copy: httpReadSeeker: failed open: unexpected status code https://r/v2: 429 Too Many Requests - toomanyrequests: You have reached your pull rate limit',
    "no host": 'failed to pull and unpack image "{i}": failed to resolve reference "{i}": failed to do request: Head "https://{i}": dial tcp: lookup r.invalid: no such host',
}


@dataclass(frozen=True)
class Behaviour:
    """What a container of an image does; times in cluster seconds."""

    pull: str = ""
    """A key of PULL_ERRORS, or ``invalid``, or ``never``."""
    pull_failures: int = 1000
    """So many pulls fail; then it works."""
    ready_after: float = 1.0
    never_ready: str = ""
    """What the readiness probe says for ever."""
    exit_code: int | None = None
    exit_after: float = 1.0
    exits: int = 1000
    """So many runs end like that; then it stays."""
    oom: bool = False
    cannot_start: str = ""
    liveness: str = ""
    """What the liveness probe says; the container is killed after ``exit_after``."""
    startup: str = ""
    stop_after: float = 1.0
    never_stops: bool = False
    sandbox: str = ""
    init: bool = False
    """The trouble is in the init container."""
    waits: tuple[str, str] = ("", "")
    """Reason and message of a container that never gets to run."""
    hook: str = ""
    """What the postStart hook says; the container is killed."""
    mount: str = ""
    """What mounting its volumes says."""
    log: str = "listening"
    metrics: str = ""
    gate: str = ""


@dataclass
class _Life:
    began: float = 0.0
    ready_since: float | None = None
    pulls: int = 0
    next_at: float = 0.0
    running_since: float | None = None
    restarts: int = 0
    last: Obj = field(default_factory=dict)
    waiting: tuple[str, str] = ("ContainerCreating", "")
    stopping: float | None = None
    warned: str = ""
    sandboxed: bool = False


class Kubelet:
    def __init__(self, store: Store, events: Any) -> None:
        self.store = store
        self.events = events
        self.behaviours: dict[str, Behaviour] = {}
        self.lost: set[str] = set()
        self.unfit: Callable[[Obj], str] = lambda pod: ""
        """What the scheduler says of every node for a pod, beyond what it finds by itself."""
        self._lives: dict[str, _Life] = {}

    def step(self) -> None:
        self._nodes()
        alive: set[str] = set()
        for pod in self.store.all("v1/pods"):
            alive.add(pod["metadata"]["uid"])
            if not pod["spec"].get("nodeName"):
                self._schedule(pod)
            elif pod["spec"]["nodeName"] not in self.lost:
                self._run(pod)
        for uid in set(self._lives) - alive:
            del self._lives[uid]

    def behaviour(self, pod: Obj) -> Behaviour:
        for box in pod["spec"]["containers"]:
            for pattern, found in self.behaviours.items():
                if box["image"] == pattern or re.fullmatch(pattern, box["image"]):
                    return found
        return Behaviour()

    # Nodes

    def _nodes(self) -> None:
        for node in self.store.all("v1/nodes"):
            name = node["metadata"]["name"]
            lost = name in self.lost
            ready = next(c for c in node["status"]["conditions"] if c["type"] == "Ready")
            if lost and ready["status"] != "Unknown":
                gone = {
                    "type": "Ready",
                    "status": "Unknown",
                    "reason": "NodeStatusUnknown",
                    "message": "Kubelet stopped posting node status.",
                    "lastTransitionTime": self.store.clock.text(),
                }
                self.store.edit(
                    "v1/nodes", node, lambda o, c=gone: o["status"].update(conditions=[c])
                )
                for pod in self.store.all("v1/pods"):
                    if pod["spec"].get("nodeName") == name:
                        self._ready(pod, False, "NodeNotReady")

    def _schedule(self, pod: Obj) -> None:
        if pod["spec"].get("schedulerName", "default-scheduler") != "default-scheduler":
            return
        if pod["spec"].get("schedulingGates"):
            self._unscheduled(
                pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates"
            )
            return
        load: dict[str, int] = {}
        for other in self.store.all("v1/pods"):
            placed = other["spec"].get("nodeName", "")
            load[placed] = load.get(placed, 0) + 1
        nodes = sorted(self.store.all("v1/nodes"), key=lambda n: load.get(n["metadata"]["name"], 0))
        reasons: dict[str, int] = {}
        for node in nodes:
            why = self._unfit(pod, node)
            if not why:
                name = node["metadata"]["name"]
                self.store.edit(
                    "v1/pods",
                    pod,
                    lambda o, name=name: (
                        o["spec"].update(nodeName=name),
                        o["status"].update(
                            conditions=[
                                {
                                    "type": "PodScheduled",
                                    "status": "True",
                                    "lastTransitionTime": self.store.clock.text(),
                                }
                            ]
                        ),
                    ),
                )
                return
            reasons[why] = reasons.get(why, 0) + 1
        facts = ", ".join(f"{n} {why}" for why, n in sorted(reasons.items()))
        claim = self._missing_claim(pod)
        said = (
            claim
            or f"0/{len(nodes)} nodes are available: {facts}. no new claims to deallocate, preemption: 0/{len(nodes)} nodes are available: {len(nodes)} No preemption victims found for incoming pod."
        )
        if self._unscheduled(pod, "Unschedulable", said):
            self.events.record(pod, "Warning", "FailedScheduling", said)

    def _unscheduled(self, pod: Obj, reason: str, said: str) -> bool:
        held = next(
            (c for c in pod["status"].get("conditions") or [] if c["type"] == "PodScheduled"), None
        )
        if held and held["message"] == said:
            return False
        waiting = {
            "type": "PodScheduled",
            "status": "False",
            "reason": reason,
            "message": said,
            "lastTransitionTime": held["lastTransitionTime"] if held else self.store.clock.text(),
        }
        self.store.edit("v1/pods", pod, lambda o: o["status"].update(conditions=[waiting]))
        return True

    def _missing_claim(self, pod: Obj) -> str:
        for volume in pod["spec"].get("volumes") or []:
            name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if name and not self.store.find(
                "v1/persistentvolumeclaims", pod["metadata"]["namespace"], name
            ):
                return f'persistentvolumeclaim "{name}" not found'
        return ""

    def _unfit(self, pod: Obj, node: Obj) -> str:
        if self._missing_claim(pod):
            return "volume"
        if said := self.unfit(pod):
            return said
        if node["spec"].get("unschedulable"):
            return "node(s) were unschedulable"
        if node["metadata"]["name"] in self.lost:
            return "node(s) had untolerated taint(s)"
        tolerated = {t.get("key") for t in pod["spec"].get("tolerations") or []}
        for taint in node["spec"].get("taints") or []:
            if taint["key"] not in tolerated:
                return "node(s) had untolerated taint(s)"
        labels = node["metadata"].get("labels") or {}
        if any(labels.get(k) != v for k, v in (pod["spec"].get("nodeSelector") or {}).items()):
            return "node(s) didn't match Pod's node affinity/selector"
        return self._short_of(pod, node)

    def _short_of(self, pod: Obj, node: Obj) -> str:
        wanted = _requests(pod)
        used: dict[str, float] = {}
        for other in self.store.all("v1/pods"):
            over = (other.get("status") or {}).get("phase") in ("Succeeded", "Failed")
            if other["spec"].get("nodeName") == node["metadata"]["name"] and not over:
                for key, value in _requests(other).items():
                    used[key] = used.get(key, 0) + value
        for key, value in wanted.items():
            if used.get(key, 0) + value > quantity(node["status"]["allocatable"].get(key, 0)):
                return f"Insufficient {key}"
        return ""

    # Pods on nodes

    def _run(self, pod: Obj) -> None:
        now = self.store.clock.seconds()
        life = self._lives.setdefault(pod["metadata"]["uid"], _Life(began=now))
        acts = self.behaviour(pod)
        if "deletionTimestamp" in pod["metadata"]:
            self._stop(pod, life, acts, now)
            return
        if life.running_since is None:
            if now >= life.next_at:
                self._start(pod, life, acts, now)
        else:
            self._live(pod, life, acts, now)
        self._report(pod, life, acts, now)

    def _stop(self, pod: Obj, life: _Life, acts: Behaviour, now: float) -> None:
        if life.stopping is None:
            life.stopping = now
            if is_ready(pod):
                self._ready(pod, False, "ContainersNotReady")
        if acts.never_stops or now - life.stopping < acts.stop_after:
            return
        if not pod["metadata"].get("finalizers"):
            self.store.remove("v1/pods", pod)
        elif pod["status"].get("phase") != "Succeeded":
            # its containers have ended, so the kubelet calls it finished; only the object stays
            self.store.edit("v1/pods", pod, lambda o: o["status"].update(phase="Succeeded"))

    def _start(self, pod: Obj, life: _Life, acts: Behaviour, now: float) -> None:
        image = pod["spec"]["containers"][0]["image"]
        if acts.sandbox:
            self._warn(
                pod,
                life,
                "FailedCreatePodSandBox",
                f"Failed to create pod sandbox: rpc error: code = Unknown desc = {acts.sandbox}",
            )
            return
        mount = acts.mount or self._missing_mount(pod)
        if mount:
            self._warn(pod, life, "FailedMount", mount)
            return
        life.sandboxed = True
        if acts.waits[0]:
            life.waiting = acts.waits
            return
        if acts.pull and life.pulls < acts.pull_failures:
            self._pull(pod, life, acts, image, now)
            return
        missing = self._missing_reference(pod)
        if missing:
            life.waiting = ("CreateContainerConfigError", missing)
            return
        if life.last:
            life.restarts += 1
        if acts.cannot_start:
            said = f"failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: {acts.cannot_start}"
            self._end(life, {"exitCode": 128, "reason": "StartError", "message": said}, now)
            return
        life.running_since = now
        life.waiting = ("", "")

    def _pull(self, pod: Obj, life: _Life, acts: Behaviour, image: str, now: float) -> None:
        if acts.pull == "invalid":
            life.waiting = (
                "InvalidImageName",
                f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": invalid reference format',
            )
            return
        if acts.pull == "never":
            life.waiting = (
                "ErrImageNeverPull",
                f'Container image "{image}" is not present with pull policy of Never',
            )
            return
        life.pulls += 1
        said = PULL_ERRORS[acts.pull].format(i=image)
        self._warn(pod, life, "Failed", f'Failed to pull image "{image}": {said}')
        backing = life.pulls > 1
        life.waiting = (
            ("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {said}')
            if backing
            else ("ErrImagePull", said)
        )
        life.next_at = now + min(300, 10 * 2 ** (life.pulls - 1))

    def _missing_mount(self, pod: Obj) -> str:
        space = pod["metadata"]["namespace"]
        for volume in pod["spec"].get("volumes") or []:
            for key, resource, field_name in (
                ("secret", "v1/secrets", "secretName"),
                ("configMap", "v1/configmaps", "name"),
            ):
                name = (volume.get(key) or {}).get(field_name)
                if name and not self.store.find(resource, space, name):
                    return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {key.lower()} "{name}" not found'
        return ""

    def _missing_reference(self, pod: Obj) -> str:
        space = pod["metadata"]["namespace"]
        for box in pod["spec"]["containers"]:
            for env in box.get("env") or []:
                for key, resource, word in (
                    ("secretKeyRef", "v1/secrets", "secret"),
                    ("configMapKeyRef", "v1/configmaps", "configmap"),
                ):
                    ref = (env.get("valueFrom") or {}).get(key)
                    if not ref:
                        continue
                    held = self.store.find(resource, space, ref["name"])
                    if held is None:
                        return f'{word} "{ref["name"]}" not found'
                    if ref["key"] not in (held.get("data") or {}):
                        return f"couldn't find key {ref['key']} in {word.capitalize()} {space}/{ref['name']}"
        return ""

    def _live(self, pod: Obj, life: _Life, acts: Behaviour, now: float) -> None:
        assert life.running_since is not None
        lasted = now - life.running_since
        failing = acts.liveness or acts.startup
        if failing and lasted >= acts.exit_after:
            word = "Liveness" if acts.liveness else "Startup"
            name = pod["spec"]["containers"][0]["name"]
            self.events.record(pod, "Warning", "Unhealthy", f"{word} probe failed: {failing}")
            self.events.record(
                pod,
                "Normal",
                "Killing",
                f"Container {name} failed {word.lower()} probe, will be restarted",
            )
            self._end(life, {"exitCode": 137, "reason": "Error"}, now)
        elif acts.hook:
            name = pod["spec"]["containers"][0]["name"]
            self.events.record(
                pod, "Warning", "FailedPostStartHook", f"PostStartHook failed: {acts.hook}"
            )
            self.events.record(pod, "Normal", "Killing", f"FailedPostStartHook: {name}")
            self._end(life, {"exitCode": 137, "reason": "Error"}, now)
        elif acts.oom and lasted >= acts.exit_after and life.restarts < acts.exits:
            self._end(life, {"exitCode": 137, "reason": "OOMKilled"}, now)
        elif (
            acts.exit_code is not None and lasted >= acts.exit_after and life.restarts < acts.exits
        ):
            reason = "Completed" if acts.exit_code == 0 else "Error"
            self._end(life, {"exitCode": acts.exit_code, "reason": reason}, now)
        elif acts.never_ready and lasted >= acts.ready_after:
            self._warn(pod, life, "Unhealthy", f"Readiness probe failed: {acts.never_ready}")

    def _end(self, life: _Life, how: Obj, now: float) -> None:
        began = self.store.clock.text(-(now - (life.running_since or now)))
        life.running_since = None
        life.last = {**how, "startedAt": began, "finishedAt": self.store.clock.text()}
        delay = 0.0 if life.restarts == 0 else min(300, 10 * 2 ** (life.restarts - 1))
        life.next_at = now + delay
        life.waiting = (
            (
                "CrashLoopBackOff",
                f"back-off {int(delay)}s restarting failed container=server pod=digits_ml(1)",
            )
            if delay
            else ("ended", "")
        )

    def _warn(self, pod: Obj, life: _Life, reason: str, message: str) -> None:
        if life.warned != message:
            life.warned = message
            self.events.record(pod, "Warning", reason, message)

    # Status

    def _report(self, pod: Obj, life: _Life, acts: Behaviour, now: float) -> None:
        running = life.running_since is not None
        steady = (
            running
            and not acts.never_ready
            and not acts.startup
            and now - (life.running_since or now) >= acts.ready_after
        )
        boxes = pod["spec"]["containers"]
        state: Obj
        if running:
            state = {
                "running": {
                    "startedAt": self.store.clock.text(-(now - (life.running_since or now)))
                }
            }
        elif life.waiting[0] == "ended":
            state = {"terminated": life.last}
        else:
            state = {"waiting": {"reason": life.waiting[0], "message": life.waiting[1]}}
        box = {
            "name": boxes[0]["name"],
            "image": boxes[0]["image"],
            "ready": bool(steady),
            "started": running and not acts.startup,
            "restartCount": life.restarts,
            "state": state,
            "lastState": {"terminated": life.last}
            if life.last and life.waiting[0] != "ended"
            else {},
        }
        status = dict(pod["status"])
        status["phase"] = "Running" if running or life.last else "Pending"
        if acts.init:
            status["phase"] = "Pending"
            status["initContainerStatuses"] = [{**box, "name": "prepare", "ready": False}]
            box = {
                **box,
                "ready": False,
                "started": False,
                "restartCount": 0,
                "lastState": {},
                "state": {"waiting": {"reason": "PodInitializing"}},
            }
            steady = False
        status["containerStatuses"] = [box]
        ready = bool(steady) and not acts.gate
        conditions = {c["type"]: c for c in status.get("conditions") or []}
        if life.sandboxed and "PodReadyToStartContainers" not in conditions:
            conditions["PodReadyToStartContainers"] = {
                "type": "PodReadyToStartContainers",
                "status": "True",
                "lastTransitionTime": self.store.clock.text(),
            }
        held = conditions.get("Ready")
        word = "True" if ready else "False"
        if held is None or held["status"] != word:
            conditions["Ready"] = {
                "type": "Ready",
                "status": word,
                "lastTransitionTime": self.store.clock.text(),
            }
            if acts.gate:
                conditions["Ready"]["reason"] = "ReadinessGatesNotReady"
        status["conditions"] = list(conditions.values())
        if _bare(status) != _bare(pod["status"]):
            self.store.edit("v1/pods", pod, lambda o: o.update(status=status))

    def _ready(self, pod: Obj, ready: bool, reason: str) -> None:
        def change(o: Obj) -> None:
            kept = [c for c in o["status"].get("conditions") or [] if c["type"] != "Ready"]
            kept.append(
                {
                    "type": "Ready",
                    "status": "True" if ready else "False",
                    "reason": reason,
                    "lastTransitionTime": self.store.clock.text(),
                }
            )
            o["status"]["conditions"] = kept

        self.store.edit("v1/pods", pod, change)


def _requests(pod: Obj) -> dict[str, float]:
    found: dict[str, float] = {}
    for box in pod["spec"]["containers"]:
        resources = box.get("resources") or {}
        for key, value in {
            **(resources.get("limits") or {}),
            **(resources.get("requests") or {}),
        }.items():
            found[key] = found.get(key, 0) + quantity(value)
    return found


def _bare(status: Obj) -> Obj:
    """A status without the start time, which is written with one-second resolution."""
    boxes = [
        {**b, "state": {k: {} if k == "running" else v for k, v in b["state"].items()}}
        for b in status.get("containerStatuses") or []
    ]
    return {**status, "containerStatuses": boxes}
