"""Argo Rollouts: its controller walks the steps; Steward changes the template, promotes, aborts.

Sources: the Rollout's API (argoproj.io/v1alpha1) and what ``kubectl argo rollouts`` patches: promotion
clears ``status.pauseConditions`` by the status subresource, pausing sets ``spec.paused``, restarting
sets ``spec.restartAt``; a return to the stable template skips the steps.
"""

from __future__ import annotations

from collections.abc import Sequence

from tools.errors import Refused
from tools.platforms.base import Edit, Pause, Phase, Restart, Resume, RollBack, RollOut, Scale
from tools.platforms.kubernetes_api import Api
from tools.platforms.kubernetes_edits import replace
from tools.platforms.kubernetes_errors import Conflict
from tools.platforms.kubernetes_objects import Obj, at, many, name_of, note, number, table
from tools.platforms.kubernetes_request import MERGE_PATCH
from tools.platforms.kubernetes_template import Shape, bare_template, template_for, without_action

KIND = "Rollout"
HASH = "rollouts-pod-template-hash"
REVISION = "rollout.argoproj.io/revision"
PROMOTING = "steward.dev/promoting"
"""Annotation: the pause that an action ends, by its start, so that it ends no later one."""


def possible(work: Obj, edit: Edit) -> None:
    """Raise ``Refused`` for what would have no effect, or overrun a roll-out."""
    name = name_of(work)
    if isinstance(edit, RollOut | RollBack) and "workloadRef" in table(work, "spec"):
        raise Refused(
            f"{name} takes its template from {at(work, 'spec', 'workloadRef', 'name')}; roll out that.",
            f"{name} 的模板来自 {at(work, 'spec', 'workloadRef', 'name')}；请对它发布。",
        )
    if isinstance(edit, Resume) and not held(work):
        raise Refused(f"The roll-out of {name} is not paused.", f"{name} 的发布没有暂停。")
    if isinstance(edit, Pause) and (at(work, "spec", "paused") or settled(work)):
        raise Refused(
            f"{name} has no roll-out in progress to pause.", f"{name} 没有正在进行的发布可以暂停。"
        )
    if isinstance(edit, RollOut | Restart) and not settled(work) and phase(work)[0] != "failed":
        raise Refused(
            f"A roll-out of {name} is in progress ({phase(work)[1]}); wait for it, or abort it.",
            f"{name} 的发布正在进行（{phase(work)[1]}）；请等待其完成或先中止。",
        )


def patch(
    work: Obj, edit: Edit, action_id: str, shape: Shape, sets: Sequence[Obj], now: str
) -> list[Obj]:
    """The JSON patch of an edit; ``sets`` are its ReplicaSets, ``now`` the server's time."""
    match edit:
        case RollOut():
            template = template_for(work, edit.release, action_id, shape)
            parts: Obj = {}
            if without_action(template) != without_action(table(work, "spec", "template")):
                parts["template"] = template
            if number(work, "spec", "replicas") != edit.replicas:
                parts["replicas"] = edit.replicas
            return replace(work, action_id, **parts)
        case RollBack():
            old = next(s for s in sets if revision(s) == edit.revision)
            template = bare_template(old)
            table(template, "metadata", "labels").pop(HASH, None)
            return replace(work, action_id, template=template, paused=None)
        case Scale():
            return replace(work, action_id, replicas=edit.replicas)
        case Restart():
            return replace(work, action_id, restartAt=now)
        case Pause():
            return replace(work, action_id, paused=True)
        case Resume():
            return replace(work, action_id, {PROMOTING: _since(work)}, paused=None)


def promote(api: Api, path: str, work: Obj) -> None:
    """End the pause that the resuming action saw; a later pause is left to a later yes."""
    for _ in range(5):
        since = _since(work)
        if since is None or since != note(work, PROMOTING):
            return
        body = {
            "metadata": {"resourceVersion": at(work, "metadata", "resourceVersion")},
            "status": {"pauseConditions": None},
        }
        try:
            api.patch(f"{path}/status", body, kind=MERGE_PATCH)
        except Conflict:
            work = api.get(path)
        else:
            return


def _since(work: Obj) -> str | None:
    pauses = many(work, "status", "pauseConditions")
    return str(pauses[0].get("startTime")) if pauses else None


def held(work: Obj) -> bool:
    """Whether it waits: for a person who paused it, or at a step for a promotion."""
    return bool(at(work, "spec", "paused") or many(work, "status", "pauseConditions"))


def revision(replica_set: Obj) -> int:
    """The revision number that the controller wrote on a ReplicaSet."""
    return number(replica_set, "metadata", "annotations", REVISION)


def stable(work: Obj, sets: Sequence[Obj]) -> int:
    """The revision that serves while a roll-out is under way; 0 where there is none."""
    wanted = at(work, "status", "stableRS")
    return next((revision(s) for s in sets if at(s, "metadata", "labels", HASH) == wanted), 0)


def settled(work: Obj) -> bool:
    """Whether the newest template is the stable one."""
    said = table(work, "status")
    seen = str(said.get("observedGeneration")) == str(at(work, "metadata", "generation"))
    return (
        seen and bool(said.get("stableRS")) and said.get("stableRS") == said.get("currentPodHash")
    )


def phase(work: Obj) -> tuple[Phase, str]:
    """Where the roll-out stands, in its controller's words."""
    said, word = table(work, "status"), str(at(work, "status", "phase") or "")
    if str(said.get("observedGeneration")) != str(at(work, "metadata", "generation")):
        return "progressing", "the controller has not looked at the change yet"
    if at(work, "spec", "paused"):
        return "paused", "the roll-out is paused"
    steps = many(work, "spec", "strategy", "canary", "steps")
    step = number(said, "currentStepIndex")
    where = f"step {step + 1} of {len(steps)}" if steps else "the switch"
    if many(said, "pauseConditions"):
        if at(steps, step, "pause", "duration") is not None:
            return "progressing", f"it pauses at {where}"
        return "paused", f"it waits at {where} for a promotion (resume it, or roll back)"
    if word == "Degraded" or said.get("abort"):
        return "failed", str(said.get("message") or "aborted")
    if word == "Healthy" and settled(work):
        return "complete", ""
    return "progressing", str(said.get("message") or f"at {where}")
