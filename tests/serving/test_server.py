"""A real server process: protocol, errors, metrics, drain."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.serving.tiny import save
from tools.serving.client import call, example, try_out
from tools.serving.faults import Exit
from tools.serving.listening import receive
from tools.serving.metrics import parse

pytestmark = pytest.mark.timeout(60)
ROOT = str(Path(__file__).resolve().parents[2])


@dataclass
class Served:
    process: subprocess.Popen[bytes]
    port: int
    admin: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.admin}"

    def infer(self, body: object) -> tuple[int, dict[str, Any]]:
        return call(self.url, "POST", "/v2/models/digits/infer", body)  # type: ignore[arg-type]

    def metrics(self) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=5)
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(artifact: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "tools.serving", "--artifact", str(artifact), "--format", "onnx",
        "--model", "digits", "--version", "7", *more,
    ]  # fmt: skip


@contextmanager
def served(home: Path, kind: str = "good", *more: str) -> Iterator[Served]:
    port, said = free_port(), home / "announce.json"
    process = subprocess.Popen(
        command(
            save(home / f"{kind}.onnx", kind),
            "--port", str(port), "--announce", str(said), "--drain-grace", "1", *more,
        ),
        cwd=ROOT,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if said.exists():
                admin = json.loads(said.read_text())["admin_port"]
                status, _ = call(f"http://127.0.0.1:{admin}", "GET", "/v2/health/ready")
                if status == 200:
                    break
            time.sleep(0.02)
        yield Served(process, port, admin)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server")) as made:
        yield made


def body(data: object, shape: object = (1, 4), **more: object) -> dict[str, object]:
    tensor = {"name": "image", "shape": list(shape), "datatype": "FP32", "data": data}  # type: ignore[call-overload]
    return {"inputs": [tensor], **more}


def test_metadata_and_health(server: Served) -> None:
    status, said = call(server.url, "GET", "/v2/models/digits")
    assert status == 200
    assert said["versions"] == ["7"]
    assert said["inputs"] == [{"name": "image", "datatype": "FP32", "shape": [-1, 4]}]
    for path in (
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/digits/ready",
        "/v2/models/digits/versions/7/ready",
    ):
        assert call(server.url, "GET", path)[0] == 200, path


def test_an_answer_carries_version_id_and_numbers(server: Served) -> None:
    status, said = server.infer(body([0, 1, 0, 0, 5, 0, 0, 0], (2, 4), id="r-1"))
    assert status == 200
    assert (said["model_name"], said["model_version"], said["id"]) == ("digits", "7", "r-1")
    assert said["outputs"] == [
        {"name": "logits", "datatype": "FP32", "shape": [2, 3], "data": [0, 1, 0, 5, 0, 0]}
    ]


def test_nested_data_is_the_same(server: Served) -> None:
    assert server.infer(body([[0, 1, 0, 0]]))[1]["outputs"][0]["data"] == [0, 1, 0]


@pytest.mark.parametrize(
    ("request_body", "status", "said"),
    [
        (None, 400, "not JSON"),
        ([], 400, "JSON object"),
        ({}, 400, "no inputs"),
        ({"inputs": []}, 400, "no inputs"),
        ({"inputs": ["x"]}, 400, "object with name"),
        (body([1, 2, 3], (1, 3)), 400, "takes [-1, 4]"),
        (body([1, 2, 3], (1, 4)), 400, "do not fill shape"),
        (body([[1, 2], [3]], (1, 4)), 400, "equal length"),
        (body("words", (1, 4)), 400, "must be numbers"),
        (body([], (0, 4)), 400, "empty"),
        (body([1, 2, 3, float("nan")]), 400, "NaN"),
        (body([1, 2, 3, 4], "ab"), 400, "shape"),
        (
            {"inputs": [{"name": "image", "shape": [1, 4], "datatype": "BYTES", "data": ["a"]}]},
            400,
            "BYTES",
        ),
    ],
)
def test_bad_requests_say_what_was_expected(
    server: Served, request_body: object, status: int, said: str
) -> None:
    code, answer = server.infer(request_body)
    assert code == status
    assert said in answer["error"]


def test_unknown_things_are_404(server: Served) -> None:
    for path in (
        "/nothing",
        "/v2/models/other",
        "/v2/models/digits/versions/8/ready",
        "/v2/models/digits/nothing",
    ):
        code, said = call(server.url, "GET", path)
        assert code == 404, path
        assert said["error"]


def test_counters_tell_callers_faults_from_the_models(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        for _ in range(5):
            server.infer(body([0, 1, 0, 0], parameters={"labels": [1]}))
        server.infer(body([0, 1, 0, 0], parameters={"labels": [2]}))
        server.infer(body([1, 2]))
        call(
            server.url,
            "POST",
            "/v2/models/digits/feedback",
            {"model_version": "6", "correct": 3, "total": 4},
        )
        counted = parse(server.metrics())
        mine = counted["7"]
        assert (mine.ok, mine.rejected, mine.error) == (6, 1, 0)
        assert (mine.correct, mine.labelled) == (5, 6)
        assert (counted["6"].correct, counted["6"].labelled) == (3, 4)
        p95 = mine.quantile(0.95)
        assert p95 is not None
        assert 0 < p95 < 5


def test_nan_never_leaves_and_counts_as_the_models_error(tmp_path: Path) -> None:
    with served(tmp_path, "fails") as server:
        status, said = server.infer(body([0, 1, 0, 0]))
        assert status == 500
        assert "digits version 7: output logits contains NaN" in said["error"]
        assert parse(server.metrics())["7"].error == 1


def test_trying_out_a_server(server: Served) -> None:
    said = try_out(server.url, "digits")
    assert (said.versions, said.fault) == (("7",), "")
    assert "not served here" in try_out(server.url, "other").fault
    assert "does not answer" in try_out(f"http://127.0.0.1:{free_port()}", "digits").fault


def test_an_example_request_fits_the_metadata() -> None:
    metadata = {"inputs": [{"name": "a", "datatype": "INT64", "shape": [-1, 2, 3]}]}
    assert example(metadata) == {
        "inputs": [{"name": "a", "datatype": "INT64", "shape": [1, 2, 3], "data": [0] * 6}]
    }


def test_draining_answers_open_connections_and_leaves(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        request = json.dumps(body([0, 1, 0, 0]))
        connection.request("POST", "/v2/models/digits/infer", request)
        assert connection.getresponse().read()
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.4)
        status, _ = call(server.admin_url, "GET", "/v2/health/ready")
        assert status == 503
        connection.request("POST", "/v2/models/digits/infer", request)
        response = connection.getresponse()
        assert response.status == 200
        assert response.getheader("connection") == "close"
        response.read()
        assert server.process.wait(10) == 0


def test_held_it_is_ready_but_takes_no_traffic_until_told(tmp_path: Path) -> None:
    with served(tmp_path, "good", "--hold") as server:
        waiting = socket.create_connection(("127.0.0.1", server.port))
        waiting.sendall(b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n")
        waiting.settimeout(0.5)
        with pytest.raises(TimeoutError):
            waiting.recv(100)
        assert call(server.admin_url, "POST", "/admin/accept")[0] == 200
        waiting.settimeout(10)
        assert waiting.recv(100).startswith(b"HTTP/1.1 200")
        waiting.close()


def test_the_listening_socket_can_be_taken_over(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 90) / ("b" * 90)
    deep.mkdir(parents=True)
    with served(tmp_path, "good", "--handover", str(deep / "it.sock")) as server:
        listener = receive(deep / "it.sock")
        assert listener is not None
        assert listener.getsockname()[1] == server.port
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        # The queue lives on: a connection made now waits for whoever accepts next.
        with socket.create_connection(("127.0.0.1", server.port), 5):
            listener.setblocking(True)
            listener.settimeout(5)
            accepted, _ = listener.accept()
            accepted.close()
        listener.close()
    assert receive(deep / "nobody.sock") is None


@pytest.mark.parametrize(
    ("content", "more", "code", "said"),
    [
        (None, [], Exit.ARTIFACT_MISSING, "is missing"),
        (b"no model", [], Exit.CANNOT_LOAD, "not servable"),
        (b"no model", ["--digest", "0" * 64], Exit.CANNOT_LOAD, "was altered"),
        (b"no model", ["--admin-port", "1"], Exit.PORT_TAKEN, "admin port 1"),
    ],
)
def test_a_server_that_cannot_start_says_why(
    tmp_path: Path, content: bytes | None, more: list[str], code: Exit, said: str
) -> None:
    if more[:1] == ["--admin-port"] and os.geteuid() == 0:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            more = ["--admin-port", str(other.getsockname()[1])]
            _refuses(tmp_path, content, more, code, "admin port")
        return
    _refuses(tmp_path, content, more, code, said)


def _refuses(home: Path, content: bytes | None, more: list[str], code: Exit, said: str) -> None:
    artifact = home / "m.onnx"
    if content is not None:
        artifact.write_bytes(content)
    done = subprocess.run(
        command(artifact, "--port", str(free_port()), *more),
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == code
    last = done.stderr.strip().splitlines()[-1]
    assert "FATAL" in last
    assert said in last


def test_serving_onnx_does_not_import_torch(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        maps = Path(f"/proc/{server.process.pid}/maps").read_text()
        assert "libtorch" not in maps
        assert "onnxruntime" in maps
