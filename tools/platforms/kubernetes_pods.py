"""A pod reduced to what status and causes need: thousands of them fit in a few megabytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tools.platforms.kubernetes_objects import (
    ACTION,
    HASH,
    VERSION,
    Obj,
    at,
    condition,
    controller,
    created,
    many,
    moment,
    note,
    number,
    table,
)

HASHES = (HASH, "rollouts-pod-template-hash", "controller-revision-hash")
"""Labels by which controllers tell revisions of a template apart."""
SERVED = timedelta(seconds=15)
"""How long a container must have run for the loss of its readiness to tell of a fault that is not
one of its start: a server may be ready for a moment before it finds out what it lacks."""
Stage = Literal["waiting", "running", "terminated"]


@dataclass(frozen=True, slots=True)
class Box:
    """One container of a pod, as its kubelet reports it."""

    name: str
    image: str
    init: bool
    ready: bool
    started: bool
    restarts: int
    stage: Stage
    reason: str
    """Why it waits or why it ended: ``CrashLoopBackOff``, ``OOMKilled``, …"""
    message: str
    exit: int | None
    since: datetime | None
    """When the present run began."""
    last_reason: str
    """Why it ended the time before."""
    last_exit: int | None
    last_message: str
    last_since: datetime | None = None
    """When the run before began."""
    last_until: datetime | None = None
    """When the run before ended."""


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod. Times are the cluster's."""

    name: str
    namespace: str
    uid: str
    owner_kind: str
    owner_name: str
    owner_uid: str
    hash: str
    node: str | None
    phase: str
    reason: str
    message: str
    ready: bool
    ready_since: datetime | None
    created: datetime
    deleted: datetime | None
    """When it should be gone: the request's time plus the grace period."""
    finalizers: tuple[str, ...]
    unscheduled: str
    """What the scheduler says, while it finds no node."""
    unscheduled_since: datetime | None
    gate: str
    scheduler: str
    """Who should place it, while nobody has said anything about that."""
    claims: tuple[str, ...]
    sandboxed: bool
    """Its volumes are mounted and its network is there: containers can be started."""
    ports: tuple[tuple[str, int], ...]
    """Named ports of its containers."""
    version: str | None
    action_id: str | None
    boxes: tuple[Box, ...]

    @property
    def restarts(self) -> int:
        """Restarts of all its containers."""
        return sum(box.restarts for box in self.boxes)

    @property
    def over(self) -> bool:
        """Finished for good: it is no replica any more."""
        return self.phase in ("Succeeded", "Failed")

    @property
    def leaving(self) -> bool:
        """Told to stop and still there: by its process, or by a finalizer after its process ended."""
        return self.deleted is not None and (not self.over or bool(self.finalizers))

    @property
    def begun(self) -> bool:
        """Whether any of its containers was started."""
        return self.sandboxed or any(b.stage != "waiting" or b.restarts for b in self.boxes)

    @property
    def dropped(self) -> datetime | None:
        """When it stopped being ready, if it had been after running for a while.

        A pod that never was ready is reported as such before its containers start, and the time of
        that stays; so a later one tells of a pod that served.
        """
        if self.ready or self.ready_since is None:
            return None
        starts = [t for b in self.boxes if not b.init for t in (b.since, b.last_since) if t]
        starts = [t for t in starts if t >= self.created]  # the epoch, where it could not start
        served = any(t + SERVED < self.ready_since for t in starts)
        return self.ready_since if served else None

    def port(self, named: str) -> int | None:
        """The number of a named port; of its first port where that name is unknown."""
        if named.isdigit():
            return int(named)
        by_name = dict(self.ports)
        return by_name.get(named) or next((n for _, n in self.ports), None)


def read_pod(obj: Obj) -> Pod:
    """The pod of an API object."""
    meta, status = obj["metadata"], table(obj, "status")
    kind, owner, owner_uid = controller(obj)
    labels = table(meta, "labels")
    if kind == "ReplicaSet" and HASHES[1] in labels:
        kind = "RolloutReplicaSet"
    ready = condition(obj, "Ready")
    scheduled = condition(obj, "PodScheduled")
    waits = scheduled.get("status") == "False"
    return Pod(
        name=meta["name"],
        namespace=meta.get("namespace", ""),
        uid=meta["uid"],
        owner_kind=kind,
        owner_name=owner,
        owner_uid=owner_uid,
        hash=next((str(labels[key]) for key in HASHES if key in labels), ""),
        node=at(obj, "spec", "nodeName"),
        phase=status.get("phase", "Pending"),
        reason=status.get("reason", ""),
        message=status.get("message", ""),
        ready=ready.get("status") == "True" and "deletionTimestamp" not in meta,
        ready_since=moment(ready.get("lastTransitionTime")),
        created=created(obj),
        deleted=moment(meta.get("deletionTimestamp")),
        finalizers=tuple(meta.get("finalizers") or ()),
        unscheduled=scheduled.get("message", "") if waits else "",
        unscheduled_since=moment(scheduled.get("lastTransitionTime")) if waits else None,
        gate=_gate(obj),
        scheduler="" if scheduled else str(at(obj, "spec", "schedulerName") or ""),
        claims=() if scheduled.get("status") == "True" else _claims(obj),
        sandboxed=condition(obj, "PodReadyToStartContainers").get("status") == "True",
        ports=_ports(obj),
        version=note(obj, VERSION),
        action_id=note(obj, ACTION),
        boxes=_boxes(obj),
    )


def _claims(obj: Obj) -> tuple[str, ...]:
    found = (at(v, "persistentVolumeClaim", "claimName") for v in many(obj, "spec", "volumes"))
    return tuple(str(name) for name in found if name)


def _ports(obj: Obj) -> tuple[tuple[str, int], ...]:
    return tuple(
        (str(p.get("name", "")), number(p, "containerPort"))
        for box in many(obj, "spec", "containers")
        for p in many(box, "ports")
    )


def _gate(obj: Obj) -> str:
    if condition(obj, "Ready").get("reason") != "ReadinessGatesNotReady":
        return ""
    gates = [str(g["conditionType"]) for g in many(obj, "spec", "readinessGates")]
    return next((g for g in gates if condition(obj, g).get("status") != "True"), "")


def _boxes(obj: Obj) -> tuple[Box, ...]:
    sidecars = {
        c["name"] for c in many(obj, "spec", "initContainers") if c.get("restartPolicy") == "Always"
    }
    first = [
        _box(s, s["name"] not in sidecars) for s in many(obj, "status", "initContainerStatuses")
    ]
    return (*first, *(_box(s, False) for s in many(obj, "status", "containerStatuses")))


def _box(status: Obj, init: bool) -> Box:
    state = table(status, "state")
    stage: Stage = "waiting"
    if "running" in state:
        stage = "running"
    elif "terminated" in state:
        stage = "terminated"
    inner, last = table(state, stage), table(status, "lastState", "terminated")
    return Box(
        name=status["name"],
        image=status.get("image", ""),
        init=init,
        ready=bool(status.get("ready")),
        started=bool(status.get("started")),
        restarts=number(status, "restartCount"),
        stage=stage,
        reason=inner.get("reason", ""),
        message=inner.get("message", ""),
        exit=inner.get("exitCode"),
        since=moment(inner.get("startedAt")),
        last_reason=last.get("reason", ""),
        last_exit=last.get("exitCode"),
        last_message=last.get("message", ""),
        last_since=moment(last.get("startedAt")),
        last_until=moment(last.get("finishedAt")),
    )
