"""An HTTP answer and its way out, as plain ASGI."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from tools.contract import Json

Scope: TypeAlias = Mapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]
Send: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[None]]

MAX_BODY = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response."""

    status: int
    body: bytes
    kind: bytes = b"application/json"

    @classmethod
    def json(cls, value: Json, status: int = 200) -> Answer:
        """A JSON response."""
        return cls(status, json.dumps(value, separators=(",", ":")).encode())


def error(status: int, message: str) -> Answer:
    """An error in the protocol's form."""
    return Answer.json({"error": message}, status)


async def reply(send: Send, answer: Answer, *, close: bool, version: str) -> None:
    """Send a whole response."""
    headers = [
        (b"content-type", answer.kind),
        (b"content-length", str(len(answer.body)).encode()),
        (b"x-model-version", version.encode()),
    ]
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def body_of(receive: Receive) -> bytes | None:
    """The whole body, or ``None`` when it is larger than :data:`MAX_BODY`."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        part = bytes(message.get("body", b""))
        size += len(part)
        if size <= MAX_BODY:
            parts.append(part)
        more = bool(message.get("more_body", False))
    return b"".join(parts) if size <= MAX_BODY else None
