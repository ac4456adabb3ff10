"""What the changes of this room share: they state an edit, and see that it was carried out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from tools.contract import Act, Effect, Happened, Json, Outcome, Plan, PlanWords, Verdict
from tools.deployments.checking import Check
from tools.deployments.edit_json import from_json, to_json
from tools.deployments.finding import Found
from tools.deployments.judging import NODE_LOST, complete
from tools.deployments.wording import left_over, settled, stated
from tools.errors import Unavailable
from tools.platforms.base import Edit, Preview, Replica, Status
from tools.platforms.chinese import in_chinese
from tools.world import World

OUTAGE = timedelta(minutes=10)
"""How long an API server may be silent meanwhile without the change being given up."""
USUAL = timedelta(seconds=180)
"""How long a change may make no progress, where neither platform nor fleet say otherwise."""


class DeploymentChange:
    """Apply, verify and ``happened`` of an edit; a subclass adds ``plan`` and ``undo``."""

    effect = Effect.CHANGE

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """State the planned edit to the platform, under the action's id."""
        platform = world.platforms.named(str(plan.details["platform"]))
        ref = plan.target.name
        details: dict[str, Json] = {"action": act.id}
        if platform.happened(ref, act.id) is Happened.NO:
            there = platform.status(ref).replicas
            details["replicas_before"] = [made(r) for r in there]
            out = [r for r in there if r.state == "draining" or r.message.startswith(NODE_LOST)]
            details["leaving_before"] = [r.id for r in out]
        edit = from_json(plan.details["edit"])
        said = platform.edit(ref, edit, act)
        return Outcome(said, details, zh=f"已提交：{stated(edit, ref)}。")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """Wait until the edit is complete, send real requests, and watch for the soak time."""
        check = Check.of(world, plan, act)
        stuck = outcome.details.get("leaving_before")
        apart = frozenset(str(i) for i in stuck) if isinstance(stuck, list) else frozenset[str]()
        status = check.settled(lambda s: complete(s, apart) and self.reached(s, plan, outcome))
        if isinstance(status, Verdict):
            return status
        evidence = [settled(status)]
        if status.phase != "complete":
            evidence.append(left_over(status))
        if status.wanted:
            soak = cast("float", plan.details.get("soak", 0.0))
            for look in (
                lambda: check.answers(status),
                lambda: check.holds(status, soak, 0.02),
            ):
                said = look()
                if isinstance(said, Verdict):
                    return said
                evidence += [said] if said else []
        en, zh = "; ".join(e.en for e in evidence), "；".join(e.zh for e in evidence)
        return Verdict(True, f"{en}.", zh=f"{zh}。")

    def reached(self, status: Status, plan: Plan, outcome: Outcome) -> bool:
        """Whether a complete deployment is the one that was asked for."""
        return True

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Whether the edit of this action reached the platform."""
        try:
            platform = world.platforms.named(str(plan.details["platform"]))
            return platform.happened(plan.target.name, action_id)
        except Unavailable:
            return Happened.UNSURE


def made(replica: Replica) -> str:
    """One making of a replica: those of a StatefulSet keep their names when they are replaced."""
    return f"{replica.id} {replica.started_at.isoformat()}"


def planned(found: Found, edit: Edit, preview: Preview, zh: PlanWords, **parts: Any) -> Plan:
    """A plan with what every edit of a deployment has in common.

    ``zh`` says in Chinese what ``parts`` say, without the platform's warnings. ``margin`` is time beyond what its replicas need, such as for judging a canary; ``healing`` is
    the time in which a cluster may replace what a lost node takes with it.
    """
    patience, remote = preview.patience or USUAL, preview.patience is not None
    if "deadline" in found.options:
        patience = timedelta(seconds=found.number("deadline", 0.0))
    patience += parts.pop("margin", timedelta())
    details: dict[str, Json] = {
        **({"template": preview.template} if preview.template else {}),
        "platform": found.platform.name,
        "edit": to_json(edit),
        "before": {
            "revision": found.status.revision,
            "replicas": found.status.wanted,
            "version": found.status.release.version,
        },
        "soak": found.number("soak", 2.0),
        "patience": patience.total_seconds(),
        **({"silence": OUTAGE.total_seconds()} if remote else {}),
        **parts.pop("details", {}),
    }
    warnings = (*preview.warnings, *parts.pop("warnings", ()))
    return Plan(
        target=found.target,
        diff=preview.diff,
        deadline=patience * max(1, preview.batches)
        + preview.leaving
        + parts.pop("healing", timedelta())
        + (OUTAGE if remote else timedelta()),
        warnings=warnings,
        zh=replace(zh, warnings=(*map(in_chinese, preview.warnings), *zh.warnings)),
        details=details,
        **parts,
    )


def before(plan: Plan, name: str) -> int:
    """A number of the state before the change."""
    return int(cast("dict[str, Any]", plan.details["before"])[name])
