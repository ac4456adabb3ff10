"""What a dry run would change, one ``- before`` / ``+ after`` pair a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from tools.platforms.kubernetes_objects import (
    ACTION,
    ACTIONS,
    ARTIFACT,
    CONFIG,
    DIGEST,
    MODEL,
    Obj,
    table,
)

_HIDDEN = frozenset(
    (
        ACTION,
        ACTIONS,
        MODEL,
        DIGEST,
        ARTIFACT,
        CONFIG,
        "steward.dev/settings-before",
        "steward.dev/template-before",
        "kubectl.kubernetes.io/last-applied-configuration",
    )
)
"""Bookkeeping, and what the container's own variables say once more."""
_KEYS = ("name", "mountPath", "containerPort", "key", "type")


def diff(before: Obj, after: Obj) -> str:
    """The edited part (annotations, labels, spec) of two states of an object, as lines."""
    lines: list[str] = []
    old, new = dict(flat(_edited(before))), dict(flat(_edited(after)))
    for path in sorted(old.keys() | new.keys()):
        if old.get(path, {}) != new.get(path, {}):
            if path in old:
                lines.append(f"- {path}: {_show(old[path])}")
            if path in new:
                lines.append(f"+ {path}: {_show(new[path])}")
    return "\n".join(lines)


def _edited(obj: Obj) -> Obj:
    return {
        "annotations": {
            k: v
            for k, v in table(obj, "metadata", "annotations").items()
            if k not in _HIDDEN and not k.startswith("deployment.kubernetes.io/")
        },
        "labels": table(obj, "metadata", "labels"),
        **table(obj, "spec"),
    }


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves with their paths; list items by their name where they have one."""
    if isinstance(value, dict) and value:
        for key, inner in cast("Obj", value).items():
            if key not in _HIDDEN:
                yield from flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(cast("list[Any]", value)):
            yield from _item(inner, path, index)
    else:
        yield path, value


def _item(inner: Any, path: str, index: int) -> Iterator[tuple[str, Any]]:
    if not isinstance(inner, dict):
        yield f"{path}[{index}]", inner
        return
    item = cast("Obj", inner)
    label = next((str(item[k]) for k in _KEYS if k in item), str(index))
    if set(item) == {"name", "value"}:
        yield f"{path}[{label}]", item["value"]
        return
    yield from flat(item, f"{path}[{label}]")


def _show(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    flat_text = " ".join(text.split())
    return flat_text if len(flat_text) <= 160 else flat_text[:159] + "…"
