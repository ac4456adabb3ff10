"""Bounds on what a client may send and how slowly it may send or read. Plain ASGI."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much and how slow."""

    body: int = 1_048_576
    """Bytes of a request body."""
    receive: float = 10.0
    """Seconds for a whole request body to arrive."""
    send: float = 30.0
    """Seconds for a client to take one piece of the answer."""


class _TooMuch(Exception):
    pass


class Bounded:
    """Wraps an application: oversized bodies are 413, slow senders 408, slow readers dropped."""

    def __init__(self, app: App, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._limits.receive):
                body = await self._body(scope, receive)
        except _TooMuch:
            said = f"The body is larger than {self._limits.body} bytes."
            await refuse(send, 413, "too_large", said)
        except TimeoutError:
            said = f"The body did not arrive within {self._limits.receive:g} s."
            await refuse(send, 408, "too_slow", said)
        else:
            await self._serve(scope, body, receive, send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        for name, value in scope["headers"]:
            if name == b"content-length" and (
                not value.isdigit() or int(value) > self._limits.body
            ):
                raise _TooMuch
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return bytes(body)
            body += message.get("body", b"")
            if len(body) > self._limits.body:
                raise _TooMuch
            if not message.get("more_body"):
                return bytes(body)

    async def _serve(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        given = False

        async def whole() -> MutableMapping[str, Any]:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def patient(message: MutableMapping[str, Any]) -> None:
            try:
                async with asyncio.timeout(self._limits.send):
                    await send(message)
            except TimeoutError:
                raise OSError("the client reads too slowly") from None

        await self._app(scope, whole, patient)


async def refuse(send: Send, status: int, code: str, message: str) -> None:
    """Answer with the one JSON shape of errors and close the connection."""
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
