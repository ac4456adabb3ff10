"""What is said about an edit, and whether an object carries an action."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tools.contract import Happened
from tools.platforms.base import (
    Edit,
    Pause,
    Restart,
    Resume,
    RollBack,
    RollOut,
    Scale,
)
from tools.platforms.kubernetes_connection import MANAGER
from tools.platforms.kubernetes_objects import (
    ACTION,
    ACTIONS,
    Obj,
    actions_of,
    at,
    condition,
    many,
    name_of,
    note,
    number,
    table,
    template_note,
)
from tools.platforms.kubernetes_quota import room
from tools.platforms.kubernetes_settings import BEFORE, safe_strategy, share
from tools.platforms.kubernetes_view import counts, revision_of


def happened(work: Obj, action_id: str) -> Happened:
    """Does the workload carry the action? Unsure when somebody wiped Steward's annotations."""
    if action_id in actions_of(work) or template_note(work, ACTION) == action_id:
        return Happened.YES
    wrote = any(e.get("manager") == MANAGER for e in many(work, "metadata", "managedFields"))
    return Happened.UNSURE if wrote and not note(work, ACTIONS) else Happened.NO


def told(work: Obj, edit: Edit) -> str:
    """What a diff of the object would say badly."""
    if isinstance(edit, Restart):
        running = counts(work).total
        return f"- {running} running replicas\n+ {running} new replicas of the same release"
    if isinstance(edit, RollBack) and edit.revision == revision_of(work):
        return f"  revision {edit.revision} stays what is wanted"
    return ""


def rollout_warnings(work: Obj, edit: RollOut, scaler: Obj | None) -> list[str]:
    """What a person should know before saying yes to a roll-out."""
    found: list[str] = []
    if at(work, "spec", "strategy", "type") == "Recreate":
        found.append("strategy Recreate: every replica stops before the new ones start")
    if safe_strategy(table(work, "spec", "strategy"), edit.replicas) is not None:
        found.append(
            "its strategy would stop every replica at once; this roll-out keeps them serving"
        )
    if edit.strategy == "blue_green":
        found.append("all new replicas start beside the old; traffic moves as they become ready")
    if scaler is not None:
        found.append(f"HorizontalPodAutoscaler {name_of(scaler)} decides the number of replicas")
    if edit.replicas == 0:
        found.append("0 replicas: the new version is not tried by anything")
    if condition(work, "Available").get("status") == "False":
        found.append("the deployment is below its minimum already")
    return found


def quota_warnings(after: Obj, quotas: Sequence[Obj]) -> list[str]:
    """What the quotas of a namespace mean for a roll-out; ``after`` is what it leads to."""
    left = room(quotas, table(after, "spec", "template"))
    wanted, strategy = number(after, "spec", "replicas"), table(after, "spec", "strategy")
    rolling = table(strategy, "rollingUpdate")
    if not left.why or strategy.get("type") != "RollingUpdate" or wanted < 1:
        return []
    surge = share(rolling.get("maxSurge", "25%"), wanted, up=True)
    if surge > left.pods:
        return [
            f"{left.why} leaves no room for the extra replica that comes before an old one may"
            " leave, so the cluster will refuse it (quota); raise the quota, or allow one replica to"
            " be missing (maxUnavailable: 1)"
        ]
    asked = at(after, "metadata", "annotations", BEFORE)
    before = table(json.loads(asked or "{}"), "strategy", "rollingUpdate")
    if share(before.get("maxSurge", 0), wanted, up=True) > surge == left.pods:
        return [f"{left.why} leaves room for {surge} extra replicas: that many come at a time"]
    return []


def done(work: Obj, edit: Edit) -> str:
    """What an accepted edit is reported as."""
    name = name_of(work)
    match edit:
        case RollOut(release=release):
            what = (
                (release.version and f"version {release.version}") or release.image or "the release"
            )
            return f"The cluster accepted the roll-out of {what} to {name}."
        case RollBack(revision=revision):
            return f"The cluster accepted the return of {name} to revision {revision}."
        case Scale(replicas=replicas):
            return f"The cluster accepted {replicas} replicas for {name}."
        case Restart():
            return f"The cluster accepted the restart of {name}; replicas are replaced one by one."
        case Pause():
            return f"The roll-out of {name} is paused."
        case Resume():
            return f"The roll-out of {name} continues."
