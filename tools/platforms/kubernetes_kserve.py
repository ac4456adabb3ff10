"""KServe InferenceServices: a new storage URI, a share of traffic, and a history kept beside it.

Source: serving.kserve.io/v1beta1. ``canaryTrafficPercent`` sends a share to the newest revision
(serverless mode); without it all of it goes there once it is ready. KServe keeps no numbered
revisions, so the predictors that Steward replaced are kept in an annotation.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from tools.errors import BadArguments, Refused
from tools.platforms.base import (
    Edit,
    Pause,
    Phase,
    Release,
    Restart,
    Resume,
    Revision,
    RollBack,
    RollOut,
    Scale,
)
from tools.platforms.kubernetes_edits import replace
from tools.platforms.kubernetes_objects import (
    ARTIFACT,
    CONFIG,
    DIGEST,
    MODEL,
    VERSION,
    Obj,
    at,
    condition,
    created,
    moment,
    name_of,
    note,
    table,
)
from tools.platforms.kubernetes_template import Shape, said_by, set_env

KIND = "InferenceService"
HISTORY = "steward.dev/predictors"
"""Annotation: earlier predictors with their notes, newest last."""
SHARES = "steward.dev/shares"
"""Annotation: the shares of traffic that a canary still has before it."""
_KEPT = 5
_NOTES = (MODEL, VERSION, DIGEST, ARTIFACT, CONFIG)


def possible(work: Obj, edit: Edit) -> None:
    """Raise ``Refused`` for what an InferenceService cannot do now."""
    name, share = name_of(work), percent(work)
    if isinstance(edit, Pause):
        raise Refused(
            f"{name} is an InferenceService: its canary stands still by itself; roll back instead.",
            f"{name} 是 InferenceService：灰度不会自动推进；请直接回滚。",
        )
    if isinstance(edit, Resume) and share is None:
        raise Refused(f"{name} has no canary to promote.", f"{name} 没有可推进的灰度发布。")
    if isinstance(edit, RollOut) and share is not None:
        raise Refused(
            f"A canary of {name} has {share} % of the traffic; promote it or roll it back first.",
            f"{name} 的灰度发布正占 {share}% 流量；请先推进或回滚。",
        )


def patch(work: Obj, edit: Edit, action_id: str, shape: Shape) -> list[Obj]:
    """The JSON patch of an edit."""
    match edit:
        case RollOut():
            return _roll_out(work, edit, action_id, shape)
        case RollBack():
            return _roll_back(work, edit.revision, action_id)
        case Resume():
            left: list[int] = json.loads(note(work, SHARES) or "[]")
            share, rest = (left[0], left[1:]) if left else (100, [])
            notes = {SHARES: json.dumps(rest) if rest else None}
            return replace(work, action_id, notes, predictor=_at_share(work, share))
        case Scale():
            predictor = copy.deepcopy(table(work, "spec", "predictor"))
            predictor["minReplicas"] = edit.replicas
            if predictor.get("maxReplicas", edit.replicas) < edit.replicas:
                predictor["maxReplicas"] = edit.replicas
            return replace(work, action_id, predictor=predictor)
        case Restart():
            predictor = copy.deepcopy(table(work, "spec", "predictor"))
            predictor.setdefault("annotations", {})["steward.dev/restarted-by"] = action_id
            return replace(work, action_id, predictor=predictor)
        case Pause():
            raise Refused(f"{name_of(work)} cannot be paused.")


def _at_share(work: Obj, share: int) -> Obj:
    predictor = copy.deepcopy(table(work, "spec", "predictor"))
    predictor.pop("canaryTrafficPercent", None)
    return predictor if share >= 100 else {**predictor, "canaryTrafficPercent": share}


def _roll_out(work: Obj, edit: RollOut, action_id: str, shape: Shape) -> list[Obj]:
    said = said_by(edit.release, shape)
    uri = said["artifact"]
    if not uri or "://" not in uri:
        raise BadArguments(
            f"{name_of(work)} loads its model from a URI; set options.artifact, such as"
            " s3://models/{model}/{version}.",
            f"{name_of(work)} 从 URI 加载模型；请设置 options.artifact，例如 s3://models/{{model}}/{{version}}。",
        )
    shares = [round(s * 100) for s in edit.steps] if edit.strategy == "canary" else [100]
    predictor = _at_share(work, shares[0])
    model = predictor.setdefault("model", {})
    model["storageUri"] = uri
    wanted = {shape.env[k]: v for k, v in said.items() if k in shape.env and k != "artifact"}
    set_env(model, wanted)
    notes: dict[str, str | None] = {
        HISTORY: json.dumps([*_history(work), _entry(work)][-_KEPT:], sort_keys=True),
        SHARES: json.dumps(shares[1:]) if shares[1:] else None,
        MODEL: said["model"],
        VERSION: said["version"],
        DIGEST: said["digest"],
        ARTIFACT: uri,
        CONFIG: said["config"],
    }
    return replace(work, action_id, notes, predictor=predictor)


def _roll_back(work: Obj, wanted: int, action_id: str) -> list[Obj]:
    found = next((e for e in _history(work) if e["revision"] == wanted), None)
    if found is None:
        known = ", ".join(str(e["revision"]) for e in _history(work)) or "none"
        raise BadArguments(f"{name_of(work)} has no revision {wanted}; Steward keeps {known}.")
    kept = [e for e in _history(work) if e["revision"] != wanted]
    notes: dict[str, str | None] = {key: found["notes"].get(key) for key in _NOTES}
    notes |= {HISTORY: json.dumps([*kept, _entry(work)][-_KEPT:], sort_keys=True), SHARES: None}
    return replace(work, action_id, notes, predictor=found["predictor"])


def _history(work: Obj) -> list[dict[str, Any]]:
    return json.loads(note(work, HISTORY) or "[]")


def _entry(work: Obj) -> dict[str, Any]:
    predictor = copy.deepcopy(table(work, "spec", "predictor"))
    predictor.pop("canaryTrafficPercent", None)
    return {
        "revision": revision(work),
        "predictor": predictor,
        "notes": {key: note(work, key) for key in _NOTES if note(work, key)},
        "at": str(at(work, "metadata", "managedFields", -1, "time") or created(work).isoformat()),
        "action": note(work, "steward.dev/action-id"),
    }


def revision(work: Obj) -> int:
    """One more than the newest that was replaced."""
    return 1 + max((int(e["revision"]) for e in _history(work)), default=0)


def history(work: Obj) -> list[Revision]:
    """The predictor that is wanted and those that were replaced, newest first."""
    found: list[Revision] = []
    for entry in (_entry(work), *reversed(_history(work))):
        notes: dict[str, str] = entry["notes"]
        uri = at(entry, "predictor", "model", "storageUri")
        release = Release(notes.get(MODEL), notes.get(VERSION), notes.get(DIGEST), uri)
        when = moment(entry["at"]) or created(work)
        current = entry["revision"] == revision(work)
        found.append(Revision(int(entry["revision"]), release, when, entry["action"], current))
    return found


def percent(work: Obj) -> int | None:
    """The share of traffic that a canary has; ``None`` without one."""
    share = at(work, "spec", "predictor", "canaryTrafficPercent")
    return int(share) if isinstance(share, int) and share < 100 else None


def phase(work: Obj) -> tuple[Phase, str]:
    """Where it stands, in KServe's words."""
    if "observedGeneration" in table(work, "status") and at(
        work, "status", "observedGeneration"
    ) != at(work, "metadata", "generation"):
        return "progressing", "the controller has not looked at the change yet"
    moving = at(work, "status", "modelStatus", "transitionStatus")
    failure = table(work, "status", "modelStatus", "lastFailureInfo")
    if moving in ("BlockedByFailedLoad", "InvalidSpec"):
        said = f"{failure.get('reason', moving)}: {failure.get('message', '')}".rstrip(": ")
        return "failed", f"model cannot be loaded: {said}"
    ready = condition(work, "Ready")
    if ready.get("status") != "True" or moving == "InProgress":
        return "progressing", str(ready.get("message") or "the predictor is not ready yet")
    share = percent(work)
    if share is not None:
        return "paused", f"a canary has {share} % of the traffic (resume it, or roll back)"
    return "complete", ""
