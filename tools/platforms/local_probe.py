"""Asking one replica over its private admin port."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.serving.metrics import Counters


def announced(file: Path, pid: int) -> int:
    """The admin port a replica announced; 0 before it did."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    return int(said["admin_port"]) if said.get("pid") == pid else 0


def ask(port: int, path: str, *, method: str = "GET", timeout: float = 2.0) -> tuple[int, str]:
    """Status and body; status 0 with the reason when it does not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error) or type(error).__name__
    finally:
        connection.close()


def ready(port: int) -> str:
    """Empty when the replica is ready, else why not."""
    status, body = ask(port, "/v2/health/ready")
    if status == 200:
        return ""
    if status == 0:
        return f"probe failing: {body}"
    try:
        return str(json.loads(body).get("error", body))
    except ValueError:
        return body[:200]


def counters(port: int) -> dict[str, Counters]:
    """Version → counters of one replica; empty when it does not answer."""
    from tools.serving.metrics import parse

    status, body = ask(port, "/metrics", timeout=1.0)
    return parse(body) if status == 200 else {}
