"""An OpenAI-compatible endpoint for tests: scripted answers, faults, and a record of requests."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Step = dict[str, Any]


def says(text: str) -> Step:
    """The model answers with text."""
    return {"text": text}


def calls(*wanted: tuple[str, Any]) -> Step:
    """The model calls tools; arguments are given as an object, or raw as a string."""
    return {"calls": wanted}


def fault(kind: str) -> Step:
    """``500``, ``429``, ``401``, ``hang``, ``html``, ``null``, ``no_choices``, ``cut``."""
    return {"fault": kind}


@dataclass
class Endpoint:
    """What the tests steer and look at."""

    script: list[Step] = field(default_factory=list)
    """Steps in order; the last one is repeated for ever."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    hang_seconds: float = 3.0

    def next(self) -> Step:
        if not self.script:
            raise AssertionError("the endpoint was asked but has no script")
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


def _event(choices: list[dict[str, Any]], **more: Any) -> str:
    body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return "data: " + json.dumps({**body, "choices": choices, **more}) + "\n\n"


def _chunk(delta: dict[str, Any], finish: str | None = None) -> str:
    return _event([{"index": 0, "delta": delta, "finish_reason": finish}])


def _stream(step: Step) -> Iterator[str]:
    if step.get("fault") == "null":
        yield _chunk({"role": "assistant", "content": None}, "stop")
    elif step.get("fault") == "no_choices":
        yield _event([])
    elif "calls" in step:
        made = []
        for n, (name, args) in enumerate(step["calls"]):
            text = args if isinstance(args, str) else json.dumps(args)
            made.append(
                {
                    "index": n,
                    "id": f"call_{time.monotonic_ns()}_{n}",
                    "type": "function",
                    "function": {"name": name, "arguments": text},
                }
            )
        yield _chunk({"role": "assistant", "content": "", "tool_calls": made})
        yield _chunk({}, "tool_calls")
    else:
        for word in step["text"].split(" "):
            yield _chunk({"role": "assistant", "content": word + " "})
        yield _chunk({}, "stop")
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    yield _event([], usage=usage)
    yield "data: [DONE]\n\n"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    endpoint: Endpoint

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.endpoint.requests.append(body)
        step = self.endpoint.next()
        kind = step.get("fault")
        if kind in ("500", "429", "401", "503"):
            self._send(
                int(kind), "application/json", json.dumps({"error": {"message": "no", "type": "x"}})
            )
        elif kind == "html":
            self._send(200, "text/html", "<html><body>Sign in to continue</body></html>")
        elif kind == "hang":
            time.sleep(self.endpoint.hang_seconds)
            self.close_connection = True
        elif kind == "cut":
            self._begin()
            self._piece(_chunk({"role": "assistant", "content": "The answer is "}))
            self.close_connection = True
        else:
            self._begin()
            for piece in _stream(step):
                self._piece(piece)
            self.wfile.write(b"0\r\n\r\n")

    def _begin(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def _piece(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _send(self, status: int, kind: str, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serving(script: Sequence[Step]) -> Iterator[Endpoint]:
    """An endpoint on 127.0.0.1 that follows ``script``."""
    endpoint = Endpoint(list(script))
    handler = type("Handler", (_Handler,), {"endpoint": endpoint})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
