"""An edit as a JSON patch bound to what was read: uid and generation are tested by the server.

``generation`` moves with the desired state only, unlike ``resourceVersion``, which every status
report moves; so a person's edit in between is caught and a busy roll-out is not in the way.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tools.platforms.base import RollOut, Scale
from tools.platforms.kubernetes_objects import (
    ACTION,
    ACTIONS,
    Obj,
    at,
    note,
    number,
    table,
    with_action,
)
from tools.platforms.kubernetes_quota import room
from tools.platforms.kubernetes_settings import (
    BEFORE,
    SETTINGS,
    fitted,
    safe_strategy,
    settings_before,
    settings_for,
)
from tools.platforms.kubernetes_template import (
    Shape,
    bare_template,
    template_for,
    without_action,
)
from tools.platforms.kubernetes_view import revision_of

TEMPLATE = "steward.dev/template-before"
"""Annotation: the former template, kept only where ``revisionHistoryLimit`` is 0."""
ENDED = "steward.dev/canary-ended"
"""Annotation: why the last canary was rolled back, until the next edit."""
PREVIEW_ID = "preview"
RESTARTED = "steward.dev/restarted-by"
"""Annotation on the template: the action that restarted every replica."""
NO_NOTES: Mapping[str, str | None] = MappingProxyType({})


def fingerprint(obj: Obj) -> str:
    """A short digest of the pod template, whoever wrote it and however often it was restarted."""
    template = without_action(table(obj, "spec", "template"))
    for restarted in (RESTARTED, "kubectl.kubernetes.io/restartedAt"):
        table(template, "metadata", "annotations").pop(restarted, None)
    if not table(template, "metadata", "annotations"):
        table(template, "metadata").pop("annotations", None)
    text = json.dumps(template, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16] if template else ""


def template_digest(obj: Obj) -> str:
    """A short digest of the pod template; any annotation of a Deployment moves its generation."""
    text = json.dumps(table(obj, "spec", "template"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def replace(
    obj: Obj, action_id: str, notes: Mapping[str, str | None] = NO_NOTES, **parts: Any
) -> list[Obj]:
    """A JSON patch that sets parts of ``spec`` and records the action; ``None`` removes a part.

    Annotations are set one by one, so that what others (the controller among them) write beside
    Steward's own is left as they wrote it.
    """
    kept = with_action(obj, action_id)
    ops: list[Obj] = [
        {"op": "test", "path": "/metadata/uid", "value": at(obj, "metadata", "uid")},
        {"op": "test", "path": "/metadata/generation", "value": at(obj, "metadata", "generation")},
    ]
    wanted = {ACTION: kept[ACTION], ACTIONS: kept[ACTIONS], ENDED: None, **notes}
    there = table(obj, "metadata", "annotations")
    if not there:
        ops.append({"op": "add", "path": "/metadata/annotations", "value": {}})
    for key, value in wanted.items():
        ops += _set("/metadata/annotations/" + key.replace("/", "~1"), value, key in there)
    for part, value in parts.items():
        ops += _set(f"/spec/{part}", value, part in table(obj, "spec"))
    return ops


def _set(path: str, value: Any, there: bool) -> list[Obj]:
    if value is not None:
        return [{"op": "add", "path": path, "value": value}]
    return [{"op": "remove", "path": path}] if there else []


def roll_out(
    obj: Obj,
    edit: RollOut,
    action_id: str,
    shape: Shape,
    *,
    scaled: bool,
    quotas: Sequence[Obj] = (),
) -> list[Obj]:
    """The patch of a roll-out: template, and the replica count unless an autoscaler owns it.

    ``quotas`` of the namespace bound how many replicas it brings before old ones leave.
    """
    parts: dict[str, Any] = {}
    template = template_for(obj, edit.release, action_id, shape)
    if without_action(template) != without_action(table(obj, "spec", "template")):
        parts["template"] = template
    if not scaled and number(obj, "spec", "replicas") != edit.replicas:
        parts["replicas"] = edit.replicas
    before = settings_before(obj)
    after = before
    if "template" in parts:
        after = settings_for(before, edit, template, shape)
        fitting = fitted(table(after, "strategy"), edit.replicas, room(quotas, template).pods)
        after = {**after, **({"strategy": fitting} if fitting else {})}
    parts |= {k: v for k, v in after.items() if v != at(obj, "spec", k)}
    notes = {BEFORE: json.dumps(before, sort_keys=True) if after != before else None}
    if at(obj, "spec", "revisionHistoryLimit") == 0:
        kept = {"revision": revision_of(obj), "template": table(obj, "spec", "template")}
        notes[TEMPLATE] = json.dumps(kept, sort_keys=True)
    return replace(obj, action_id, notes, **parts)


def kept_template(obj: Obj, revision: int) -> Obj | None:
    """The template of ``revision`` that a roll-out kept where the cluster keeps no history."""
    kept: Any = json.loads(note(obj, TEMPLATE) or "{}")
    return kept["template"] if kept.get("revision") == revision else None


def restart(obj: Obj, action_id: str) -> list[Obj]:
    """A new template with nothing but the action in it: the same action restarts once."""
    template: Obj = copy.deepcopy(table(obj, "spec", "template"))
    notes = template.setdefault("metadata", {}).setdefault("annotations", {})
    notes[RESTARTED] = action_id
    return replace(obj, action_id, template=template)


def scale(obj: Obj, edit: Scale, action_id: str) -> list[Obj]:
    """The patch that sets the number of replicas."""
    return replace(obj, action_id, replicas=edit.replicas)


def roll_back(obj: Obj, old: Obj, action_id: str, *, intact: bool) -> list[Obj]:
    """The patch that returns to the template of an old ReplicaSet, and continues if paused.

    Args:
        obj: the Deployment now.
        old: the ReplicaSet to return to.
        action_id: what the effect carries.
        intact: the old replicas all serve still, so that a strategy that stops all at once (see
            :func:`safe_strategy`) can be put back without stopping any.
    """
    parts: dict[str, Any] = {"template": bare_template(old)}
    if at(obj, "spec", "paused"):
        parts["paused"] = None
    before = settings_before(obj)
    risky = safe_strategy(table(before, "strategy"), number(obj, "spec", "replicas"))
    if risky and not intact:
        parts["strategy"] = risky
        return replace(obj, action_id, **parts)
    parts |= {k: before.get(k) for k in SETTINGS if k != "progressDeadlineSeconds" or k in before}
    changed = {k: v for k, v in parts.items() if v != at(obj, "spec", k)}
    return replace(obj, action_id, {BEFORE: None}, **changed)


def paused(obj: Obj, wanted: bool, action_id: str) -> list[Obj]:
    """The patch that pauses or resumes."""
    return replace(obj, action_id, paused=True if wanted else None)
