"""A workload with what was read about it, and its numbers under one name for every kind."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tools.contract import Json
from tools.platforms.base import PlatformEvent, Release
from tools.platforms.kubernetes_objects import (
    ARTIFACT,
    CONFIG,
    DIGEST,
    MODEL,
    REVISION,
    VERSION,
    Obj,
    at,
    condition,
    many,
    note,
    number,
    table,
)
from tools.platforms.kubernetes_pods import Pod
from tools.platforms.kubernetes_refusals import Lost


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers of a workload's status, under one name for every kind."""

    wanted: int
    total: int
    updated: int
    ready: int
    available: int
    seen: bool
    """Whether the controller has looked at the newest desired state."""
    paused: bool


@dataclass(frozen=True, slots=True)
class View:
    """A workload with everything that was read about it."""

    workload: Obj
    pods: Sequence[Pod]
    revisions: Mapping[str, int]
    """Template hash → revision number."""
    newest: str
    """Template hash of the newest revision; empty while there is none."""
    revision: int
    now: datetime
    events: Mapping[str, Sequence[PlatformEvent]] = field(
        default_factory=dict[str, "Sequence[PlatformEvent]"]
    )
    """By the uid of the object they are about."""
    lost: Mapping[str, Lost] = field(default_factory=dict[str, "Lost"])
    """Nodes that are not ready."""
    taints: tuple[str, ...] = ()
    """Taints of the cluster's nodes, where the scheduler speaks of taints."""

    @property
    def fresh(self) -> list[Pod]:
        """Pods of the newest revision that count."""
        return [p for p in self.pods if p.hash == self.newest and not p.deleted and not p.over]

    @property
    def leaving(self) -> list[Pod]:
        """Pods that have been told to stop and are still there."""
        return [p for p in self.pods if p.leaving]

    def names_newest(self, message: str) -> bool:
        """Whether a condition's message is about the newest revision.

        A condition outlives the revision it was written for until the controller writes the next;
        the message names the ReplicaSet, which ends with the template's hash.
        """
        return "ReplicaSet" not in message or not self.newest or f'-{self.newest}"' in message


def counts(workload: Obj) -> Counts:
    """The numbers of a Deployment, StatefulSet or DaemonSet."""
    spec, said = table(workload, "spec"), table(workload, "status")
    seen = number(said, "observedGeneration") >= number(workload, "metadata", "generation")
    if workload.get("kind") == "InferenceService":
        up = int(condition(workload, "Ready").get("status") == "True")
        return Counts(1, 1, up, up, up, seen, False)
    if workload.get("kind") == "DaemonSet":
        return Counts(
            wanted=number(said, "desiredNumberScheduled"),
            total=number(said, "currentNumberScheduled"),
            updated=number(said, "updatedNumberScheduled"),
            ready=number(said, "numberReady"),
            available=number(said, "numberAvailable"),
            seen=seen,
            paused=False,
        )
    return Counts(
        wanted=1 if spec.get("replicas") is None else number(spec, "replicas"),
        total=number(said, "replicas"),
        updated=number(said, "updatedReplicas"),
        ready=number(said, "readyReplicas"),
        available=number(said, "availableReplicas"),
        seen=seen,
        paused=bool(spec.get("paused") or said.get("pauseConditions")),
    )


def release_of(workload: Obj, container: str | None = None) -> Release:
    """What the pod template runs, by Steward's annotations and its main container."""
    if workload.get("kind") == "InferenceService":
        model = table(workload, "spec", "predictor", "model")
        return Release(
            model=note(workload, MODEL),
            version=note(workload, VERSION),
            digest=note(workload, DIGEST),
            artifact=model.get("storageUri"),
            config=_config(note(workload, CONFIG)),
        )
    return release_in(table(workload, "spec", "template"), container)


def release_in(template: Obj, container: str | None = None) -> Release:
    """What one pod template runs."""
    notes = table(template, "metadata", "annotations")
    return Release(
        model=notes.get(MODEL),
        version=notes.get(VERSION),
        digest=notes.get(DIGEST),
        artifact=notes.get(ARTIFACT),
        image=main_container(template, container).get("image"),
        config=_config(notes.get(CONFIG)),
    )


def main_container(template: Obj, name: str | None = None) -> Obj:
    """The container of that name, or the default-container annotation's, or the first."""
    found = many(template, "spec", "containers")
    wanted = name or at(
        template, "metadata", "annotations", "kubectl.kubernetes.io/default-container"
    )
    named = [c for c in found if c.get("name") == wanted]
    return (named or found or [{}])[0]


def _config(text: str | None) -> Mapping[str, Json]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def complete(numbers: Counts) -> bool:
    """The newest revision is everywhere and available; old replicas may still be leaving."""
    return (
        numbers.seen
        and numbers.updated == numbers.wanted
        and numbers.total == numbers.updated
        and numbers.available >= numbers.wanted
    )


def revision_of(workload: Obj) -> int:
    """The revision number the controller wrote on it; 0 before it looked, or where it does not."""
    notes = table(workload, "metadata", "annotations")
    return number(notes, REVISION) or number(notes, "rollout.argoproj.io/revision")
