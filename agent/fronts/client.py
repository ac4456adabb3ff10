"""How the command line talks to a running service: the HTTP API over the unix socket.

Standard library only, and no ``http.client`` (importing it takes longer than most answers):
requests are HTTP/1.0, so an answer ends where the connection ends.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tools.errors import BadArguments, Failed, Refused, ToolError, Unavailable

SOCKET_NAME = "steward.sock"
_GONE = "The service stopped answering; what it does goes on in the ledger."
_GONE_ZH = "服务停止响应；已记录的操作会继续。"


@dataclass(frozen=True, slots=True)
class ServiceClient:
    """A running service of this STEWARD_HOME."""

    path: Path
    timeout: float = 600.0
    """Seconds without a byte before an answer is given up."""

    @classmethod
    def at(cls, home: Path) -> ServiceClient | None:
        """The service of ``home``, or ``None`` when nothing answers."""
        path = home / SOCKET_NAME
        if not path.exists():
            return None
        client = cls(path)
        try:
            quick = cls(path, timeout=2.0)
            return client if quick._json("GET", "/healthz").get("service") == "steward" else None
        except ToolError:
            return None

    def ask(self, text: str, conversation: str, id: str) -> Iterator[dict[str, Any]]:
        """The events of a turn as they happen; the last is a ``reply``. ``id``: see ``Message``."""
        body = {"text": text, "conversation": conversation, "id": id}
        return self._events("POST", "/v1/ask/stream", body)

    def actions(
        self, *states: str, hours: float | None = None, limit: int = 200
    ) -> list[dict[str, Any]]:
        """Actions, newest first."""
        from urllib.parse import urlencode

        query: list[tuple[str, str]] = [("limit", str(limit)), *(("state", s) for s in states)]
        if hours is not None:
            query.append(("hours", str(hours)))
        return self._json("GET", f"/v1/actions?{urlencode(query)}")["actions"]

    def action(self, number: int) -> dict[str, Any]:
        """One action."""
        return self._json("GET", f"/v1/actions/{int(number)}")

    def decide(self, number: int, digest: str, verdict: str, reason: str = "") -> dict[str, Any]:
        """Say yes or no; an approved action is run by the service."""
        body = {"digest": digest, "verdict": verdict, "reason": reason}
        return self._json("POST", f"/v1/actions/{int(number)}/decision", body)

    def follow(self, number: int) -> Iterator[dict[str, Any]]:
        """Progress and state changes of an action until its outcome."""
        return self._events("GET", f"/v1/actions/{int(number)}/events")

    def cancel(self, number: int) -> dict[str, Any]:
        """Withdraw a waiting action or ask a running one to stop."""
        return self._json("POST", f"/v1/actions/{int(number)}/cancel", {})

    def settle(self, number: int, happened: bool) -> dict[str, Any]:
        """Answer for an ``unknown`` action."""
        return self._json("POST", f"/v1/actions/{int(number)}/settle", {"happened": happened})

    def reset_breaker(self) -> None:
        """Close the circuit breaker."""
        self._json("POST", "/v1/breaker/reset", {})

    def _json(self, method: str, target: str, body: Mapping[str, Any] | None = None) -> Any:
        with self._connect() as connection:
            status, answer = _request(connection, method, target, body)
            try:
                document = json.loads(answer.read())
            except (OSError, ValueError):
                raise Unavailable(_GONE, _GONE_ZH) from None
        if status >= 400:
            raise _error(document.get("error", {}))
        return document

    def _events(
        self, method: str, target: str, body: Mapping[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        with self._connect() as connection:
            status, answer = _request(connection, method, target, body)
            if status >= 400:
                raise _error(_quiet_json(answer.read()).get("error", {}))
            try:
                for line in answer:
                    if not line.startswith(b"data: "):
                        continue
                    event = json.loads(line[6:])
                    if event["type"] == "error":
                        raise _error(event["error"])
                    if event["type"] == "end":
                        return
                    yield event
            except (OSError, ValueError):
                raise Unavailable(_GONE, _GONE_ZH) from None
        raise Unavailable(_GONE, _GONE_ZH)

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(self.timeout)
        try:
            connection.connect(str(self.path))
        except OSError as error:
            connection.close()
            raise Unavailable(f"No service answers at {self.path}: {error.strerror}.") from None
        return connection


def _request(
    connection: socket.socket, method: str, target: str, body: Mapping[str, Any] | None
) -> tuple[int, BinaryIO]:
    data = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{method} {target} HTTP/1.0\r\nHost: steward\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    try:
        connection.sendall(head.encode() + data)
        answer = connection.makefile("rb")
        status = int(answer.readline().split(b" ", 2)[1])
        while answer.readline().strip():
            pass
    except (OSError, ValueError, IndexError):
        raise Unavailable(_GONE, _GONE_ZH) from None
    return status, answer


def _quiet_json(raw: bytes) -> dict[str, Any]:
    try:
        return json.loads(raw)
    except ValueError:
        return {}


def _error(said: Mapping[str, Any]) -> ToolError:
    from agent.errors import NotAllowed, TooLate

    kinds: dict[str, type[ToolError]] = {
        "not_allowed": NotAllowed,
        "forbidden": NotAllowed,
        "too_late": TooLate,
        "refused": Refused,
        "unavailable": Unavailable,
        "failed": Failed,
        "bad_arguments": BadArguments,
        "not_found": BadArguments,
        "invalid": BadArguments,
    }
    kind = kinds.get(str(said.get("code")), ToolError)
    return kind(str(said.get("message") or _GONE), said.get("message_zh"))
