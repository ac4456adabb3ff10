"""Changes that are jobs: planned as a spec, applied by a launch, verified by a registered version."""

from __future__ import annotations

from typing import Any

from tools.contract import Act, Call, Effect, Happened, Outcome, Plan, Verdict
from tools.errors import Unavailable
from tools.world import World


class JobChange:
    """The three parts every job-launching change shares; a subclass adds ``plan``."""

    effect = Effect.CHANGE

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Launch the planned job once per action."""
        raise Unavailable("Jobs are not ready.")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """Wait for the job to register its version."""
        raise Unavailable("Jobs are not ready.")

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Stop the job."""
        return Call("cancel_job", {"job": str(outcome.details["job"])})

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Whether the job of this action was launched."""
        return world.jobs.happened(action_id)

    def plan(self, world: World, args: Any) -> Plan:
        """What would be launched."""
        raise Unavailable("Jobs are not ready.")
