"""The public face of a server as plain ASGI: the Open Inference Protocol v2.

No web framework: nine fixed routes do not earn the import time.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, cast

from tools.contract import Json
from tools.serving import inference
from tools.serving.faults import BadOutput, BadRequest
from tools.serving.runtime import Tensor
from tools.serving.state import Connection, Service, readiness
from tools.serving.wire import MAX_BODY, Answer, Receive, Scope, Send, body_of, error, reply

PROBE = b"x-steward-probe"


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
        body = await body_of(receive)
        if body is None:
            return error(413, f"the body is larger than {MAX_BODY // 2**20} MiB")
        model, version = self._service.options.model, self._service.options.version
        match (scope["method"], tuple(str(scope["path"]).strip("/").split("/"))):
            case ("GET", ("v2",)):
                return Answer.json({"name": "steward", "version": "1", "extensions": []})
            case ("GET", ("v2", "health", "live")):
                return Answer.json({"live": True})
            case ("GET", ("v2", "health", "ready")):
                return readiness(self._service)
            case (method, ("v2", "models", name, *rest)):
                if rest[:1] == ["versions"] and len(rest) > 1:
                    if rest[1] != version:
                        return error(404, f"version {rest[1]} of {name} is not served here")
                    rest = rest[2:]
                if name != model:
                    return error(404, f"model {name!r} is not served here; {model!r} is")
                return await self._model(str(method), rest, body, _is_probe(scope))
            case _:
                return error(404, f"{scope['method']} {scope['path']} is not part of the protocol")

    async def _model(self, method: str, rest: list[str], body: bytes, probe: bool) -> Answer:
        match (method, rest):
            case ("GET", []):
                return self._metadata()
            case ("GET", ["ready"]):
                return readiness(self._service)
            case ("POST", ["infer"]):
                return await self._infer(body, probe)
            case ("POST", ["feedback"]):
                return self._feedback(body)
            case _:
                return error(404, "a model has ready, infer and feedback")

    def _metadata(self) -> Answer:
        runtime, options = self._service.runtime, self._service.options
        if runtime is None:
            return error(503, "the model is still loading")
        return Answer.json(
            {
                "name": options.model,
                "versions": [options.version],
                "platform": options.format,
                "inputs": [_described(t) for t in runtime.inputs],
                "outputs": [_described(t) for t in runtime.outputs],
            }
        )

    async def _infer(self, body: bytes, probe: bool) -> Answer:
        service, options = self._service, self._service.options
        if service.runtime is None:
            return error(503, "the model is still loading")
        started = time.perf_counter()
        try:
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(service.pool, self._compute, body, probe)
        except BadRequest as fault:
            service.metrics.observe(options.version, "rejected", 0.0)
            return error(fault.status, str(fault))
        except BadOutput as fault:
            service.metrics.observe(options.version, "error", time.perf_counter() - started)
            return error(500, f"{options.model} version {options.version}: {fault}")
        except Exception as fault:  # noqa: BLE001  a runtime may raise anything; the server stays up
            service.metrics.observe(options.version, "error", time.perf_counter() - started)
            said = str(fault).splitlines()[0][:200] if str(fault) else type(fault).__name__
            return error(500, f"{options.model} version {options.version} failed: {said}")
        service.metrics.observe(options.version, "ok", time.perf_counter() - started)
        return answer

    def _compute(self, body: bytes, probe: bool) -> Answer:
        options, runtime = self._service.options, self._service.runtime
        assert runtime is not None
        request = _object(body)
        asked = inference.decode(request, runtime)
        arrays = runtime.run(asked)
        inference.check_finite(arrays)
        if self._service.window is not None and not probe:
            self._service.window.observe(next(iter(asked.values())), next(iter(arrays.values())))
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
            return error(400, "feedback is {model_version, correct, total}")
        if not 0 <= correct <= total:
            return error(400, "correct must lie between 0 and total")
        self._service.metrics.label(version, correct, total)
        return Answer.json({"counted": total})


def _is_probe(scope: Scope) -> bool:
    """Whether Steward itself asks, to see that the server answers: no traffic of the model's."""
    return any(name == PROBE for name, _ in scope["headers"])


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
