"""The HTTP API through real sockets: callers, scopes, decisions, streams, bounds."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.assistant import Assistant
from agent.errors import TooLate, Unreadable
from agent.fronts.client import ServiceClient
from agent.fronts.http import make_api, make_app
from agent.fronts.http_callers import read_tokens
from agent.fronts.http_desk import Desk
from agent.fronts.http_limits import Limits
from agent.fronts.http_server import Listening, listen
from tests.fronts.rooms import effects, make_assistant
from tests.fronts.serving import Loop, running_loop
from tools.errors import BadArguments, Unavailable

SECRETS = {
    "ana-laptop": ("ana", ["ask", "read", "decide"]),
    "eve-laptop": ("eve", ["ask", "read", "decide"]),
    "alertmanager": (None, ["alerts"]),
    "dashboard": (None, ["read"]),
    "robot": (None, ["ask", "decide", "read"]),
}


def tokens() -> Any:
    return [
        {
            "name": name,
            "person": person,
            "scopes": scopes,
            "sha256": hashlib.sha256(f"secret-{name}".encode()).hexdigest(),
        }
        for name, (person, scopes) in SECRETS.items()
    ]


class Served:
    def __init__(self, loop: Loop, assistant: Assistant, desk: Desk, listening: Listening) -> None:
        self.loop, self.assistant, self.desk, self.listening = loop, assistant, desk, listening
        assert listening.address is not None
        self.url = f"http://127.0.0.1:{listening.address[1]}"

    def call(self, method: str, path: str, who: str | None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer secret-{who}"} if who else {}
        return httpx.request(method, self.url + path, headers=headers, timeout=20, **more)

    def propose(self, who: str = "ana-laptop", text: str = "set 5") -> Mapping[str, Any]:
        answer = self.call("POST", "/v1/ask", who, json={"text": text})
        return answer.json()["proposed"][0]


@pytest.fixture
def served(tmp_path: Path) -> Generator[Served]:
    assistant = make_assistant(tmp_path)
    desk = Desk(
        assistant,
        user="ana",
        tokens=read_tokens({"tokens": tokens()}),
        limits=Limits(body=20_000, receive=1.0, send=2.0),
    )
    with running_loop() as loop:
        unix = tmp_path / "steward.sock"
        listening = loop.do(
            listen(make_app(desk), tcp=("127.0.0.1", 0), unix=unix, drain=1, header_seconds=1)
        )
        yield Served(loop, assistant, desk, listening)
        loop.do(listening.stop())
        assert not unix.exists()


def test_a_question_is_answered_and_a_change_is_only_proposed(served: Served) -> None:
    seen = served.call("POST", "/v1/ask", "ana-laptop", json={"text": "look"}).json()
    assert seen["text"].startswith("The toy is 0.")
    assert "hunter2" not in json.dumps(seen)
    proposed = served.propose()
    assert proposed["state"] == "proposed"
    assert proposed["args"] == {"value": 5, "mood": "fine"}
    assert effects(served.assistant) == []


def test_the_same_message_id_is_answered_once(served: Served) -> None:
    body = {"text": "set 5", "id": "m1"}
    first = served.call("POST", "/v1/ask", "ana-laptop", json=body).json()
    again = served.call("POST", "/v1/ask", "ana-laptop", json=body).json()
    assert first["text"] == again["text"]
    assert [a["number"] for a in again["proposed"]] == [1]


def test_a_decision_needs_the_digest_and_a_person_who_may(served: Served) -> None:
    action = served.propose()
    path = f"/v1/actions/{action['number']}/decision"
    yes = {"digest": action["digest"], "verdict": "approve"}
    refused = served.call("POST", path, "eve-laptop", json=yes)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_allowed")
    robot = served.call("POST", path, "robot", json=yes)
    assert robot.status_code == 403
    wrong = served.call("POST", path, "ana-laptop", json={**yes, "digest": "0" * 64})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (409, "too_late")
    missing = served.call("POST", path, "ana-laptop", json={"verdict": "approve"})
    assert (missing.status_code, missing.json()["error"]["code"]) == (422, "invalid")
    done = served.call("POST", path, "ana-laptop", json=yes)
    assert (done.status_code, done.json()["state"]) == (200, "approved")
    twice = served.call("POST", path, "ana-laptop", json=yes)
    assert twice.status_code == 409
    served.assistant.run(action["number"])
    assert len(effects(served.assistant)) == 1


@pytest.mark.parametrize(
    ("method", "path", "who", "status"),
    [
        ("GET", "/v1/actions", None, 401),
        ("GET", "/v1/actions", "nobody", 401),
        ("GET", "/v1/actions", "alertmanager", 403),
        ("GET", "/v1/actions", "dashboard", 200),
        ("POST", "/v1/ask", "dashboard", 403),
        ("POST", "/v1/actions/1/decision", "dashboard", 403),
        ("POST", "/v1/actions/1/cancel", "dashboard", 403),
        ("POST", "/v1/alerts", "dashboard", 403),
        ("POST", "/v1/breaker/reset", "ana-laptop", 403),
        ("GET", "/v1/actions/77", "dashboard", 404),
        ("GET", "/v1/actions/..%2f..%2fetc%2fpasswd", "dashboard", 404),
        ("GET", "/v1/actions/../../etc/passwd", "dashboard", 404),
        ("DELETE", "/v1/actions", "dashboard", 405),
        ("GET", "/slack/events", None, 405),
        ("POST", "/slack/events", None, 404),
        ("GET", "/healthz", None, 200),
        ("GET", "/metrics", None, 200),
        ("GET", "/v1/actions?state=sideways", "dashboard", 400),
    ],
)
def test_who_may_call_what(
    served: Served, method: str, path: str, who: str | None, status: int
) -> None:
    body = {"digest": "0" * 64, "verdict": "approve", "text": "x"} if method == "POST" else None
    if body and "decision" not in path:
        body = {"text": "x"}
    elif body:
        body.pop("text")
    answer = served.call(method, path, who, json=body)
    assert answer.status_code == status
    if status >= 400:
        assert set(answer.json()["error"]) >= {"code", "message"}


def test_tokens_must_be_readable() -> None:
    good = tokens()[0]
    for broken in ({**good, "sha256": "short"}, {**good, "scopes": ["root"]}, {"sha256": "0" * 64}):
        with pytest.raises(Unreadable, match=r"http\.tokens"):
            read_tokens({"tokens": [broken]})


def test_a_callers_conversations_are_its_own(served: Served) -> None:
    served.call("POST", "/v1/ask", "ana-laptop", json={"text": "hello", "conversation": "c"})
    served.call(
        "POST", "/v1/ask", "robot", json={"text": "hi", "conversation": "http:ana-laptop:c"}
    )
    mine = served.assistant.conversations.lines("http:ana-laptop:c")
    assert [line.text for line in mine if line.role == "user"] == ["hello"]


def test_events_are_streamed(served: Served) -> None:
    with httpx.stream(
        "POST",
        f"{served.url}/v1/ask/stream",
        headers={"Authorization": "Bearer secret-ana-laptop"},
        json={"text": "stream 3"},
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = [json.loads(x[6:]) for x in answer.iter_lines() if x.startswith("data: ")]
    assert [e["type"] for e in events] == ["text", "text", "text", "reply", "end"]


def test_alerts_are_acknowledged_only_after_they_are_stored(served: Served) -> None:
    payload = {"version": "4", "alerts": []}
    assert served.call("POST", "/v1/alerts", "alertmanager", json=payload).status_code == 503
    stored: list[Mapping[str, Any]] = []

    def receive(document: Mapping[str, Any]) -> None:
        if document.get("version") != "4":
            raise BadArguments("not version 4")
        if document.get("full"):
            raise Unavailable("the disk is full")
        stored.append(document)

    served.desk.receive_alerts = receive
    assert served.call("POST", "/v1/alerts", "alertmanager", json=payload).status_code == 200
    full = {**payload, "full": True}
    assert served.call("POST", "/v1/alerts", "alertmanager", json=full).status_code == 503
    assert served.call("POST", "/v1/alerts", "alertmanager", json={}).status_code == 400
    assert served.call("POST", "/v1/alerts", "alertmanager", content=b"{").status_code == 400
    assert served.call("POST", "/v1/alerts", "alertmanager", content=b"[]").status_code == 400
    assert stored == [payload]


def test_oversized_bodies_are_refused(served: Served) -> None:
    big = served.call("POST", "/v1/ask", "ana-laptop", content=b"x" * 20_001)
    assert (big.status_code, big.json()["error"]["code"]) == (413, "too_large")

    def pieces() -> Generator[bytes]:
        for _ in range(30):
            yield b"x" * 1000

    chunked = served.call("POST", "/v1/ask", "ana-laptop", content=pieces())
    assert chunked.status_code == 413
    head = "GET /healthz HTTP/1.1\r\nX: " + "a" * 100_000
    assert b" 400 " in raw(served, head.encode(), 3).split(b"\r\n")[0]


def test_slow_clients_are_shown_the_door(served: Served) -> None:
    slow = b"POST /v1/ask HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"
    assert b" 408 " in raw(served, slow, 5).split(b"\r\n")[0]


def test_unfinished_headers_are_closed(served: Served) -> None:
    assert raw(served, b"GET /healthz HTTP/1.1\r\nHost:", 20) == b""


def raw(served: Served, data: bytes, seconds: float) -> bytes:
    assert served.listening.address is not None
    with socket.create_connection(served.listening.address, timeout=seconds) as connection:
        connection.sendall(data)
        got = b""
        while piece := connection.recv(65536):
            got += piece
        return got


def test_nobody_forges_being_local(served: Served) -> None:
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        answer = httpx.get(f"{served.url}/v1/actions", headers={header: f"uid:{os.geteuid()}"})
        assert answer.status_code == 401


def test_the_unix_socket_is_the_owners_alone(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "steward.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert served.desk.caller(f"uid:{os.geteuid() + 1}", None) is None


def test_the_command_line_talks_to_a_running_service(served: Served, tmp_path: Path) -> None:
    client = ServiceClient.at(tmp_path)
    assert client is not None
    events = list(client.ask("set 5", "terminal:t1", "1"))
    assert [e["type"] for e in events] == ["proposed", "reply"]
    action = client.actions("proposed", hours=1)[0]
    assert (action["number"], action["requested_by"]) == (1, "ana")
    with pytest.raises(TooLate):
        client.decide(1, "0" * 64, "approve")
    with pytest.raises(BadArguments, match="no action 9"):
        client.action(9)
    assert client.decide(1, action["digest"], "approve")["state"] == "approved"
    served.assistant.run(1)
    followed = list(client.follow(1))
    assert followed[-1]["action"]["state"] == "verified"
    with pytest.raises(TooLate):
        client.settle(1, True)
    with pytest.raises(TooLate):
        client.cancel(1)
    client.reset_breaker()


def test_the_client_says_when_nobody_is_there(tmp_path: Path) -> None:
    assert ServiceClient.at(tmp_path) is None
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "steward.sock"))
    assert ServiceClient.at(tmp_path) is None
    with pytest.raises(Unavailable, match="No service answers"):
        ServiceClient(tmp_path / "steward.sock").actions()


def test_the_openapi_document_is_the_one_in_docs(tmp_path: Path) -> None:
    document = make_api(Desk(make_assistant(tmp_path), user="ana")).openapi()
    kept = json.loads((Path(__file__).parents[2] / "docs/openapi.json").read_text())
    assert document == kept, "run: python -m agent.fronts.openapi > docs/openapi.json"
