"""Arguments of tools: JSON Schema and validation, through pydantic, built when first needed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from tools.errors import BadArguments

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tools.contract import Json, Tool


@cache
def _model(tool: Tool) -> type[BaseModel]:
    from pydantic import ConfigDict, create_model

    declared: dict[str, Any] = {
        p.name: (p.annotation, ... if p.required and not p.unless else p.default)
        for p in tool.parameters
    }
    return create_model(tool.name, __config__=ConfigDict(extra="forbid"), **declared)


def validate(tool: Tool, raw: Mapping[str, Any]) -> dict[str, Json]:
    """Validated, normalised JSON arguments of ``tool``; raises ``BadArguments``."""
    from pydantic import ValidationError

    try:
        found = _model(tool).model_validate(dict(raw)).model_dump(mode="json")
    except ValidationError as error:
        faults = [_fault(tool, item) for item in error.errors()[:3]]
        raise BadArguments(
            "; ".join(en for en, _ in faults) + ".", "；".join(zh for _, zh in faults) + "。"
        ) from None
    for lacking in tool.lacking(found):
        names = (lacking.name, *lacking.unless)
        raise BadArguments(
            f"{tool.name} needs {' or '.join(names)}.",
            f"{tool.name} 需要参数 {'、'.join(names)} 之一。",
        )
    return found


def _fault(tool: Tool, item: Mapping[str, Any]) -> tuple[str, str]:
    name = str(item["loc"][0]) if item["loc"] else "arguments"
    if item["type"] == "missing":
        return f"{tool.name} needs {name}", f"{tool.name} 需要参数 {name}"
    if item["type"] == "extra_forbidden":
        known = ", ".join(p.name for p in tool.parameters) or "none"
        return (
            f"{tool.name} has no argument {name!r} (it takes: {known})",
            f"{tool.name} 没有参数 {name!r}（可用：{known}）",
        )
    said = str(item["msg"]).removeprefix("Value error, ").removesuffix(".")
    got = repr(item.get("input"))[:80]
    return f"{name} = {got} is not accepted: {said}", f"参数 {name} = {got} 不可用：{said}"


def schema(tool: Tool) -> dict[str, Any]:
    """A compact JSON Schema of the arguments: no titles, no nulls that a model could trip over."""
    full = _model(tool).model_json_schema()
    return {
        "type": "object",
        "properties": {k: _compact(v) for k, v in full.get("properties", {}).items()},
        "required": full.get("required", []),
        "additionalProperties": False,
    }


def _compact(node: Mapping[str, Any]) -> dict[str, Any]:
    options = [o for o in node.get("anyOf", ()) if o.get("type") != "null"]
    if len(options) == 1:
        node = {**options[0], **{k: v for k, v in node.items() if k != "anyOf"}}
    dropped = {"title", "default"} if node.get("default") is None else {"title"}
    return {k: v for k, v in node.items() if k not in dropped}
