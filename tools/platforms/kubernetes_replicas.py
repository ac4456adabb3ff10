"""A pod as the contract's replica."""

from __future__ import annotations

from tools.platforms.base import Replica
from tools.platforms.kubernetes_pods import Pod


def replica(pod: Pod, revision: int, why: str) -> Replica:
    """The pod as the contract's replica."""
    return Replica(
        id=pod.name,
        ready=pod.ready,
        revision=revision,
        version=pod.version,
        started_at=pod.created,
        restarts=pod.restarts,
        node=pod.node,
        state=_state(pod),
        message="" if pod.ready else why,
    )


def _state(pod: Pod) -> str:
    if pod.deleted:
        return "draining"
    if pod.phase == "Failed":
        return "crashed"
    if not pod.node:
        return "pending"
    for box in pod.boxes:
        if box.reason in ("CrashLoopBackOff", "OOMKilled", "Error", "StartError"):
            return "crashed"
    if pod.ready:
        return "running"
    return "starting"
