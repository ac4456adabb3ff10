"""How fast a change of a workload may go, and how many replicas serve meanwhile, by its own spec."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tools.platforms.kubernetes_objects import Obj, at, many, number, table
from tools.platforms.kubernetes_settings import share

USUAL = 180
"""Seconds without progress after which a batch of replicas is given up, if nothing allows more."""
DEFAULT_DEADLINE = 600
"""``progressDeadlineSeconds`` where nobody chose one."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The rhythm of a replacement of all replicas."""

    least: int
    batches: int
    patience: timedelta


def pace(work: Obj) -> Pace:
    """The rhythm in which the controller replaces every replica of ``work`` as it would then be."""
    wanted = number(work, "spec", "replicas") if "replicas" in table(work, "spec") else 1
    surge, missing = _room(work, wanted)
    each = max(1, surge + missing)
    return Pace(max(0, wanted - missing), max(1, -(-wanted // each)), _patience(work))


def _room(work: Obj, wanted: int) -> tuple[int, int]:
    """How many replicas may be added and how many may be missing."""
    if work.get("kind") != "Deployment":
        return 0, 1
    strategy = table(work, "spec", "strategy")
    if strategy.get("type") == "Recreate":
        return 0, wanted
    rolling = table(strategy, "rollingUpdate")
    surge = share(rolling.get("maxSurge", "25%"), wanted, up=True)
    missing = share(rolling.get("maxUnavailable", "25%"), wanted, up=False)
    return (surge, min(missing, wanted)) if surge or missing else (0, min(1, wanted))


def _patience(work: Obj) -> timedelta:
    pod = table(work, "spec", "template", "spec")
    starts = [_start(box) for box in (*many(pod, "initContainers"), *many(pod, "containers"))]
    slowest = max(starts, default=0) + number(work, "spec", "minReadySeconds") + 30
    chosen = number(work, "spec", "progressDeadlineSeconds")
    longer = chosen + 15 if chosen > DEFAULT_DEADLINE else 0
    return timedelta(seconds=max(USUAL, slowest, longer))


def _start(box: Obj) -> int:
    """Seconds that its probes give a container to become ready."""
    startup = table(box, "startupProbe")
    allowed = number(startup, "initialDelaySeconds")
    if startup:
        period = number(startup, "periodSeconds") or 10
        allowed += period * (number(startup, "failureThreshold") or 3)
    return allowed + int(at(box, "readinessProbe", "initialDelaySeconds") or 0)
