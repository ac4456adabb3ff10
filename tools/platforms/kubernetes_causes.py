"""Why a pod does not serve: the named cause, from what the scheduler and the kubelet report.

Each cause knows how long it may last before it is believed: an image that does not exist will not
appear by waiting, while a slow start looks like a failing probe until the progress deadline.
"""

from __future__ import annotations

import re
from datetime import timedelta

from tools.platforms.base import PlatformEvent
from tools.platforms.kubernetes_pods import Box, Pod
from tools.platforms.kubernetes_refusals import (
    AT_ONCE,
    CAPACITY,
    CONFIG,
    CRASH,
    EVICTED,
    IMAGE,
    NEVER,
    NODE,
    OOM,
    PROBE,
    SANDBOX,
    STUCK,
    VOLUME,
    Cause,
    short,
    unschedulable,
)


def pod_cause(pod: Pod, events: tuple[PlatformEvent, ...], lost: dict[str, str]) -> Cause | None:
    """Why ``pod`` is not ready (or not gone), or ``None`` when nothing is wrong (yet).

    Args:
        pod: the pod.
        events: what was reported about it, oldest first; may be empty.
        lost: nodes that are not ready, with what they say.
    """
    if pod.node in lost and not pod.over:
        detail = f"{pod.node}: {short(lost[pod.node], 120)}"
        return Cause(NODE, detail, timedelta(seconds=20), pod.ready_since or pod.created)
    if pod.deleted:
        return _stuck(pod)
    if pod.phase == "Failed" and not pod.ready:
        return _failed(pod)
    if pod.ready:
        return None
    if pod.unscheduled:
        return unschedulable(pod.unscheduled, pod.unscheduled_since or pod.created)
    for box in pod.boxes:
        found = _box_cause(pod, box, events)
        if found is not None:
            return found
    return _starting(pod, events)


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
    return Cause(
        name, short(f"{pod.reason} {pod.message}".strip()), timedelta(minutes=1), pod.created
    )


_IMAGE_REASONS = frozenset(
    (
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "RegistryUnavailable",
        "ImageInspectError",
        "SignatureValidationFailed",
    )
)
_IMAGE_FINAL = re.compile(
    r"not found|unauthorized|denied|forbidden|invalid|manifest unknown|no match for platform"
    r"|does not exist|authentication required|never pull|not present|couldn't parse|no such host",
    re.IGNORECASE,
)
_CONFIG_REASONS = frozenset(("CreateContainerConfigError", "CreateContainerError"))
_START_REASONS = frozenset(("RunContainerError", "StartError", "ContainerCannotRun"))


def _box_cause(pod: Pod, box: Box, events: tuple[PlatformEvent, ...]) -> Cause | None:
    if box.stage == "running" and box.ready:
        return None
    if box.init and box.stage == "terminated" and box.exit == 0:
        return None
    if box.reason in _IMAGE_REASONS:
        return _image(pod, box, events)
    if box.reason in _CONFIG_REASONS:
        return Cause(CONFIG, short(box.message), timedelta(seconds=15), pod.created)
    if _oom(box):
        return _ended(pod, box, OOM, f"container {box.name} exceeded its memory limit")
    if box.reason in _START_REASONS or box.last_reason in _START_REASONS:
        said = box.message or box.last_message
        return _ended(pod, box, CRASH, f"container {box.name} cannot start: {_start(said)}")
    killed = _probe_kill(box, events)
    if killed and (box.restarts or box.stage != "running"):
        return _ended(pod, box, PROBE, killed)
    if box.reason == "CrashLoopBackOff" or box.stage == "terminated" or box.restarts:
        return _ended(pod, box, CRASH, _exit(box))
    return None


