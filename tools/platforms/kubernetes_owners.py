"""What belongs to which workload: pods by their ReplicaSets, views from what was read, events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tools.platforms import kubernetes_kserve as kserve
from tools.platforms.base import PlatformEvent
from tools.platforms.kubernetes_objects import (
    Obj,
    at,
    moment,
    number,
    table,
)
from tools.platforms.kubernetes_pods import HASHES, Pod
from tools.platforms.kubernetes_view import View, complete, counts, revision_of


def read_event(obj: Obj) -> PlatformEvent:
    """An event as the contract words it; both generations of its time fields are read."""
    series = table(obj, "series")
    when = series.get("lastObservedTime") or obj.get("lastTimestamp") or obj.get("eventTime")
    when = when or obj.get("firstTimestamp") or at(obj, "metadata", "creationTimestamp")
    about = table(obj, "involvedObject")
    known = moment(when)
    assert known is not None
    return PlatformEvent(
        at=known,
        target=f"{str(about.get('kind')).lower()}/{about.get('name')}",
        kind="warning" if obj.get("type") == "Warning" else "normal",
        reason=str(obj.get("reason") or ""),
        message=" ".join(str(obj.get("message") or "").split()),
        count=number(series, "count") or number(obj, "count") or 1,
    )


def root_of(pod: Pod) -> tuple[str, str]:
    """The workload of a pod: a ReplicaSet is named after its Deployment and the template hash."""
    if pod.owner_kind.endswith("ReplicaSet") and pod.owner_name.endswith(f"-{pod.hash}"):
        kind = "Deployment" if pod.owner_kind == "ReplicaSet" else "Rollout"
        return kind, pod.owner_name[: -len(pod.hash) - 1]
    return pod.owner_kind, pod.owner_name


def hash_of(replica_set: Obj) -> str:
    """The template hash of a ReplicaSet."""
    labels = table(replica_set, "metadata", "labels")
    return next((str(labels[key]) for key in HASHES if key in labels), "")


def settled(work: Obj) -> bool:
    """Whether a listing needs no ReplicaSets to understand it."""
    return complete(counts(work))


def deployment_view(
    work: Obj, pods: list[Pod], revisions: Mapping[str, int], now: datetime
) -> View:
    """The view of a Deployment whose ReplicaSets were read."""
    current = revision_of(work)
    newest = next((h for h, n in revisions.items() if n == current and n), "")
    return View(work, pods, revisions, newest, current, now)


def simple_view(work: Obj, pods: list[Pod], now: datetime) -> View:
    """A view without ReplicaSets: the newest revision is what the status or the youngest pod says."""
    said = at(work, "status", "updateRevision") or at(work, "status", "currentPodHash")
    youngest = max((p for p in pods if not p.deleted), key=lambda p: p.created, default=None)
    newest = str(said or (youngest.hash if youngest else ""))
    revision = revision_of(work) or number(work, "metadata", "generation")
    if work.get("kind") == kserve.KIND:
        revision = kserve.revision(work)
    return View(work, pods, {newest: revision}, newest, revision, now)
