"""What servers say of their tools, remembered in STEWARD_HOME so that a question need not wait.

A server that does not answer keeps its tools under their declared names; only their description is
missing until it answers.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tools.contract import as_json
from tools.errors import ToolError
from tools.outside.connection import Listed
from tools.outside.spec import Server

FRESH = 86_400.0
"""Seconds a description is used without asking again."""
PATIENCE = 60.0
"""Seconds before a silent server is asked again."""


def describe(
    servers: tuple[Server, ...], ask: Callable[[Server], list[Listed]], folder: Path
) -> Mapping[str, Mapping[str, Listed]]:
    """Server name → its tools by name; asked side by side where the memory is old."""
    found: dict[str, Mapping[str, Listed]] = {}

    def one(server: Server) -> None:
        found[server.name] = _described(server, ask, folder)

    threads = [threading.Thread(target=one, args=(s,), daemon=True) for s in servers]
    for thread in threads:
        thread.start()
    for thread, server in zip(threads, servers, strict=True):
        thread.join(server.timeout.total_seconds() * 2 + 5)
    return found


def _described(
    server: Server, ask: Callable[[Server], list[Listed]], folder: Path
) -> Mapping[str, Listed]:
    path = folder / f"mcp-{server.name}-{server.digest}.json"
    kept = _read(path)
    tools = {t.name: t for t in kept[1]} if kept else {}
    if kept and time.time() < kept[0]:
        return tools
    try:
        fresh = ask(server)
    except ToolError:
        _write(path, time.time() + PATIENCE, list(tools.values()))
        return tools
    _write(path, time.time() + FRESH, fresh)
    return {t.name: t for t in fresh}


def _read(path: Path) -> tuple[float, list[Listed]] | None:
    try:
        kept: Any = json.loads(path.read_text())
        return float(kept["until"]), [Listed(**tool) for tool in kept["tools"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, until: float, tools: list[Listed]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{threading.get_ident()}.part")
        fresh.write_text(json.dumps({"until": until, "tools": as_json(tools)}))
        fresh.replace(path)
    except OSError:
        return  # it is asked again next time


def digest_of(tool: Listed | None) -> str:
    """What a yes binds of a tool: its schema and its description."""
    told = json.dumps(as_json(tool), sort_keys=True) if tool else ""
    return hashlib.sha256(told.encode()).hexdigest()[:16]
