"""Reading Kubernetes objects as dictionaries: absent fields, times, quantities, owners, ids."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias, cast

Obj: TypeAlias = "dict[str, Any]"

ACTION = "steward.dev/action-id"
"""Annotation: the last action that changed the object (and, on a template, that made it)."""
ACTIONS = "steward.dev/recent-actions"
"""Annotation: the last actions, newest first, so that each can be asked for after a crash."""
MODEL = "steward.dev/model"
VERSION = "steward.dev/version"
DIGEST = "steward.dev/digest"
ARTIFACT = "steward.dev/artifact"
CONFIG = "steward.dev/config"
"""Annotation on the template: the release's configuration as JSON."""
REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"
PLACEHOLDER = "steward.dev/placeholder"
"""Annotation ``"true"`` on the template of a Deployment that waits for its first release."""
_KEPT = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(value: Any, *path: str | int) -> Any:
    """The value at ``path``, or ``None`` where any part of the path is absent."""
    for step in path:
        if isinstance(value, Mapping):
            value = cast("Mapping[Any, Any]", value).get(step)
        elif isinstance(value, list) and isinstance(step, int):
            items = cast("list[Any]", value)
            value = items[step] if -len(items) <= step < len(items) else None
        else:
            return None
    return value


def table(value: Any, *path: str | int) -> Obj:
    """The mapping at ``path``; empty where it is absent."""
    found = at(value, *path)
    return cast("Obj", found) if isinstance(found, dict) else {}


def many(value: Any, *path: str | int) -> list[Obj]:
    """The list of mappings at ``path``; empty where it is absent."""
    found = at(value, *path)
    return cast("list[Obj]", found) if isinstance(found, list) else []


def number(value: Any, *path: str | int) -> int:
    """The whole number at ``path``; 0 where it is absent."""
    found = at(value, *path)
    return int(found) if isinstance(found, int | str) and str(found).lstrip("-").isdigit() else 0


def moment(text: Any) -> datetime | None:
    """An RFC 3339 time as the API writes it (``2026-11-23T03:00:00Z``, with or without µs)."""
    if not isinstance(text, str) or not text:
        return None
    return datetime.fromisoformat(text)


def created(obj: Obj) -> datetime:
    """When the object was made."""
    return moment(at(obj, "metadata", "creationTimestamp")) or _EPOCH


def name_of(obj: Obj) -> str:
    """Its name."""
    return str(at(obj, "metadata", "name"))


def namespace_of(obj: Obj) -> str | None:
    """Its namespace, where it has one."""
    return at(obj, "metadata", "namespace")


def note(obj: Obj, key: str) -> str | None:
    """An annotation of the object."""
    return at(obj, "metadata", "annotations", key)


def template_note(obj: Obj, key: str) -> str | None:
    """An annotation of the object's pod template."""
    return at(obj, "spec", "template", "metadata", "annotations", key)


def controller(obj: Obj) -> tuple[str, str, str]:
    """Kind, name and uid of the controlling owner; empty strings where there is none."""
    for owner in many(obj, "metadata", "ownerReferences"):
        if owner.get("controller"):
            return str(owner["kind"]), str(owner["name"]), str(owner["uid"])
    return "", "", ""


def condition(obj: Obj, kind: str) -> Obj:
    """A condition of the status by its type; empty where it is not reported."""
    for found in many(obj, "status", "conditions"):
        if found.get("type") == kind:
            return found
    return {}


def selector_text(obj: Obj) -> str:
    """The object's label selector in the form that a list request takes."""
    selector = table(obj, "spec", "selector")
    parts = [f"{k}={v}" for k, v in sorted(table(selector, "matchLabels").items())]
    for rule in many(selector, "matchExpressions"):
        values = ",".join(rule.get("values") or ())
        match rule["operator"]:
            case "In":
                parts.append(f"{rule['key']} in ({values})")
            case "NotIn":
                parts.append(f"{rule['key']} notin ({values})")
            case "Exists":
                parts.append(str(rule["key"]))
            case _:
                parts.append(f"!{rule['key']}")
    return ",".join(parts)


def actions_of(obj: Obj) -> tuple[str, ...]:
    """The recent actions the object carries, newest first."""
    said = note(obj, ACTIONS) or note(obj, ACTION) or ""
    return tuple(part for part in said.split(",") if part)


def with_action(obj: Obj, action_id: str) -> dict[str, str]:
    """The object's annotations with ``action_id`` in front of its recent actions."""
    annotations = {str(k): str(v) for k, v in table(obj, "metadata", "annotations").items()}
    recent = [a for a in actions_of(obj) if a != action_id]
    annotations[ACTION] = action_id
    annotations[ACTIONS] = ",".join([action_id, *recent][:_KEPT])
    return annotations


def last_editor(obj: Obj) -> str:
    """Who edited the desired state last, from the managed fields: ``kubectl-edit at 12:03 UTC``."""
    edits = _edits(obj)
    return _editor(*max(edits)) if edits else "somebody"


def edited_by(obj: Obj, manager: str) -> str:
    """Who else edited the desired state since ``manager`` did; empty where nobody is known to."""
    edits = _edits(obj, scaling=False)
    own = max((when for when, who in edits if who == manager), default="")
    apart = (manager, "kube-controller-manager")
    others = [(when, who) for when, who in edits if who not in apart and when >= own]
    return _editor(*max(others)) if others else ""


def _edits(obj: Obj, *, scaling: bool = True) -> list[tuple[str, str]]:
    """When and by whom fields of the desired state were set."""
    return [
        (str(entry.get("time")), str(entry.get("manager")))
        for entry in many(obj, "metadata", "managedFields")
        if (part := entry.get("subresource")) != "status" and (scaling or not part)
    ]


def _editor(when: str, who: str) -> str:
    at_time = moment(when) if when else None
    return f"{who} at {at_time:%H:%M} UTC" if at_time else who
