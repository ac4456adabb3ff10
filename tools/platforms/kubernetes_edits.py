"""An edit as a JSON patch bound to what was read: uid and generation are tested by the server.

``generation`` moves with the desired state only, unlike ``resourceVersion``, which every status
report moves; so a person's edit in between is caught and a busy roll-out is not in the way.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tools.platforms.base import RollOut, Scale
from tools.platforms.kubernetes_objects import (
    ACTION,
    ACTIONS,
    Obj,
    at,
    many,
    note,
    number,
    table,
    with_action,
)
from tools.platforms.kubernetes_template import (
    Shape,
    bare_template,
    template_for,
    without_action,
)
from tools.platforms.kubernetes_view import revision_of

MIN_READY = 30
"""Seconds a new replica proves itself before an old one goes, where nobody chose."""
LONGEST_PROOF = 120
SETTINGS = ("strategy", "minReadySeconds", "progressDeadlineSeconds")
BEFORE = "steward.dev/settings-before"
"""Annotation: the settings that a roll-out replaced by ones that keep serving."""
TEMPLATE = "steward.dev/template-before"
"""Annotation: the former template, kept only where ``revisionHistoryLimit`` is 0."""
ENDED = "steward.dev/canary-ended"
"""Annotation: why the last canary was rolled back, until the next edit."""
PREVIEW_ID = "preview"
NO_NOTES: Mapping[str, str | None] = MappingProxyType({})


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


def roll_out(obj: Obj, edit: RollOut, action_id: str, shape: Shape, *, scaled: bool) -> list[Obj]:
    """The patch of a roll-out: template, and the replica count unless an autoscaler owns it."""
    parts: dict[str, Any] = {}
    template = template_for(obj, edit.release, action_id, shape)
    if without_action(template) != without_action(table(obj, "spec", "template")):
        parts["template"] = template
    if not scaled and number(obj, "spec", "replicas") != edit.replicas:
        parts["replicas"] = edit.replicas
    before = settings_before(obj)
    after = _settings(before, edit, template, shape) if "template" in parts else before
    parts |= {k: v for k, v in after.items() if v != at(obj, "spec", k)}
    notes = {BEFORE: json.dumps(before, sort_keys=True) if after != before else None}
    if at(obj, "spec", "revisionHistoryLimit") == 0:
        kept = {"revision": revision_of(obj), "template": table(obj, "spec", "template")}
        notes[TEMPLATE] = json.dumps(kept, sort_keys=True)
    return replace(obj, action_id, notes, **parts)


def settings_before(obj: Obj) -> Obj:
    """Strategy, minReadySeconds and progress deadline as the team has them, whatever a roll-out made of them."""
    kept = note(obj, BEFORE)
    if kept:
        return json.loads(kept)
    found = {k: at(obj, "spec", k) for k in SETTINGS}
    return {k: v for k, v in found.items() if v is not None}


def _settings(before: Obj, edit: RollOut, template: Obj, shape: Shape) -> Obj:
    """The settings of a roll-out.

    A container that dies soon after its start is ready for a moment, and a Deployment that asks for
    no more than that moment would replace every good replica by a crashing one. A short progress
    deadline grows by what the proof takes, so that it allows as much time to start as before.
    """
    strategy = safe_strategy(table(before, "strategy"), edit.replicas)
    if edit.strategy == "blue_green":
        strategy = {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0},
        }
    after = {**before, **({"strategy": strategy} if strategy else {})}
    least = number(before, "minReadySeconds")
    wanted = max(_proof(template) if shape.min_ready is None else shape.min_ready, least)
    after["minReadySeconds"] = wanted
    deadline = number(before, "progressDeadlineSeconds")
    if deadline:
        longer = deadline + wanted - least
        after["progressDeadlineSeconds"] = max(deadline, min(longer, 600), wanted + 30)
    return after


def _proof(template: Obj) -> int:
    """How long a replica must be watched to see a liveness probe end it, or a fault show."""
    probes = [table(box, "livenessProbe") for box in many(template, "spec", "containers")]
    ends = [
        number(p, "initialDelaySeconds")
        + (number(p, "periodSeconds") or 10) * (number(p, "failureThreshold") or 3)
        + 5
        for p in probes
        if p
    ]
    return min(max([MIN_READY, *ends]), LONGEST_PROOF)


def kept_template(obj: Obj, revision: int) -> Obj | None:
    """The template of ``revision`` that a roll-out kept where the cluster keeps no history."""
    kept: Any = json.loads(note(obj, TEMPLATE) or "{}")
    return kept["template"] if kept.get("revision") == revision else None


def safe_strategy(strategy: Obj, replicas: int) -> Obj | None:
    """A rolling strategy that keeps one replica, where the present one would stop them all.

    ``None`` where the strategy keeps at least one replica, and for ``Recreate``: that one is chosen
    where two revisions cannot run side by side (a volume or a device only one may hold).
    """
    rolling = table(strategy, "rollingUpdate")
    if strategy.get("type", "RollingUpdate") != "RollingUpdate" or replicas < 1:
        return None
    if share(rolling.get("maxUnavailable", "25%"), replicas, up=False) < replicas:
        return None
    surge = rolling.get("maxSurge", "25%")
    kept = surge if share(surge, replicas, up=True) > 0 else 1
    return {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": kept}}


def share(value: Any, replicas: int, *, up: bool) -> int:
    """An int-or-percent of ``replicas``; percentages of surge round up, of unavailability down."""
    text = str(value)
    if text.endswith("%"):
        exact = int(text[:-1]) * replicas
        return -(-exact // 100) if up else exact // 100
    return int(text)


def restart(obj: Obj, action_id: str) -> list[Obj]:
    """A new template with nothing but the action in it: the same action restarts once."""
    template: Obj = copy.deepcopy(table(obj, "spec", "template"))
    notes = template.setdefault("metadata", {}).setdefault("annotations", {})
    notes["steward.dev/restarted-by"] = action_id
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
