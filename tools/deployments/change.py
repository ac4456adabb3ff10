"""What the changes of this room share: the parts that only differ in the edit they state."""

from __future__ import annotations

from typing import Any

from tools.contract import Act, Call, Effect, Happened, Outcome, Plan, Verdict
from tools.errors import Unavailable
from tools.world import World


class DeploymentChange:
    """Apply, verify and ``happened`` of an edit; a subclass adds ``plan`` and ``undo``."""

    effect = Effect.CHANGE

    def plan(self, world: World, args: Any) -> Plan:
        """What would change."""
        raise Unavailable("Deployments are not ready.")

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """State the planned edit to the platform."""
        raise Unavailable("Deployments are not ready.")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """Wait until the edit is complete and the service answers."""
        raise Unavailable("Deployments are not ready.")

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """The call that returns to where it was."""
        raise Unavailable("Deployments are not ready.")

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Whether the edit of this action reached the platform."""
        platform, ref = world.platforms.of(plan.target.name)
        return platform.happened(ref, action_id)
