"""Tools of MCP servers as tools of the catalogue: reading ones look, changing ones are proposed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tools.contract import (
    Call,
    Change,
    Effect,
    Irreversible,
    Json,
    Outcome,
    Parameter,
    Phrases,
    Plan,
    Tool,
)
from tools.errors import BadArguments
from tools.outside.change import ForeignChange, filled
from tools.outside.connection import Connection, Listed
from tools.outside.listing import describe
from tools.outside.reading import reader
from tools.outside.spec import Changing, Server, servers

if TYPE_CHECKING:
    from tools.fleet import Fleet
    from tools.world import World

_HAN = re.compile(r"[\u3400-\u9fff]")
_TYPES: Mapping[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool}
SCHEMA = 6_000
"""Characters of a foreign schema that a model is shown; a larger one is reduced to its names."""


@dataclass(frozen=True)
class ForeignTool(Tool):
    """A tool whose arguments another server checks; names and simple types are checked here."""

    raw: Mapping[str, Json] = field(default_factory=dict[str, Json], compare=False)
    """The server's own JSON Schema; empty where it was never told."""

    def arguments(self, raw: Mapping[str, Any]) -> dict[str, Json]:
        """Checked names and simple types; what is not given is left out."""
        given = {k: v for k, v in raw.items() if v is not None}
        if not self.raw:
            return given
        known = {p.name: p for p in self.parameters}
        for name in sorted(set(given) - set(known)):
            listed = ", ".join(known) or "none"
            raise BadArguments(f"{self.name} has no argument {name!r} (it takes: {listed}).")
        for p in self.parameters:
            if p.required and p.name not in given:
                raise BadArguments(
                    f"{self.name} needs {p.name}.", f"{self.name} 需要参数 {p.name}。"
                )
        return {k: _fitting(self.name, known[k], v) for k, v in given.items()}

    def schema(self) -> dict[str, Any]:
        """The server's schema, or the names alone where it is too large."""
        if self.raw and len(json.dumps(self.raw)) <= SCHEMA:
            return {"type": "object", **{k: v for k, v in self.raw.items() if k in _KEPT}}
        names: dict[str, Any] = {p.name: {} for p in self.parameters}
        required = [p.name for p in self.parameters if p.required]
        return {"type": "object", "properties": names, "required": required}


_KEPT = ("properties", "required", "additionalProperties", "$defs")


class Outside:
    """The port: a connection to each server, made when first needed."""

    def __init__(self, listed: Sequence[Server]) -> None:
        self.servers = {s.name: s for s in listed}
        self._open: dict[str, Connection] = {}

    def connection(self, name: str) -> Connection:
        """The connection to a server of steward.yaml."""
        if name not in self._open:
            self._open[name] = Connection(self.servers[name])
        return self._open[name]

    def close(self) -> None:
        """Let go of every server."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()


def build(world: World) -> Outside:
    """The port of a world."""
    return Outside(servers(world.fleet.sections.get("mcp")))


def outside(world: World) -> Outside:
    """The connections of this world."""
    port: Outside = world.port("outside")
    return port


def offered(fleet: Fleet, home: Path) -> tuple[Tool, ...]:
    """The tools that ``mcp.servers`` of steward.yaml names; empty without the section."""
    listed = servers(fleet.sections.get("mcp"))
    if not listed:
        return ()
    asking = Outside(listed)
    told = describe(listed, lambda s: asking.connection(s.name).listed(), home / "cache")
    asking.close()
    return tuple(tool for server in listed for tool in _tools(server, told.get(server.name) or {}))


def _tools(server: Server, told: Mapping[str, Listed]) -> list[Tool]:
    found = [_reading(server, name, told.get(name)) for name in server.reads]
    found += [_changing(server, name, how, told.get(name)) for name, how in server.changes.items()]
    return found


def _reading(server: Server, name: str, told: Listed | None) -> Tool:
    look = reader(lambda world: outside(world).connection(server.name), server.name, name)
    return ForeignTool(
        _named(server, name),
        _summary(server, told),
        Effect.READ,
        _phrases(server, name),
        _parameters(told),
        read=look,
        raw=dict(told.schema) if told else {},
    )


def _changing(server: Server, name: str, how: Changing, told: Listed | None) -> Tool:
    effect = Effect.DESTROY if how.destroys else Effect.CHANGE
    phrases = _phrases(server, name)
    change = ForeignChange(
        server,
        name,
        how,
        lambda world: outside(world).connection(server.name),
        phrases,
        _undo(server, name, how),
    )
    return ForeignTool(
        _named(server, name),
        _summary(server, told),
        effect,
        phrases,
        _parameters(told),
        change=cast("Change[Any]", change),  # one instance per tool, not one class
        arguments_type=dict,
        raw=dict(told.schema) if told else {},
    )


def _undo(server: Server, name: str, how: Changing) -> Any:
    if how.undo is None:
        return Irreversible(
            f"steward.yaml declares no undo for {name} of the MCP server {server.name}",
            f"steward.yaml 没有为 MCP 服务器 {server.name} 的 {name} 声明撤销方式",
        )
    step = how.undo

    def undo(_world: World, plan: Plan, _outcome: Outcome) -> Call:
        args = cast("dict[str, Json]", plan.details["args"])
        return Call(_named(server, step.tool), {k: filled(v, args) for k, v in step.args.items()})

    return undo


def _named(server: Server, tool: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", f"{server.name}_{tool}".lower()).strip("_")


def _summary(server: Server, told: Listed | None) -> str:
    if told is None or not told.description.strip():
        return f"A tool of the MCP server {server.name}, which has not described it."
    one = " ".join(told.description.split())
    return f"Of the MCP server {server.name}, in its own words: \u201c{one[:240]}\u201d"


def _phrases(server: Server, name: str) -> Phrases:
    told = server.phrases.get(name, ())
    zh = tuple(p for p in told if _HAN.search(p))
    return Phrases(tuple(p for p in told if p not in zh), zh)


def _parameters(told: Listed | None) -> tuple[Parameter, ...]:
    if told is None:
        return ()
    properties = cast("Mapping[str, Mapping[str, Any]]", told.schema.get("properties") or {})
    required = cast("Sequence[str]", told.schema.get("required") or ())
    return tuple(
        Parameter(name, _TYPES.get(str(p.get("type")), Any), name in required, None, _word(p), "")
        for name, p in properties.items()
    )


def _word(schema: Mapping[str, Any]) -> str:
    return "text" if schema.get("type") == "string" and "enum" not in schema else ""


def _fitting(tool: str, parameter: Parameter, value: Json) -> Json:
    kind = parameter.annotation
    if kind is Any or isinstance(value, kind):
        return value
    try:
        return (
            kind(value) if isinstance(value, str | int | float) else _refuse(tool, parameter, value)
        )
    except ValueError:
        return _refuse(tool, parameter, value)


def _refuse(tool: str, parameter: Parameter, value: Json) -> Json:
    kind = getattr(parameter.annotation, "__name__", "value")
    raise BadArguments(f"{tool}: {parameter.name} = {str(value)[:60]!r} is not of type {kind}.")
