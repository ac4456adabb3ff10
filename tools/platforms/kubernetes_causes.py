"""Why a pod does not serve: the named cause, from what the scheduler and the kubelet report.

Each cause knows how long it may last before it is believed: an image that does not exist will not
appear by waiting, while a slow start looks like a failing probe until the progress deadline.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from tools.platforms.base import PlatformEvent
from tools.platforms.kubernetes_box_causes import box_cause, exit_words, is_oom, last_part
from tools.platforms.kubernetes_pods import Pod
from tools.platforms.kubernetes_refusals import (
    CAPACITY,
    CONFIG,
    CRASH,
    EVICTED,
    INIT,
    NEVER,
    NODE,
    OOM,
    PROBE,
    SANDBOX,
    STARTING,
    STUCK,
    VOLUME,
    Cause,
    Lost,
    short,
    unschedulable,
)

SILENT = timedelta(seconds=60)
"""How long a node may report nothing: after an outage of the API server all nodes look lost until
each has reported again."""


def pod_cause(
    pod: Pod,
    events: Sequence[PlatformEvent],
    lost: Mapping[str, Lost],
    taints: tuple[str, ...] = (),
) -> Cause | None:
    """Why ``pod`` is not ready (or not gone), or ``None`` when nothing is wrong (yet).

    Args:
        pod: the pod.
        events: what was reported about it, oldest first; may be empty.
        lost: nodes that are not ready, with what they say.
        taints: keys of the nodes' taints, where the scheduler speaks of taints.
    """
    if pod.node and pod.node in lost and not pod.over:
        return _on_lost_node(pod, lost[pod.node])
    if pod.deleted:
        return _stuck(pod)
    if pod.phase == "Failed" and not pod.ready:
        return _failed(pod)
    if pod.ready:
        return None
    if pod.unscheduled:
        return unschedulable(pod.unscheduled, pod.unscheduled_since or pod.created, taints)
    for box in pod.boxes:
        found = box_cause(pod, box, events)
        if found is not None:
            return found
    return _starting(pod, events)


def _on_lost_node(pod: Pod, node: Lost) -> Cause:
    detail = f"{pod.node}: {short(node.says, 120)}"
    since = node.since or pod.ready_since or pod.created
    return Cause(NODE, detail, SILENT, since)


def _stuck(pod: Pod) -> Cause:
    assert pod.deleted is not None
    held = f"held by finalizer {pod.finalizers[0]}" if pod.finalizers else "its process stays"
    if not pod.finalizers and pod.node is None:
        held = "it was never scheduled"
    return Cause(STUCK, f"{pod.name}: {held}", timedelta(seconds=30), pod.deleted)


def _failed(pod: Pod) -> Cause:
    name = EVICTED if pod.reason in ("Evicted", "Preempting", "Terminated") else CRASH
    if pod.reason in ("NodeAffinity", "UnexpectedAdmissionError") or pod.reason.startswith("OutOf"):
        name = CAPACITY
    if pod.reason in ("NodeLost", "NodeShutdown"):
        name = NODE
    said = f"{pod.reason} {pod.message}".strip()
    ended = [b for b in pod.boxes if b.stage == "terminated" and b.exit != 0]
    if name == CRASH and ended:
        name = OOM if is_oom(ended[0]) else CRASH
        said = f"{exit_words(ended[0])}; {said}" if said else exit_words(ended[0])
    return Cause(name, short(said), timedelta(minutes=1), pod.created)


_MOUNT = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")
_NETWORK = ("FailedCreatePodSandBox", "NetworkNotReady", "FailedPrepareDynamicResources")


def _starting(pod: Pod, events: Sequence[PlatformEvent]) -> Cause | None:
    if pod.node is None:
        return _unplaced(pod)
    for event in reversed(events):
        if event.reason in _MOUNT and not pod.begun:  # later, the event only tells of the past
            return _mount(pod, event)
        if event.reason in _NETWORK and not pod.begun:
            return _sandbox(pod, event)
        if event.reason == "Unhealthy" and any(b.stage == "running" for b in pod.boxes):
            return _unhealthy(pod, event)
    if pod.gate:
        return Cause(PROBE, f"readiness gate {pod.gate} is not true", NEVER, pod.created)
    for box in pod.boxes:
        if box.stage == "running" and box.init:
            said = f"{box.name} still runs, and the containers wait for it"
            return Cause(INIT, said, NEVER, pod.created)
        if box.stage == "running" and not box.ready:
            word = "readiness" if box.started else "startup"
            said = f"container {box.name} runs but its {word} probe has not passed"
            return Cause(STARTING, said, NEVER, pod.created)
    return None


def _sandbox(pod: Pod, event: PlatformEvent) -> Cause:
    said = event.message.split("desc = ")[-1]
    if "OOM-killed" in said:
        said = f"the memory limit is too low even to begin: {last_part(said)}"
        return Cause(OOM, short(said), timedelta(seconds=30), pod.created)
    return Cause(SANDBOX, short(said), timedelta(seconds=60), pod.created)


def _unhealthy(pod: Pod, event: PlatformEvent) -> Cause:
    """A failing probe: of a slow start while it never was ready, of a fault once it has served."""
    if pod.dropped is None:
        return Cause(PROBE, short(event.message), NEVER, pod.created)
    said = f"{short(event.message)}; it had been ready before"
    return Cause(PROBE, said, timedelta(seconds=15), pod.dropped)


def _unplaced(pod: Pod) -> Cause | None:
    """A pod about which no scheduler has said a word."""
    if pod.claims:
        said = f"claim {pod.claims[0]} is not bound yet"
        return Cause(VOLUME, said, timedelta(seconds=120), pod.created)
    if not pod.scheduler:
        return None
    said = f"scheduler {pod.scheduler} has not looked at it"
    return Cause(f"{CAPACITY} (no scheduler)", said, timedelta(seconds=60), pod.created)


def _mount(pod: Pod, event: PlatformEvent) -> Cause:
    missing = re.search(
        r'(configmap|secret) "[^"]+" not found|references non-existent', event.message
    )
    name = CONFIG if missing else VOLUME
    detail = missing[0] if missing and missing[1] else last_part(event.message)
    return Cause(name, short(detail), timedelta(seconds=30), pod.created)
