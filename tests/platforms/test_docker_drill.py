"""Roll-outs on a real engine under load: no request fails, and bad versions go at the first step."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.contract.bench_docker import docker_platform, release, setup
from tests.platforms import real_engine
from tests.support import RecordingAct
from tools.platforms.base import Release, RollBack, RollOut, Scale, Status
from tools.platforms.docker import Docker
from tools.platforms.docker_setup import Setup

pytestmark = [
    pytest.mark.docker,
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(bool(real_engine.why_not()), reason=real_engine.why_not() or "ok"),
]


class Load:
    """Clients that ask for predictions, tell the right label, and count what they get."""

    def __init__(self, port: int, clients: int = 4) -> None:
        self.seen: Counter[str] = Counter()
        self.slowest = 0.0
        self._stop = threading.Event()
        self._url = f"http://127.0.0.1:{port}/v2/models/digits/infer"
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(clients)]

    def _ask(self, number: int) -> None:
        label = number % 3
        pixels = [float(label == i) for i in range(4)]
        body = {
            "inputs": [{"name": "image", "shape": [1, 4], "datatype": "FP32", "data": pixels}],
            "parameters": {"labels": [label]},
        }
        with httpx.Client(timeout=20) as client:
            while not self._stop.is_set():
                began = time.monotonic()
                try:
                    answer = client.post(self._url, json=body)
                    key = str(answer.status_code)
                    if answer.status_code == 200:
                        key = f"200 v{answer.json().get('model_version')}"
                    else:
                        key = f"{key} {answer.text[:120]}"
                except httpx.HTTPError as error:
                    key = type(error).__name__
                self.seen[key] += 1
                self.slowest = max(self.slowest, time.monotonic() - began)
                time.sleep(0.01)

    @contextmanager
    def running(self) -> Iterator[Load]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(30)

    @property
    def failed(self) -> dict[str, int]:
        return {k: n for k, n in self.seen.items() if not k.startswith("200")}


def until(platform: Docker, made: Setup, phase: str, version: str, seconds: float = 120) -> Status:
    end = time.monotonic() + seconds
    while True:
        seen = platform.status(made.name)
        if seen.phase == phase and seen.release.version == version:
            return seen
        assert time.monotonic() < end, seen
        time.sleep(0.4)


def canary(wanted: Release, min_requests: int = 30) -> RollOut:
    return RollOut(wanted, 2, "canary", (0.25, 0.5, 1.0), timedelta(seconds=1), min_requests)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Docker, Setup, Path]]:
    home, made = tmp_path_factory.mktemp("drill"), setup()
    with docker_platform(made) as platform:
        platform.edit(made.name, RollOut(release(home, 1), 2), RecordingAct("first"))
        until(platform, made, "complete", "1")
        yield platform, made, home


@pytest.fixture
def served(opened: tuple[Docker, Setup, Path]) -> tuple[Docker, Setup, Path]:
    """One service for all tests, at rest with two replicas before each, whichever ran before."""
    platform, made, _ = opened
    seen = platform.status(made.name)
    if seen.phase != "complete":
        back = platform.history(made.name)[-1]
        platform.edit(made.name, RollBack(back.number), RecordingAct(f"rest-{time.time_ns()}"))
        seen = until(platform, made, "complete", back.release.version or "")
    if len([r for r in seen.replicas if r.ready]) != 2:
        platform.edit(made.name, Scale(2), RecordingAct(f"two-{time.time_ns()}"))
        until(platform, made, "complete", seen.release.version or "")
    return opened


def test_a_bad_version_fails_no_request_of_the_stable_share(
    served: tuple[Docker, Setup, Path],
) -> None:
    platform, made, home = served
    stable = platform.status(made.name).release.version
    assert stable is not None
    for number, (kind, word) in enumerate(
        (("wrong", "quality"), ("slow", "p95 latency"), ("fails", "error rate"), ("nan", "NaN"))
    ):
        bad = release(home, 90 + number, kind)
        with Load(made.port).running() as load:
            platform.edit(made.name, canary(bad), RecordingAct(f"bad-{kind}"))
            seen = until(platform, made, "failed", bad.version or "")
            time.sleep(1)
        assert word in seen.message
        # NaN does not even start; a busy machine may slow the stable replicas, too, for one step.
        steps = {"nan": ("",), "slow": ("25%", "50%")}.get(kind, ("25%",))
        assert any(step in seen.message for step in steps)
        assert load.seen[f"200 v{stable}"] > 100
        # Whatever failed was answered by the new version, never by the stable one's share.
        assert all(f"version {bad.version}" in told for told in load.failed), load.failed
        left = {"?"}
        for _ in range(100):
            left = {r.version for r in platform.status(made.name).replicas}
            if left == {stable}:
                break
            time.sleep(0.2)
        assert left == {stable}
        back = next(r.number for r in platform.history(made.name) if r.release.version == stable)
        platform.edit(made.name, RollBack(back), RecordingAct(f"back-{kind}"))
        until(platform, made, "complete", stable)


@pytest.mark.parametrize("strategy", ["rolling", "blue_green", "canary"])
def test_a_good_version_takes_over_without_a_failed_request(
    served: tuple[Docker, Setup, Path], strategy: str
) -> None:
    platform, made, home = served
    version = {"rolling": 2, "blue_green": 3, "canary": 4}[strategy]
    edit = canary(release(home, version), min_requests=150)  # of fewer, one hiccup is the p95
    if strategy != "canary":
        edit = RollOut(release(home, version), 2, strategy)  # type: ignore[arg-type]
    with Load(made.port).running() as load:
        time.sleep(0.5)
        platform.edit(made.name, edit, RecordingAct(f"good-{strategy}"))
        seen = until(platform, made, "complete", str(version))
        time.sleep(0.5)
    assert load.failed == {}
    assert load.seen[f"200 v{version}"] > 0
    assert {r.version for r in seen.replicas} == {str(version)}


def test_a_killed_driver_leaves_the_service_whole_and_resume_finishes(
    served: tuple[Docker, Setup, Path],
) -> None:
    platform, made, home = served
    wanted = release(home, 5)
    act = RecordingAct("killed")
    with Load(made.port, clients=2).running() as load:
        platform.edit(made.name, RollOut(wanted, 2), act)
        time.sleep(1.2)
        for pid in _drivers(made.name):
            os.kill(pid, signal.SIGKILL)
        time.sleep(1)
        assert sum(r.ready for r in platform.status(made.name).replicas) >= 2
        platform.edit(made.name, RollOut(wanted, 2), act)
        until(platform, made, "complete", "5")
    assert load.failed == {}
    assert len([r for r in platform.history(made.name) if r.release.version == "5"]) == 1


class Killed(BaseException):
    """Stands for a process that is killed where it is raised."""


@contextmanager
def killed_at(owner: object, name: str) -> Iterator[None]:
    """A process that dies where it would call ``name``."""

    def killed(*_: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as dying:
        dying.setattr(owner, name, killed)
        with pytest.raises(Killed):
            yield


@pytest.mark.parametrize("boundary", ["_route", "start"])
def test_a_replica_made_and_never_started_is_started_by_the_next_driver(
    served: tuple[Docker, Setup, Path], boundary: str
) -> None:
    platform, made, home = served
    fleet = platform._fleets[made.name]
    number = {"_route": "6", "start": "7"}[boundary]
    with Load(made.port, clients=2).running() as load:
        fleet.call({"op": "lease", "holder": "killed", "seconds": 30})
        platform.edit(made.name, RollOut(release(home, int(number)), 2), RecordingAct(number))
        state = fleet.look().state
        with killed_at(fleet if boundary == "_route" else fleet.engine, boundary):
            fleet.start(state, state.target, state.epoch, held=False)
        assert "created" in {b.state for b in fleet.look().boxes}
        fleet.call({"op": "lease", "holder": "killed", "seconds": 0})
        seen = until(platform, made, "complete", number)
    assert load.failed == {}
    assert [r.version for r in seen.replicas] == [number, number]


def test_a_gateway_made_and_never_given_its_files_is_given_them(tmp_path: Path) -> None:
    made = setup()
    with docker_platform(made) as platform:
        fleet = platform._fleets[made.name]
        with killed_at(fleet.engine, "put_files"):
            fleet.open(real_engine.IMAGE, "first")
        platform.edit(made.name, RollOut(release(tmp_path, 1), 1), RecordingAct("first"))
        until(platform, made, "complete", "1")


def _drivers(name: str) -> list[int]:
    said = subprocess.run(
        ["pgrep", "-f", "tools.platforms.docker_driver"],
        capture_output=True,
        text=True,
        check=False,
    )
    mine = f'"name": "{name}"'
    pids = [int(pid) for pid in said.stdout.split()]
    return [pid for pid in pids if mine in Path(f"/proc/{pid}/cmdline").read_text()]


def test_scaling_to_nothing_and_back_keeps_the_port(served: tuple[Docker, Setup, Path]) -> None:
    platform, made, _ = served
    version = platform.status(made.name).release.version or ""
    platform.edit(made.name, Scale(0), RecordingAct("zero"))
    until(platform, made, "complete", version)
    answer = httpx.get(f"http://127.0.0.1:{made.port}/v2", timeout=5)
    assert answer.status_code == 503
    assert json.loads(answer.text)["error"] == "no replica is ready"
    platform.edit(made.name, Scale(1), RecordingAct("one"))
    until(platform, made, "complete", version)
    assert httpx.get(f"http://127.0.0.1:{made.port}/v2", timeout=5).status_code == 200
