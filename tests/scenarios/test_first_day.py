"""A newcomer's first day through the command line: train, roll out, scale, replace, roll back.

Everything is real: torchrun, the registry, server processes, requests over the network.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="training needs the models extra")
pytest.importorskip("onnxruntime", reason="serving needs the local extra")

ROOT = Path(__file__).parents[2]


class Steward:
    """The command line on a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        kept = {k: v for k, v in os.environ.items() if not k.startswith("STEWARD_")}
        self.environment = {**kept, "STEWARD_HOME": str(home), "STEWARD_USER": "ana"}

    def __call__(self, *words: str, expect: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "agent", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert "Traceback" not in done.stdout + done.stderr
        assert done.returncode == expect, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def ask(self, text: str, expect: int = 0) -> dict[str, Any]:
        return json.loads(self("ask", text, "--json", expect=expect))

    def propose(self, text: str) -> int:
        answer = self.ask(text, expect=3)
        (proposal,) = answer["proposals"]
        return int(proposal["number"])

    def approve(self, number: int) -> dict[str, Any]:
        return json.loads(self("actions", "--json", "approve", str(number)))


class Requests:
    """A steady stream of real inference requests; keeps every failure and every version."""

    def __init__(self, endpoint: str) -> None:
        self.url = f"{endpoint}/v2/models/digits/infer"
        self.versions: list[str] = []
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(3)]

    def one(self) -> str:
        tensor = {"name": "image", "shape": [1, 1, 8, 8], "datatype": "FP32", "data": [0.5] * 64}
        body = json.dumps({"inputs": [tensor]}).encode()
        request = urllib.request.Request(self.url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return str(json.load(answer)["model_version"])

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.versions.append(self.one())
            except (OSError, ValueError, KeyError) as error:
                self.failures.append(repr(error))

    def __enter__(self) -> Requests:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)


@pytest.fixture
def steward(tmp_path: Path) -> Any:
    home = tmp_path / "home"
    yield Steward(home)
    from tests.crash.harness import clean

    clean(home)


@pytest.mark.timeout(290)
def test_the_first_day(steward: Steward) -> None:
    trained = steward.approve(steward.propose("train the digits model"))
    assert trained["state"] == "verified"
    assert trained["verdict"]["details"] == {"model": "digits", "version": "1"}
    versions = steward.ask("list versions of digits")["results"][0]["result"]
    assert json.dumps(versions).count('"accuracy"') >= 1
    accuracy = float(re.search(r"accuracy (\d+\.\d) %", trained["verdict"]["evidence"])[1])  # type: ignore[index]
    assert accuracy >= 95

    assert steward.approve(steward.propose("roll it out"))["state"] == "verified"
    status = steward.ask("how is digits?")["results"][0]["result"]
    endpoint = re.search(r"http://127\.0\.0\.1:\d+", json.dumps(status))
    assert endpoint, status
    requests = Requests(endpoint[0])
    assert [requests.one() for _ in range(4)] == ["1"] * 4

    assert steward.approve(steward.propose("scale it to 3"))["state"] == "verified"
    assert "3 of 3 replicas ready" in steward.ask("how is digits?")["answer"]

    second = steward.approve(steward.propose("train the digits model again"))
    assert second["verdict"]["details"]["version"] == "2"
    number = steward.propose("roll out version 2")
    with requests:
        assert steward.approve(number)["state"] == "verified"
    assert requests.failures == []
    assert set(requests.versions) == {"1", "2"}
    assert requests.one() == "2"

    assert steward.approve(steward.propose("roll it back"))["state"] == "verified"
    assert requests.one() == "1"

    today = steward.ask("what happened today?")["answer"]
    for number in range(1, 7):
        assert f"#{number}" in today
    assert "The ledger is whole" in steward("actions", "verify")


def test_bad_input_is_one_sentence(steward: Steward, tmp_path: Path) -> None:
    def failing(*words: str, fleet: Path | None = None) -> str:
        extra = {"STEWARD_FLEET": str(fleet)} if fleet else {}
        done = subprocess.run(
            [sys.executable, "-m", "agent", *words],
            cwd=tmp_path,
            env={**steward.environment, **extra},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 1, done
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout + done.stderr

    broken = tmp_path / "broken.yaml"
    broken.write_text("models:\n  digits: {module: nowhere.py}\n")
    said = failing("ask", "how is it?", fleet=broken)
    assert "broken.yaml, line 2" in said
    assert "nowhere.py does not" in said
    broken.write_text("deployments:\n  a: {replicas: many}\n")
    assert "line 2: deployments.a.replicas should be a number" in failing("doctor", fleet=broken)
    broken.write_text("deploymets: {}\n")
    assert "did you mean deployments?" in failing("doctor", fleet=broken)
    broken.write_text("a: [1\n")
    assert "this is not YAML" in failing("doctor", fleet=broken)
    assert "no fleet file" in failing("ask", "x", fleet=tmp_path / "none.yaml")
    assert "There is no action 99" in failing("actions", "show", "99")
    assert "no state 'nonsense'" in failing("actions", "list", "--state", "nonsense")
    steward.environment["STEWARD_HOME"] = "/proc/nowhere"
    assert "Set STEWARD_HOME to a folder you can write" in failing("ask", "what happened today?")


def test_unknown_names_and_impossible_counts(steward: Steward) -> None:
    said = steward.ask("scale digits to 5000 replicas", expect=1)
    assert "1000" in said["answer"]
    assert said["proposals"] == []
    named = steward("ask", "restart digitz", expect=1)
    assert "digits" in named


def test_a_locked_database_loses_nothing(steward: Steward) -> None:
    import sqlite3

    steward.propose("train the digits model")
    with sqlite3.connect(steward.home / "steward.db", isolation_level=None) as held:
        held.execute("BEGIN EXCLUSIVE")
        done = subprocess.run(
            [sys.executable, "-m", "agent", "actions", "reject", "1"],
            cwd=ROOT,
            env=steward.environment,
            capture_output=True,
            text=True,
            timeout=90,
        )
        held.execute("ROLLBACK")
    assert done.returncode == 1
    assert "locked" in done.stderr
    assert "Traceback" not in done.stderr
    assert "proposed" in steward("actions", "--json", "show", "1")


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system can only be mounted by root")
def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(small)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this sandbox may not mount a tmpfs")
    try:
        steward = Steward(small / "home")
        steward.propose("train the digits model")
        filler = small / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        done = subprocess.run(
            [sys.executable, "-m", "agent", "actions", "reject", "1"],
            cwd=ROOT,
            env=steward.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stdout + done.stderr
        assert "full" in done.stderr
        filler.unlink()
        shown = json.loads(steward("actions", "--json", "show", "1"))
        assert shown["state"] == "proposed"
        assert "The ledger is whole" in steward("actions", "verify")
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)
