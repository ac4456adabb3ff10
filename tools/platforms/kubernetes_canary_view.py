"""How a canary shows in the status of the Deployment it stands beside."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tools.platforms.base import (
    Status,
)
from tools.platforms.kubernetes_canary_state import State, state_of
from tools.platforms.kubernetes_status import status
from tools.platforms.kubernetes_view import View


class Quiet:
    """The act of a canary's last step: the approval covered it, nobody waits for its reports."""

    def __init__(self, action_id: str) -> None:
        self.id = action_id

    def progress(
        self, text: str, fraction: float | None = None, eta: timedelta | None = None
    ) -> None:
        """Nobody listens."""

    def check(self) -> None:
        """Stopping a canary is aborting it."""


def with_canary(stable: Status, view: View) -> Status:
    """The stable status with its canary beside it."""
    state = state_of(view.workload)
    assert isinstance(state, State)
    beside = status(view, stable.platform)
    revision = stable.revision + 1
    share = beside.ready / max(1, beside.ready + stable.ready)
    step = f"canary at step {state.step + 1} of {len(state.steps)}"
    trouble = f"; {beside.message}" if beside.phase != "complete" and beside.message else ""
    return replace(
        stable,
        phase="paused" if state.paused else "progressing",
        message=f"{step}, {share:.0%} of the replicas{trouble}",
        updated=beside.ready,
        action_id=state.action,
        template="",  # of the stable revision, which the action has not changed yet
        replicas=(*stable.replicas, *(replace(r, revision=revision) for r in beside.replicas)),
        traffic={stable.revision: round(1 - share, 3), revision: round(share, 3)},
    )
