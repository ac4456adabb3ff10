"""The two faces of a server as plain ASGI: the public protocol, and the private admin port.

No web framework: nine fixed routes do not earn the import time.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from tools.contract import Json
from tools.serving import inference
from tools.serving.faults import BadOutput, BadRequest
from tools.serving.metrics import Metrics
from tools.serving.options import Options
from tools.serving.runtime import Runtime, Tensor

Scope: TypeAlias = Mapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]
Send: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[None]]

MAX_BODY = 64 * 2**20


@dataclass(slots=True)
class Connection:
    """What is remembered of one keep-alive connection."""

    born: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)


@dataclass
class Service:
    """The state both faces share."""

    options: Options
    metrics: Metrics
    pool: ThreadPoolExecutor
    runtime: Runtime | None = None
    accepting: bool = False
    draining: bool = False
    in_flight: int = 0
    started: float = field(default_factory=time.time)
    begin: Callable[[], None] = lambda: None
    """Start taking traffic; set by the server."""

    @property
    def ready(self) -> bool:
        """Loaded, warmed up, and not leaving."""
        return self.runtime is not None and not self.draining


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


def _error(status: int, message: str) -> Answer:
    return Answer.json({"error": message}, status)


class Public:
    """Open Inference Protocol v2 on the shared port."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every answer names the version, and a draining server closes."""
        service = self._service
        connection: Connection = scope["state"]["connection"]
        connection.last = time.monotonic()
        service.in_flight += 1
        try:
            answer = await self._answer(scope, receive)
        finally:
            service.in_flight -= 1
        connection.last = time.monotonic()
        old = connection.last - connection.born > service.options.connection_age
        await reply(send, answer, close=service.draining or old, version=service.options.version)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        body = await _body(receive)
        if body is None:
            return _error(413, f"the body is larger than {MAX_BODY // 2**20} MiB")
        model, version = self._service.options.model, self._service.options.version
        match (scope["method"], tuple(str(scope["path"]).strip("/").split("/"))):
            case ("GET", ("v2",)):
                return Answer.json({"name": "steward", "version": "1", "extensions": []})
            case ("GET", ("v2", "health", "live")):
                return Answer.json({"live": True})
            case ("GET", ("v2", "health", "ready")):
                return _readiness(self._service)
            case (method, ("v2", "models", name, *rest)):
                if rest[:1] == ["versions"] and len(rest) > 1:
                    if rest[1] != version:
                        return _error(404, f"version {rest[1]} of {name} is not served here")
                    rest = rest[2:]
                if name != model:
                    return _error(404, f"model {name!r} is not served here; {model!r} is")
                return await self._model(str(method), rest, body)
            case _:
                return _error(404, f"{scope['method']} {scope['path']} is not part of the protocol")

    async def _model(self, method: str, rest: list[str], body: bytes) -> Answer:
        match (method, rest):
            case ("GET", []):
                return self._metadata()
            case ("GET", ["ready"]):
                return _readiness(self._service)
            case ("POST", ["infer"]):
                return await self._infer(body)
            case ("POST", ["feedback"]):
                return self._feedback(body)
            case _:
                return _error(404, "a model has ready, infer and feedback")

    def _metadata(self) -> Answer:
        runtime, options = self._service.runtime, self._service.options
        if runtime is None:
            return _error(503, "the model is still loading")
        return Answer.json(
            {
                "name": options.model,
                "versions": [options.version],
                "platform": options.format,
                "inputs": [_described(t) for t in runtime.inputs],
                "outputs": [_described(t) for t in runtime.outputs],
            }
        )

    async def _infer(self, body: bytes) -> Answer:
        service, options = self._service, self._service.options
        if service.runtime is None:
            return _error(503, "the model is still loading")
        started = time.perf_counter()
        try:
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(service.pool, self._compute, body)
        except BadRequest as error:
            service.metrics.observe(options.version, "rejected", 0.0)
            return _error(error.status, str(error))
        except BadOutput as error:
            service.metrics.observe(options.version, "error", time.perf_counter() - started)
            return _error(500, f"{options.model} version {options.version}: {error}")
        except Exception as error:  # noqa: BLE001  a runtime may raise anything; the server stays up
            service.metrics.observe(options.version, "error", time.perf_counter() - started)
            said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            return _error(500, f"{options.model} version {options.version} failed: {said}")
        service.metrics.observe(options.version, "ok", time.perf_counter() - started)
        return answer

    def _compute(self, body: bytes) -> Answer:
        options, runtime = self._service.options, self._service.runtime
        assert runtime is not None
        request = _object(body)
        arrays = runtime.run(inference.decode(request, runtime))
        inference.check_finite(arrays)
        parameters: object = request.get("parameters")
        if isinstance(parameters, dict) and "labels" in parameters:
            labels = cast("dict[str, Any]", parameters)["labels"]
            self._service.metrics.label(options.version, *inference.count_correct(arrays, labels))
        return Answer.json(
            inference.encode(arrays, options.model, options.version, request.get("id"))
        )

    def _feedback(self, body: bytes) -> Answer:
        """Labels that arrive late: ``{"model_version": "3", "correct": 19, "total": 20}``."""
        try:
            said = _object(body)
            version = str(said["model_version"])
            correct, total = int(said["correct"]), int(said["total"])
        except (BadRequest, KeyError, TypeError, ValueError):
            return _error(400, "feedback is {model_version, correct, total}")
        if not 0 <= correct <= total:
            return _error(400, "correct must lie between 0 and total")
        self._service.metrics.label(version, correct, total)
        return Answer.json({"counted": total})


class Admin:
    """Health, metrics and commands, on the private port."""

    def __init__(self, service: Service, drain: Callable[[], None]) -> None:
        self._service = service
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await _body(receive)
        await reply(send, self._answer(scope), close=True, version=self._service.options.version)

    def _answer(self, scope: Scope) -> Answer:
        service = self._service
        match (scope["method"], scope["path"]):
            case ("GET", "/v2/health/live"):
                return Answer.json({"live": True})
            case ("GET", "/v2/health/ready"):
                return _readiness(service)
            case ("GET", "/metrics"):
                text = service.metrics.render(_gauges(service))
                return Answer(200, text.encode(), b"text/plain; version=0.0.4")
            case ("POST", "/admin/accept"):
                service.begin()
                return Answer.json({"accepting": service.accepting})
            case ("POST", "/admin/drain"):
                self._drain()
                return Answer.json({"draining": True}, 202)
            case _:
                return _error(404, "the admin port has health, metrics, accept and drain")


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


async def _body(receive: Receive) -> bytes | None:
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


def _object(body: bytes) -> dict[str, Any]:
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest(400, "the body is not JSON") from None
    if not isinstance(value, dict):
        raise BadRequest(400, "the body must be a JSON object")
    return cast("dict[str, Any]", value)


def _described(tensor: Tensor) -> Json:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}


def _readiness(service: Service) -> Answer:
    if service.ready:
        return Answer.json({"ready": True})
    return _error(503, "the server is draining" if service.draining else "the model is loading")


def _gauges(service: Service) -> dict[str, float]:
    import resource

    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "process_start_time_seconds": service.started,
        "process_resident_memory_max_bytes": float(memory),
        "steward_requests_in_flight": float(service.in_flight),
        "steward_ready": float(service.ready),
        "steward_accepting": float(service.accepting),
    }