def _image(pod: Pod, box: Box, events: tuple[PlatformEvent, ...]) -> Cause:
    pulls = [
        e.message for e in events if e.reason in ("Failed", "InspectFailed") and "pull" in e.message
    ]
    said = box.message
    if pulls and ("Back-off" in said or not said) and ": " not in said.partition('"')[2]:
        said = pulls[-1]
    never = box.reason in ("InvalidImageName", "ErrImageNeverPull")
    final = never or bool(_IMAGE_FINAL.search(said))
    patience = timedelta(seconds=5) if final else timedelta(seconds=60)
    return Cause(IMAGE, short(f"{box.image}: {_reason_of_pull(said)}"), patience, pod.created)


def _reason_of_pull(said: str) -> str:
    last = said.rstrip().rstrip(".").split(": ")
    return ": ".join(last[-2:]) if len(last) > 1 else said


def _oom(box: Box) -> bool:
    reasons = (box.reason, box.last_reason)
    said = f"{box.message} {box.last_message}"
    return "OOMKilled" in reasons or "OOM-killed" in said


def _start(said: str) -> str:
    match = re.search(r"exec: (.+?)(?:: unknown)?$", " ".join(said.split()))
    return short(match[1] if match else said, 140)


_KILL = re.compile(r"failed (liveness|startup) probe")


def _probe_kill(box: Box, events: tuple[PlatformEvent, ...]) -> str:
    kills = [e for e in events if e.reason == "Killing" and _KILL.search(e.message)]
    kills = [e for e in kills if f"ontainer {box.name} " in e.message]
    if not kills:
        return ""
    match = _KILL.search(kills[-1].message)
    word = match[1].capitalize() if match else "Liveness"
    said = [e.message for e in events if e.reason == "Unhealthy" and word in e.message]
    return short(said[-1] if said else f"{word} probe failed")


_EXITS = {
    0: "its process ends",
    126: "the command cannot be executed",
    127: "the command is not found",
    134: "aborted",
    137: "killed",
    139: "segmentation fault",
    143: "terminated",
}


def _exit(box: Box) -> str:
    code = box.exit if box.exit is not None else box.last_exit
    said = box.last_message if box.exit is None else box.message
    part = "init container" if box.init else "container"
    meaning = f" ({_EXITS[code]})" if code in _EXITS else ""
    tail = f": {short(said, 120)}" if said and code != 0 else ""
    return f"{part} {box.name} exits with {code}{meaning}{tail}"


def _ended(pod: Pod, box: Box, name: str, detail: str) -> Cause:
    # One restart may be bad luck (a dependency that was late); the third is a loop.
    patience = AT_ONCE if box.restarts >= 3 else timedelta(seconds=75)
    if box.restarts >= 2 and name in (OOM, PROBE):
        patience = AT_ONCE
    if box.restarts == 0 and box.stage == "terminated":
        patience = timedelta(seconds=90)
    again = f", {box.restarts} restarts" if box.restarts else ""
    return Cause(name, detail + again, patience, pod.created)


def _starting(pod: Pod, events: tuple[PlatformEvent, ...]) -> Cause | None:
    for event in reversed(events):
        if event.reason in ("FailedMount", "FailedAttachVolume", "FailedMapVolume"):
            missing = re.search(
                r'(configmap|secret) "[^"]+" not found|references non-existent', event.message
            )
            name = CONFIG if missing else VOLUME
            detail = missing[0] if missing and missing[1] else _reason_of_pull(event.message)
            return Cause(name, short(detail), timedelta(seconds=30), pod.created)
        if event.reason == "FailedCreatePodSandBox":
            said = event.message.split("desc = ")[-1]
            return Cause(SANDBOX, short(said), timedelta(seconds=60), pod.created)
        if event.reason == "Unhealthy" and any(b.stage == "running" for b in pod.boxes):
            return Cause(PROBE, short(event.message), NEVER, pod.created)
    if pod.gate:
        return Cause(PROBE, f"readiness gate {pod.gate} is not true", NEVER, pod.created)
    idle = [b for b in pod.boxes if b.stage == "running" and not b.ready and not b.init]
    if idle:
        word = "readiness" if idle[0].started else "startup"
        return Cause(
            PROBE,
            f"container {idle[0].name} runs but its {word} probe has not passed",
            NEVER,
            pod.created,
        )
    return None
