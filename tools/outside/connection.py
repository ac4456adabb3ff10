"""A connection to one MCP server, kept open and made anew after any trouble. The only file that
imports an MCP client.

A server that dies, hangs or talks nonsense costs one sentence and its own connection, nothing else.
It is offered no sampling, no elicitation and no files: it is asked, and that is all.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tools.contract import Json, as_json
from tools.errors import Unavailable
from tools.outside.spec import Server

Ask = Callable[[Any], Awaitable[Any]]
MOST = 200_000
"""Characters of an answer that are kept."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A tool as its server describes it: words of somebody else."""

    name: str
    description: str
    schema: Mapping[str, Json]
    destructive: bool | None
    """The server's own hint; ``None`` where it says nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool answered."""

    text: str
    data: Json
    failed: bool


class Connection:
    """One server. Thread-safe; its own event loop runs in a daemon thread."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = asyncio.new_event_loop()
        self._client: Any = None
        self._busy: asyncio.Lock | None = None
        name = f"mcp-{server.name}"
        threading.Thread(target=self._loop.run_forever, name=name, daemon=True).start()
        atexit.register(self._at_exit)

    def listed(self) -> list[Listed]:
        """Every tool of the server; raises ``Unavailable`` in one sentence."""
        found: list[Any] = self._do("list its tools", lambda client: client.list_tools())
        return [_listed(tool) for tool in found]

    def call(self, tool: str, args: Mapping[str, Json], action: str = "") -> Answer:
        """Call a tool; ``action`` goes along as metadata. Raises ``Unavailable``."""
        meta = {"steward/action": action} if action else None
        answered: Any = self._do(
            f"answer {tool}",
            lambda client: client.call_tool_mcp(name=tool, arguments=dict(args), meta=meta),
        )
        text = "\n".join(_piece(block) for block in answered.content)
        data = as_json(getattr(answered, "structured_content", None))
        return Answer(text[:MOST], data, bool(answered.is_error))

    def close(self) -> None:
        """Let go of the server."""
        asyncio.run_coroutine_threadsafe(self._drop(), self._loop).result(10)

    def _at_exit(self) -> None:
        with suppress(Exception):  # the process ends, and the server's pipe with it
            self.close()

    def _do(self, what: str, ask: Ask) -> Any:
        limit = self._server.timeout
        work: Future[Any] = asyncio.run_coroutine_threadsafe(self._ask(ask, limit), self._loop)
        name, where = self._server.name, self._server.where
        try:
            return work.result(limit.total_seconds() * 2 + 5)
        except TimeoutError:
            work.cancel()
            raise Unavailable(
                f"The MCP server {name} did not {what} within {limit.total_seconds():g} s ({where}).",
                f"MCP 服务器 {name} 在 {limit.total_seconds():g} 秒内没有响应（{where}）。",
            ) from None
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  whatever a foreign server does is one sentence
            raise Unavailable(
                f"The MCP server {name} could not {what}: {_reason(error)} ({where}).",
                f"MCP 服务器 {name} 无法使用：{_reason(error)}（{where}）。",
            ) from None

    async def _ask(self, ask: Ask, limit: timedelta) -> Any:
        self._busy = self._busy or asyncio.Lock()
        try:
            async with asyncio.timeout(limit.total_seconds()):
                async with self._busy:
                    if self._client is None or not self._client.is_connected():
                        self._client = self._made()
                        await self._client.__aenter__()
                return await ask(self._client)
        except BaseException:
            await self._drop()
            raise

    def _made(self) -> Any:
        from fastmcp import Client
        from fastmcp.client.transports import StdioTransport, StreamableHttpTransport

        server = self._server
        if server.url:
            token = os.environ.get(server.token_env, "") if server.token_env else ""
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            transport: Any = StreamableHttpTransport(server.url, headers=headers)
        else:
            handed = {"PATH", "HOME", "LANG", *server.env}
            env = {k: v for k, v in os.environ.items() if k in handed}
            quiet = open(os.devnull, "w")  # noqa: SIM115, PTH123  it lives as long as the server
            transport = StdioTransport(
                server.command[0], list(server.command[1:]), env=env, log_file=quiet
            )
        return Client(transport, init_timeout=server.timeout.total_seconds())

    async def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                async with asyncio.timeout(5):
                    await client.close()
            except BaseException:  # noqa: BLE001  it is gone either way
                return


def _listed(tool: Any) -> Listed:
    hints: Any = getattr(tool, "annotations", None)
    schema: Any = getattr(tool, "input_schema", None) or getattr(tool, "inputSchema", None) or {}
    destructive = getattr(hints, "destructive_hint", None) if hints else None
    return Listed(str(tool.name), str(tool.description or ""), dict(schema), destructive)


def _piece(block: Any) -> str:
    if getattr(block, "type", "") == "text":
        return str(block.text)
    return f"[{getattr(block, 'type', 'something')} left out]"


def _reason(error: BaseException) -> str:
    inner: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    while inner:  # groups of groups: the first says it
        error, inner = inner[0], getattr(inner[0], "exceptions", ())
    said = " ".join(str(error).split())[:160]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
