"""How fast a change of a workload may go, and how many replicas serve meanwhile, by its own spec."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tools.platforms.kubernetes_objects import Obj, at, many, number, table
from tools.platforms.kubernetes_settings import batches, room

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
    leaving: timedelta
    """How long a replica may take to go."""


def pace(work: Obj) -> Pace:
    """The rhythm in which the controller replaces every replica of ``work`` as it would then be."""
    wanted = number(work, "spec", "replicas") if "replicas" in table(work, "spec") else 1
    strategy = table(work, "spec", "strategy")
    own = work.get("kind") == "Deployment"
    missing = room(strategy, wanted)[1] if own else 1
    grace = number(work, "spec", "template", "spec", "terminationGracePeriodSeconds")
    return Pace(
        least=max(0, wanted - missing),
        batches=batches(strategy, wanted) if own else max(1, wanted),
        patience=_patience(work),
        leaving=timedelta(seconds=grace),
    )


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
