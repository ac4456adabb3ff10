"""HTTP/1.1 of the gateway: one request to one replica. Standard library only."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

BODY = 64 * 1024 * 1024
"""Largest request body in bytes."""


CONNECT, ANSWER = 2.0, 300.0
"""Seconds to reach a replica, and to wait for its answer."""


KEPT = 500
"""Latencies remembered for a replica."""


@dataclass
class Backend:
    """One replica as the gateway sees it."""

    id: str
    host: str
    port: int
    probe: str
    probe_port: int
    weight: float
    ready: bool = False
    in_flight: int = 0
    turn: float = 0.0
    requests: int = 0
    errors: int = 0
    why: str = "not probed yet"
    metrics: str = ""
    told: str = ""
    """The replica's own metrics, as it last told them."""
    seconds: list[float] = field(default_factory=list[float])

    def seen(self) -> dict[str, Any]:
        """What is reported about it."""
        return {
            "ready": self.ready,
            "in_flight": self.in_flight,
            "requests": self.requests,
            "errors": self.errors,
            "why": self.why,
            "seconds": [round(s, 5) for s in self.seconds],
        }


class NotBegun(Exception):
    """The replica was not reached: another may be asked without doing anything twice."""


HOP = (
    b"connection:",
    b"keep-alive:",
    b"proxy-",
    b"te:",
    b"upgrade:",
    b"expect:",
    b"transfer-encoding:",
    b"content-length:",
)


async def exchange(backend: Backend, lines: str, body: bytes, port: int = 0) -> tuple[bytes, bytes]:
    """Send one request over a connection of its own; the answer's head and whole body."""
    try:
        async with asyncio.timeout(CONNECT):
            reader, writer = await asyncio.open_connection(backend.host, port or backend.port)
    except (OSError, TimeoutError) as error:
        raise NotBegun(str(error) or "timed out") from error
    try:
        host = "" if "\r\nhost:" in lines.lower() else f"Host: {backend.host}\r\n"
        head = f"{lines}{host}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode("latin-1") + body)
        await writer.drain()
        answered = await reader.readuntil(b"\r\n\r\n")
        return answered, await read_body(reader, answered, answer=True)
    finally:
        writer.close()


async def read_body(reader: asyncio.StreamReader, head: bytes, *, answer: bool = False) -> bytes:
    """The body that belongs to a head, by length, by chunks, or to the end of the connection."""
    headers = {
        k.strip().lower(): v.strip()
        for k, _, v in (line.partition(b":") for line in head.split(b"\r\n")[1:] if line)
    }
    if b"chunked" in headers.get(b"transfer-encoding", b"").lower():
        parts: list[bytes] = []
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
        return b"".join(parts)
    if b"content-length" in headers:
        length = int(headers[b"content-length"])
        if length > BODY:
            raise ValueError("the body is too large")
        return await reader.readexactly(length)
    return await reader.read() if answer else b""


def plain(head: bytes, length: int) -> bytes:
    """A replica's answer head for the client: our own framing, its own everything else."""
    first, _, rest = head.partition(b"\r\n")
    kept = [h for h in rest.split(b"\r\n") if h and not h.lower().startswith(HOP)]
    return b"\r\n".join([first, *kept, f"Content-Length: {length}".encode(), b"", b""])


def reply(code: int, why: str) -> bytes:
    """An answer of the gateway itself."""
    body = json.dumps({"error": why}).encode()
    head = (
        f"HTTP/1.1 {code} Steward\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    )
    return head.encode() + b"\r\n\r\n" + body
