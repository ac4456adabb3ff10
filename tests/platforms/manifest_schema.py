"""Checks manifests against the API's own schema, as the official client carries it."""

from __future__ import annotations

import re
from typing import Any


def faults(manifest: dict[str, Any], kind: str) -> list[str]:
    """Fields that the API does not know, or that it needs and are missing."""
    from kubernetes import client

    return list(_object(manifest, kind, "", client))


def _object(value: Any, kind: str, path: str, client: Any) -> Any:
    model = getattr(client, kind, None)
    if model is None or not hasattr(model, "openapi_types"):
        return
    names = {outer: inner for inner, outer in model.attribute_map.items()}
    if not isinstance(value, dict):
        yield f"{path}: {kind} expected"
        return
    for key, inner in value.items():
        if key not in names:
            yield f"{path}.{key} is not a field of {kind}"
        else:
            yield from _typed(inner, model.openapi_types[names[key]], f"{path}.{key}", client)


def _typed(value: Any, kind: str, path: str, client: Any) -> Any:
    if match := re.fullmatch(r"(?:list|List)\[(.+)\]", kind):
        for index, item in enumerate(value):
            yield from _typed(item, match[1], f"{path}[{index}]", client)
    elif match := re.fullmatch(r"(?:dict|Dict)\[str, ?(.+)\]", kind):
        for key, item in value.items():
            yield from _typed(item, match[1], f"{path}.{key}", client)
    elif kind in ("int", "str", "bool"):
        wanted = {"int": int, "str": str, "bool": bool}[kind]
        if not isinstance(value, wanted):
            yield f"{path}: {kind} expected, got {value!r}"
    else:
        yield from _object(value, kind, path, client)
