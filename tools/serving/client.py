"""Asking a server that speaks the Open Inference Protocol v2, ours or another's."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from tools.contract import Json
from tools.errors import Unavailable

_INTEGERS = ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64")

PROBE = {"X-Steward-Probe": "1"}
"""Header of requests that only try a server out: they are no part of its recorded traffic."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back from a few requests, each on a connection of its own."""

    asked: int
    versions: tuple[str, ...]
    """The distinct versions that answered."""
    slowest: float
    """Seconds."""
    fault: str = ""
    """Why one was not answered; empty when all were."""


def call(
    endpoint: str,
    method: str,
    path: str,
    body: Json = None,
    timeout: float = 10.0,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, Any]]:
    """Status and JSON of one request; raises ``Unavailable`` when nothing answers."""
    import http.client  # with ssl and email behind it: a question that asks no server starts without

    place = urlsplit(endpoint)
    secure = place.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(place.hostname or "127.0.0.1", place.port, timeout=timeout)
    try:
        payload = None if body is None else json.dumps(body).encode()
        said = {"Content-Type": "application/json", "Connection": "close", **(headers or {})}
        connection.request(method, place.path.rstrip("/") + path, payload, said)
        response = connection.getresponse()
        raw = response.read()
    except (OSError, http.client.HTTPException) as error:
        why = str(error) or type(error).__name__
        raise Unavailable(f"{endpoint} does not answer: {why}.") from None
    finally:
        connection.close()
    try:
        value: Any = json.loads(raw)
    except ValueError:
        value = {"error": raw[:200].decode("utf-8", "replace")}
    return response.status, cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def example(metadata: Mapping[str, Any]) -> Json:
    """A request that fits a model's metadata: one row, zeros, or numbers between 0 and 1."""
    inputs: list[Json] = []
    for tensor in cast("Sequence[Mapping[str, Any]]", metadata.get("inputs", ())):
        shape = [1 if int(n) < 0 else int(n) for n in tensor["shape"]]
        size = 1
        for n in shape:
            size *= n
        kind = str(tensor["datatype"])
        data: list[Json] = [_value(kind, n) for n in range(size)]
        entry: dict[str, Json] = {
            "name": str(tensor["name"]),
            "datatype": kind,
            "shape": list[Json](shape),
            "data": data,
        }
        inputs.append(entry)
    return {"inputs": inputs}


def _value(datatype: str, place: int) -> str | int | float:
    if datatype == "BYTES":
        return ""
    return 0 if datatype in (*_INTEGERS, "BOOL") else (place % 9 + 1) / 10


def try_out(endpoint: str, model: str, requests: int = 5) -> Answers:
    """Send real inference requests and say which versions answered. Never raises."""
    versions: dict[str, None] = {}
    slowest = 0.0
    try:
        status, metadata = call(endpoint, "GET", f"/v2/models/{model}")
        if status != 200:
            return Answers(0, (), 0.0, str(metadata.get("error", f"HTTP {status}")))
        body = example(metadata)
        for number in range(requests):
            started = time.perf_counter()
            place = f"/v2/models/{model}/infer"
            status, answer = call(endpoint, "POST", place, body, headers=PROBE)
            slowest = max(slowest, time.perf_counter() - started)
            if status != 200:
                fault = str(answer.get("error", f"HTTP {status}"))
                return Answers(number + 1, tuple(versions), slowest, fault)
            versions[str(answer.get("model_version", ""))] = None
    except Unavailable as error:
        return Answers(requests, tuple(versions), slowest, error.en)
    return Answers(requests, tuple(versions), slowest)
