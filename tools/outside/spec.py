"""The ``mcp.servers`` section of steward.yaml: which servers, and what each of their tools may do.

What a tool does is said by the team, here; what a server says of itself is only shown.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from tools.contract import Json
from tools.errors import BadArguments
from tools.words import parse_window

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_TOOL = re.compile(r"[A-Za-z0-9_./-]{1,64}")
_SERVER_KEYS = {"command", "env", "url", "token_env", "timeout", "read", "change", "phrases"}
_CHANGE_KEYS = {"risk", "verify", "undo"}


@dataclass(frozen=True, slots=True)
class Step:
    """Another tool of the same server, with arguments that may name those of the call: ``{title}``."""

    tool: str
    args: Mapping[str, Json]
    contains: str = ""
    """What its answer must contain, for a check."""


@dataclass(frozen=True, slots=True)
class Changing:
    """A tool that changes something, as the team declares it."""

    destroys: bool = False
    verify: Step | None = None
    undo: Step | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """One MCP server."""

    name: str
    command: tuple[str, ...] = ()
    url: str = ""
    env: tuple[str, ...] = ()
    """Names of variables handed on to ``command``; values never stand in steward.yaml."""
    token_env: str = ""
    """Name of the variable that holds the bearer token of ``url``."""
    timeout: timedelta = timedelta(seconds=20)
    reads: tuple[str, ...] = ()
    changes: Mapping[str, Changing] = field(default_factory=dict[str, Changing])
    phrases: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def where(self) -> str:
        """Where it is, without anything secret."""
        return self.url.partition("?")[0] or " ".join(self.command[:3])

    @property
    def digest(self) -> str:
        """Changes with everything that decides whom one talks to."""
        told = json.dumps([self.command, self.url, self.env, self.token_env])
        return hashlib.sha256(told.encode()).hexdigest()[:12]


def servers(section: Json) -> tuple[Server, ...]:
    """The servers of the section ``mcp``.

    Raises:
        BadArguments: an unknown key or an impossible value; says which and what is accepted.
    """
    if section is None:
        return ()
    listed = _map(_map(section, "mcp").get("servers") or {}, "mcp.servers")
    return tuple(_server(str(name), given) for name, given in listed.items())


def _server(name: str, given: Json) -> Server:
    place = f"mcp.servers.{name}"
    if not _NAME.fullmatch(name):
        raise BadArguments(f"{place}: a server's name is a-z, 0-9 and _, and begins with a letter.")
    found = _only(_map(given, place), _SERVER_KEYS, place)
    command = tuple(str(part) for part in _list(found.get("command"), f"{place}.command"))
    url = str(found.get("url") or "")
    if bool(command) == bool(url):
        raise BadArguments(f"{place} needs either a command (a list) or a url.")
    if url and not url.startswith(("http://", "https://")):
        raise BadArguments(f"{place}.url must begin with https:// or http://.")
    return Server(
        name=name,
        command=command,
        url=url,
        env=tuple(str(v) for v in _list(found.get("env"), f"{place}.env")),
        token_env=str(found.get("token_env") or ""),
        timeout=_timeout(found.get("timeout"), place),
        reads=tuple(_tool(t, place) for t in _list(found.get("read"), f"{place}.read")),
        changes=_changes(found.get("change"), f"{place}.change"),
        phrases=_phrases(found.get("phrases"), f"{place}.phrases"),
    )


def _changes(given: Json, place: str) -> dict[str, Changing]:
    if isinstance(given, list):
        given = {str(name): None for name in given}
    return {
        _tool(name, place): _changing(told, f"{place}.{name}")
        for name, told in _map(given or {}, place).items()
    }


def _changing(given: Json, place: str) -> Changing:
    found = _only(_map(given or {}, place), _CHANGE_KEYS, place)
    risk = found.get("risk", "change")
    if risk not in ("change", "destroy"):
        raise BadArguments(f"{place}.risk is {risk!r}; it must be change or destroy.")
    verify, undo = found.get("verify"), found.get("undo")
    return Changing(
        destroys=risk == "destroy",
        verify=_step(verify, f"{place}.verify") if verify else None,
        undo=_step(undo, f"{place}.undo") if undo else None,
    )


def _step(given: Json, place: str) -> Step:
    found = _only(_map(given, place), {"tool", "args", "contains"}, place)
    if not found.get("tool"):
        raise BadArguments(f"{place} needs a tool.")
    args = _map(found.get("args") or {}, f"{place}.args")
    return Step(_tool(found["tool"], place), dict(args), str(found.get("contains") or ""))


def _phrases(given: Json, place: str) -> dict[str, tuple[str, ...]]:
    told = _map(given or {}, place)
    return {str(k): tuple(str(p) for p in _list(v, f"{place}.{k}")) for k, v in told.items()}


def _timeout(given: Json, place: str) -> timedelta:
    if given is None:
        return timedelta(seconds=20)
    try:
        return parse_window(str(given))
    except ValueError:
        raise BadArguments(f"{place}.timeout must be a duration such as 20s.") from None


def _tool(given: Json, place: str) -> str:
    if not isinstance(given, str) or not _TOOL.fullmatch(given):
        raise BadArguments(f"{place}: {given!r} is not the name of a tool.")
    return given


def _only(found: Mapping[str, Json], known: set[str], place: str) -> Mapping[str, Json]:
    unknown = sorted(set(found) - known)
    if unknown:
        raise BadArguments(
            f"{place}: there is no {unknown[0]!r}; it has {', '.join(sorted(known))}."
        )
    return found


def _map(given: Any, place: str) -> Mapping[str, Json]:
    if not isinstance(given, Mapping):
        raise BadArguments(f"{place} must be a mapping.")
    return cast("Mapping[str, Json]", given)


def _list(given: Json, place: str) -> list[Json]:
    if given is None:
        return []
    if not isinstance(given, list):
        raise BadArguments(f"{place} must be a list.")
    return given
