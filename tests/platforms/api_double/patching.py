"""JSON patch, merge patch and strategic merge patch, as the API server applies them."""

from __future__ import annotations

import copy
from typing import Any


class TestFailed(Exception):
    """An operation does not apply."""

    __test__ = False


def json_patch(doc: Any, ops: list[dict[str, Any]]) -> Any:
    doc = copy.deepcopy(doc)
    for op in ops:
        steps = [s.replace("~1", "/").replace("~0", "~") for s in op["path"].split("/")[1:]]
        parent = doc
        for step in steps[:-1]:
            parent = _child(parent, step, op)
        _apply(parent, steps[-1], op)
    return doc


def _child(parent: Any, step: str, op: dict[str, Any]) -> Any:
    try:
        return parent[int(step)] if isinstance(parent, list) else parent[step]
    except (KeyError, IndexError, TypeError, ValueError):
        raise TestFailed(
            f"{op['op']} operation does not apply: doc is missing path: {op['path']}"
        ) from None


def _apply(parent: Any, last: str, op: dict[str, Any]) -> None:
    if op["op"] == "test":
        found = parent.get(last) if isinstance(parent, dict) else parent[int(last)]
        if found != op.get("value"):
            raise TestFailed(f"testing path {op['path']} value failed: test failed")
        return
    if op["op"] in ("replace", "remove"):
        _child(parent, last, op)
    if op["op"] == "remove":
        parent.pop(int(last) if isinstance(parent, list) else last)
    elif isinstance(parent, list):
        if last == "-":
            parent.append(op["value"])
        elif op["op"] == "add":
            parent.insert(int(last), op["value"])
        else:
            parent[int(last)] = op["value"]
    else:
        parent[last] = op["value"]


def merge_patch(doc: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = dict(doc) if isinstance(doc, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "conditions": "type",
    "ownerReferences": "uid",
    "taints": "key",
}


def strategic_merge(doc: Any, patch: Any, name: str = "") -> Any:
    if isinstance(patch, list) and name in MERGE_KEYS:
        return _merge_list(doc if isinstance(doc, list) else [], patch, MERGE_KEYS[name])
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {k: v for k, v in patch.items() if k != "$patch"}
    result = dict(doc) if isinstance(doc, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = strategic_merge(result.get(key), value, key)
    return result


def _merge_list(old: list[Any], patch: list[Any], key: str) -> list[Any]:
    result = [copy.deepcopy(i) for i in old]
    for item in patch:
        index = next((n for n, i in enumerate(result) if i.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            if index is not None:
                result.pop(index)
        elif index is None:
            result.append(item)
        else:
            result[index] = strategic_merge(result[index], item)
    return result
