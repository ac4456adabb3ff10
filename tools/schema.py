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


_WHOLE, _NUMBER = ("it must be a whole number", "必须是整数"), ("it must be a number", "必须是数字")
_WORDS: Mapping[str, tuple[str, str]] = {
    "less_than_equal": ("it must be at most {le}", "最大为 {le}"),
    "less_than": ("it must be below {lt}", "必须小于 {lt}"),
    "greater_than_equal": ("it must be at least {ge}", "最小为 {ge}"),
    "greater_than": ("it must be above {gt}", "必须大于 {gt}"),
    "literal_error": ("choose {expected}", "可选：{expected}"),
    "string_type": ("it must be text", "必须是文本"),
    "bool_parsing": ("it must be true or false", "必须是 true 或 false"),
    "bool_type": ("it must be true or false", "必须是 true 或 false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), _WHOLE),
    **dict.fromkeys(("float_type", "float_parsing"), _NUMBER),
}
"""What the validator means, said to a person."""


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
    en, zh = _WORDS.get(str(item["type"]), ("{said}", "{said}"))
    given = {"said": said, **item.get("ctx", {})}
    got = repr(item.get("input"))[:80]
    return (
        f"{name} = {got} is not accepted: {en.format_map(given)}",
        f"参数 {name} = {got} 不可用：{zh.format_map(given)}",
    )


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
