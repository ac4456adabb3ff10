"""The one port of a deployment on a Docker host: an HTTP/1.1 proxy that knows its replicas.

Runs inside a container from this very file, so it uses the standard library only. It keeps the
deployment's state (a JSON document with a version: written only by whoever read the last one),
sends each request to a replica by weight, waits for a leaving replica's requests to end, probes
readiness, and counts what it sees. A request that no replica has begun to answer is sent to
another; one that was begun is never repeated.

``python gateway.py PORT`` in the container; ``docker_gateway_call.py`` talks to it by ``docker exec``.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from tools.platforms.docker_gateway_http import (
    ANSWER,
    BODY,
    HOP,
    KEPT,
    Backend,
    NotBegun,
    exchange,
    plain,
    read_body,
    reply,
)

HOME = Path(os.environ.get("STEWARD_GATEWAY_HOME", "/steward"))
SOCKET, STATE = HOME / "gateway.sock", HOME / "state.json"


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
                return self.told()
            case "put":
                return self.put(request["state"], request["expect"])
            case "edit":
                return self.edit(request)
            case "lease":
                held = self.take(request["holder"], float(request["seconds"]))
                return {"ok": held, **self.told()}
            case "metrics":
                return {k: b.told for k, b in self.backends.items() if b.told}
            case _:
                return {"ok": False, "why": "unknown"}

    def told(self) -> dict[str, Any]:
        """The state, what its replicas did, and who drives."""
        seen = {k: b.seen() for k, b in self.backends.items()}
        return {"state": self.state, "seen": seen, "lease": self.holder()}

    def put(self, state: dict[str, Any], expect: int) -> dict[str, Any]:
        """Replace the state, if nobody did since it was read."""
        if self.state["version"] != expect:
            return {"ok": False}
        self.state = {**state, "version": expect + 1, "routes": self.state.get("routes", {})}
        self.keep()
        return {"ok": True}

    def edit(self, request: dict[str, Any]) -> dict[str, Any]:
        """Add, weigh and drop routes in one step: replicas come and go at the same time."""
        routes: dict[str, dict[str, Any]] = {
            **self.state.get("routes", {}),
            **request.get("add", {}),
        }
        for key, weight in request.get("weights", {}).items():
            if key in routes:
                routes[key] = {**routes[key], "weight": weight}
        for key in request.get("drop", []):
            routes.pop(key, None)
        self.state["routes"] = routes
        self.keep()
        self.route(routes)
        return {"ok": True}

    def holder(self) -> str:
        """Who drives at present."""
        return self.lease[0] if time.monotonic() < self.lease[1] else ""

    def take(self, holder: str, seconds: float) -> bool:
        """Let one driver at a time move the replicas."""
        owner, until = self.lease
        if owner not in ("", holder) and time.monotonic() < until:
            return False
        self.lease = (holder, time.monotonic() + seconds) if seconds > 0 else ("", 0.0)
        return True

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
        kept = [h for h in rest.split(b"\r\n") if h and not h.lower().startswith(HOP)]
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


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
