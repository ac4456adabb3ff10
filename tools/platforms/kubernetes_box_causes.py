"""Why a container does not run: the named cause, from what its kubelet reports.

A container flips between waiting, running and terminated while it crashes; the cause is read from
its present and its last state together, so that it stays the same through the flips.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from tools.platforms.base import PlatformEvent
from tools.platforms.kubernetes_pods import SERVED, Box, Pod
from tools.platforms.kubernetes_refusals import (
    AT_ONCE,
    CONFIG,
    CRASH,
    IMAGE,
    NEVER,
    OOM,
    PROBE,
    Cause,
    short,
)

RECENT = timedelta(minutes=10)
"""How long ago a run must have begun for the one before it to tell of a roll-out."""
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
    r"|does not exist|x509|authentication required|never pull|not present|couldn't parse|no such host",
    re.IGNORECASE,
)
_CONFIG_REASONS = frozenset(
    (
        "CreateContainerConfigError",
        "CreateContainerError",
        "PreCreateHookError",
        "PreStartHookError",
    )
)
_NO_COMMAND = re.compile(r"executable file|exec format|exec: ")
_START_REASONS = frozenset(("RunContainerError", "StartError", "ContainerCannotRun"))


def box_cause(pod: Pod, box: Box, events: Sequence[PlatformEvent]) -> Cause | None:
    """Why this container of ``pod`` does not serve; ``None`` where it does, or may soon."""
    if box.stage == "running" and box.ready:
        return None
    if box.init and box.stage == "terminated" and box.exit == 0:
        return None
    if box.reason in _IMAGE_REASONS:
        return _image(pod, box, events)
    if is_oom(box):
        return _ended(pod, box, OOM, f"container {box.name} exceeded its memory limit")
    if box.reason in _CONFIG_REASONS:
        return _not_made(pod, box)
    if box.reason in _START_REASONS or box.last_reason in _START_REASONS:
        said = box.message if box.reason in _START_REASONS else box.last_message
        return _ended(pod, box, CRASH, f"container {box.name} cannot start: {_start(said)}")
    hook = [e for e in events if e.reason == "FailedPostStartHook"]
    if hook and (box.restarts or box.reason == "PostStartHookError"):
        said = box.message if box.reason == "PostStartHookError" else hook[-1].message
        return _ended(pod, box, CRASH, f"container {box.name}: its postStart hook fails: {said}")
    killed = _probe_kill(box, events)
    if killed and (box.restarts or box.stage != "running"):
        return _ended(pod, box, PROBE, killed)
    if box.reason == "CrashLoopBackOff" or box.stage == "terminated" or box.restarts:
        return _ended(pod, box, CRASH, exit_words(box))
    return None


def _not_made(pod: Pod, box: Box) -> Cause:
    """A container that could not be made; some runtimes look for its command at that point."""
    if _NO_COMMAND.search(box.message):
        said = f"container {box.name} cannot start: {short(last_part(box.message), 140)}"
        return Cause(CRASH, said, timedelta(seconds=15), pod.created)
    return Cause(CONFIG, short(box.message), timedelta(seconds=15), pod.created)


def _image(pod: Pod, box: Box, events: Sequence[PlatformEvent]) -> Cause:
    pulls = [
        e.message for e in events if e.reason in ("Failed", "InspectFailed") and "pull" in e.message
    ]
    said = box.message
    if pulls and ("Back-off" in said or not said) and ": " not in said.partition('"')[2]:
        said = pulls[-1]
    never = box.reason in ("InvalidImageName", "ErrImageNeverPull")
    final = never or bool(_IMAGE_FINAL.search(said.replace(box.image, "")))
    patience = timedelta(seconds=5) if final else timedelta(seconds=60)
    why = last_part(said)
    return Cause(
        IMAGE, short(why if box.image in why else f"{box.image}: {why}"), patience, pod.created
    )


def last_part(said: str) -> str:
    """The end of a chain of wrapped errors, where the reason is."""
    last = said.rstrip().rstrip(".").split(": ")
    return ": ".join(last[-2:]) if len(last) > 1 else said


def is_oom(box: Box) -> bool:
    """Whether it ran out of its memory limit, this time or the time before."""
    reasons = (box.reason, box.last_reason)
    said = f"{box.message} {box.last_message}"
    return "OOMKilled" in reasons or "OOM-killed" in said


def _start(said: str) -> str:
    match = re.search(r"exec: (.+?)(?:: unknown)?$", " ".join(said.split()))
    return short(match[1] if match else said, 140)


_KILL = re.compile(r"failed (liveness|startup) probe")


def _probe_kill(box: Box, events: Sequence[PlatformEvent]) -> str:
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


def exit_words(box: Box) -> str:
    """How the container ended: ``container server exits with 137 (killed)``."""
    code = box.exit if box.exit is not None else box.last_exit
    said = box.last_message if box.exit is None else box.message
    part = "init container" if box.init else "container"
    meaning = f" ({_EXITS[code]})" if code in _EXITS else ""
    tail = f": {short(said, 120)}" if said and code != 0 else ""
    return f"{part} {box.name} exits with {code}{meaning}{tail}"


def _by_itself(box: Box) -> bool:
    """Whether it ended by a fault of its own, and was not told to by a probe or a person."""
    code = box.last_exit if box.exit is None else box.exit
    return is_oom(box) or code not in (None, 0, 137, 143)


def relapsed(pod: Pod, box: Box, now: datetime) -> bool:
    """Whether a container of a pod that is ready had served before its present, recent run.

    A former readiness is not told any more; but a run that lasted longer than this one took to
    become ready, and some more, had been ready too.
    """
    if not pod.ready or box.init or box.since is None or pod.ready_since is None:
        return False
    if box.last_since is None or box.last_until is None or now - box.since > RECENT:
        return False
    took = max(timedelta(0), pod.ready_since - box.since)
    return box.last_until - box.last_since > took + SERVED


def relapse(pod: Pod, events: Sequence[PlatformEvent], now: datetime) -> Cause | None:
    """What ended a container that had served, though it serves again."""
    for box in pod.boxes:
        if not relapsed(pod, box, now):
            continue
        killed = _probe_kill(box, events)
        again = f"after it had been ready, {box.restarts} restarts"
        if killed:
            return Cause(PROBE, f"{killed}, {again}", AT_ONCE, pod.created)
        if _by_itself(box):
            name = OOM if is_oom(box) else CRASH
            said = f"container {box.name} exceeded its memory limit"
            said = said if name == OOM else exit_words(box)
            return Cause(name, f"{short(said, 240)}, {again}", AT_ONCE, pod.created)
    return None


def _ended(pod: Pod, box: Box, name: str, detail: str) -> Cause:
    """A container that ended: how often, and so whether once more could help.

    One end may be bad luck (a dependency that was late), two as well; the kubelet waits 10, 20, 40 s
    between them. While it runs, it may be the run that succeeds.
    """
    detail = short(detail, 240)
    again = f", {box.restarts} restarts" if box.restarts else ""
    if pod.dropped and _by_itself(box):  # it served, and then it died: no late dependency
        return Cause(name, f"{detail}, after it had been ready{again}", AT_ONCE, pod.created)
    if pod.dropped and name == PROBE:
        return Cause(name, detail + again, AT_ONCE, pod.created)
    sure = 1 if "cannot start" in detail else 2 if name in (OOM, PROBE) else 3
    if box.stage == "running":
        patience = AT_ONCE if box.restarts > 4 else NEVER
    elif box.restarts >= sure:
        patience = AT_ONCE
    else:
        patience = timedelta(seconds=75) if box.restarts == 2 else NEVER
    return Cause(name, detail + again, patience, pod.created)
