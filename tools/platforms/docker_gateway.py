"""The one port of a deployment on a Docker host: an HTTP/1.1 proxy that knows its replicas.

Runs inside a container from this very file, so it uses the standard library only. It keeps the
deployment's state (a JSON document with a version: written only by whoever read the last one),
sends each request to a replica by weight, waits for a leaving replica's requests to end, probes
readiness, and counts what it sees. A request that no replica has begun to answer is sent to
another; one that was begun is never repeated.

``python gateway.py serve PORT`` in the container; ``python gateway.py call JSON`` by ``docker exec``.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

HOME = Path(os.environ.get("STEWARD_GATEWAY_HOME", "/steward"))
SOCKET, STATE = HOME / "gateway.sock", HOME / "state.json"
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


class Gateway:
    """Routes, state and counters of one deployment."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"version": 0}
        self.backends: dict[str, Backend] = {}
        self.lease: tuple[str, float] = ("", 0.0)
        HOME.mkdir(parents=True, exist_ok=True)
        SOCKET.unlink(missing_ok=True)
        if STATE.exists():
            self.state = json.loads(STATE.read_text())
            self.route(self.state.get("routes", {}))

    def route(self, routes: dict[str, dict[str, Any]]) -> None:
        """Follow the routes: known replicas keep their counters."""
        for gone in set(self.backends) - set(routes):
            del self.backends[gone]
        for key, r in routes.items():
            held = self.backends.get(key)
            if held is None:
                self.backends[key] = Backend(
                    key,
                    r["host"],
                    r["port"],
                    r["probe"],
                    r["probe_port"],
                    r["weight"],
                    metrics=r.get("metrics", ""),
                )
            else:
                held.weight = r["weight"]

    def call(self, request: dict[str, Any]) -> dict[str, Any]:
        """One administrative request."""
        match request["op"]:
            case "get":
                seen = {k: b.seen() for k, b in self.backends.items()}
                return {"state": self.state, "seen": seen, "lease": self.holder()}
            case "put":
                return self.put(request["state"], request["expect"])
            case "routes":
                self.state["routes"] = request["routes"]
                self.keep()
                self.route(request["routes"])
                return {"ok": True}
            case "lease":
                return self.take(request["holder"], float(request["seconds"]))
            case "metrics":
                return {k: b.told for k, b in self.backends.items() if b.told}
            case _:
                return {"ok": False, "why": "unknown"}

    def put(self, state: dict[str, Any], expect: int) -> dict[str, Any]:
        """Replace the state, if nobody did since it was read."""
        if self.state["version"] != expect:
            return {"ok": False}
        self.state = {**state, "version": expect + 1, "routes": self.state.get("routes", {})}
        self.keep()
        return {"ok": True}

    def holder(self) -> str:
        """Who drives at present."""
        return self.lease[0] if time.monotonic() < self.lease[1] else ""

    def take(self, holder: str, seconds: float) -> dict[str, Any]:
        """Let one driver at a time move the replicas."""
        owner, until = self.lease
        if owner not in ("", holder) and time.monotonic() < until:
            return {"ok": False}
        self.lease = (holder, time.monotonic() + seconds) if seconds > 0 else ("", 0.0)
        return {"ok": True}

    def keep(self) -> None:
        """Write the state so that a restart finds it whole."""
        part = STATE.with_suffix(".part")
        part.write_text(json.dumps(self.state))
        with part.open() as handle:
            os.fsync(handle.fileno())
        part.replace(STATE)

    def choose(self, tried: set[str]) -> Backend | None:
        """The next replica: smooth weighted round robin over those that are ready."""
        ready = [
            b for b in self.backends.values() if b.ready and b.weight > 0 and b.id not in tried
        ]
        if not ready:
            return None
        for backend in ready:
            backend.turn += backend.weight
        best = max(ready, key=lambda b: b.turn)
        best.turn -= sum(b.weight for b in ready)
        return best

    async def probe(self) -> None:
        """Ask every replica whether it is ready, for ever."""
        for turn in count(0):
            known = list(self.backends.values())
            await asyncio.gather(*(self.ask(b) for b in known))
            if turn % 5 == 0:
                await asyncio.gather(*(self.hear(b) for b in known if b.ready and b.metrics))
            await asyncio.sleep(0.2)

    async def hear(self, backend: Backend) -> None:
        """Read a replica's own metrics."""
        with suppress(NotBegun, OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            async with asyncio.timeout(2.0):
                lines = f"GET {backend.metrics} HTTP/1.1\r\n"
                _, body = await exchange(backend, lines, b"", backend.probe_port)
            backend.told = body[:200_000].decode("utf-8", "replace")

    async def ask(self, backend: Backend) -> None:
        """One readiness probe."""
        try:
            async with asyncio.timeout(2.0):
                lines = f"GET {backend.probe} HTTP/1.1\r\n"
                head, _ = await exchange(backend, lines, b"", backend.probe_port)
            backend.ready = b" 200 " in head.split(b"\r\n", 1)[0]
            backend.why = "" if backend.ready else head.split(b"\r\n", 1)[0].decode("latin-1")
        except (NotBegun, OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            backend.ready, backend.why = False, str(error) or type(error).__name__

    async def client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client connection, with as many requests as it likes."""
        try:
            while await self.one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # the client went away or does not speak HTTP
        finally:
            writer.close()

    async def one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; whether the connection goes on."""
        head = await reader.readuntil(b"\r\n\r\n")
        body = await read_body(reader, head)
        keep = b"connection: close" not in head.lower()
        answer = await self.forward(head, body)
        writer.write(answer)
        await writer.drain()
        return keep

    async def forward(self, head: bytes, body: bytes) -> bytes:
        """The answer of some replica, or 503 when none can."""
        first, _, rest = head.partition(b"\r\n")
        kept = [h for h in rest.split(b"\r\n") if h and not h.lower().startswith(_HOP)]
        lines = (
            first.decode("latin-1") + "\r\n" + "".join(h.decode("latin-1") + "\r\n" for h in kept)
        )
        tried: set[str] = set()
        while (backend := self.choose(tried)) is not None:
            tried.add(backend.id)
            backend.in_flight += 1
            began = time.monotonic()
            try:
                async with asyncio.timeout(ANSWER):
                    answered, payload = await exchange(backend, lines, body)
            except NotBegun:
                backend.ready = False
                continue
            except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
                backend.requests += 1
                backend.errors += 1
                return reply(502, "the replica broke off its answer")
            finally:
                backend.in_flight -= 1
            self.tally(backend, answered, time.monotonic() - began)
            return plain(answered, len(payload)) + payload
        return reply(503, "no replica is ready")

    def tally(self, backend: Backend, head: bytes, seconds: float) -> None:
        """Remember one answered request; 4xx is the caller's fault and says nothing."""
        status = head[9:10]
        if status != b"4":
            backend.requests += 1
            backend.errors += status == b"5"
            backend.seconds = [*backend.seconds[-KEPT + 1 :], seconds]


class NotBegun(Exception):
    """The replica was not reached: another may be asked without doing anything twice."""


_HOP = (
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
    kept = [h for h in rest.split(b"\r\n") if h and not h.lower().startswith(_HOP)]
    return b"\r\n".join([first, *kept, f"Content-Length: {length}".encode(), b"", b""])


def reply(code: int, why: str) -> bytes:
    """An answer of the gateway itself."""
    body = json.dumps({"error": why}).encode()
    head = (
        f"HTTP/1.1 {code} Steward\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    )
    return head.encode() + b"\r\n\r\n" + body


async def serve(port: int) -> None:
    """Listen until the container is stopped."""
    gateway = Gateway()

    async def admin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError, KeyError):
            request = json.loads(await reader.readline())
            writer.write(json.dumps(gateway.call(request)).encode() + b"\n")
            await writer.drain()
        writer.close()

    await asyncio.start_unix_server(admin, str(SOCKET), limit=BODY)
    await asyncio.start_server(gateway.client, "0.0.0.0", port, backlog=512, limit=1 << 20)
    await gateway.probe()


def call(text: str) -> str:
    """Ask the running gateway, from inside its container."""
    import socket

    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(10)
        link.connect(str(SOCKET))
        link.sendall(text.encode() + b"\n")
        with link.makefile() as answer:
            return answer.readline().strip()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve(int(sys.argv[2])))
    else:
        sys.stdout.write(call(os.environ.get("STEWARD_CALL") or sys.argv[2]) + "\n")
