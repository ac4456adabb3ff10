"""No request is lost while replicas come and go; and what a keeper's death leaves behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.contract.bench_local import folder, local_platform, release
from tests.contract.platforms import Bench
from tests.serving.load import Load
from tests.support import RecordingAct
from tools.contract import Happened
from tools.errors import Refused
from tools.fleet import DeploymentSpec
from tools.platforms import local_probe
from tools.platforms.base import Edit, Restart, RollBack, RollOut, Scale, Status
from tools.platforms.local import LocalPlatform
from tools.platforms.local_process import Identity, alive, identify
from tools.world import SystemClock

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with local_platform(tmp_path) as platform:
        broken = release(tmp_path, 666, "nan")
        yield Bench(platform, lambda v: release(tmp_path, v), broken, "", patience=40)


def do(bench: Bench, edit: Edit, id: str) -> None:
    bench.platform.edit(bench.ref, edit, RecordingAct(id))


def port_of(status: Status) -> int:
    assert status.endpoint is not None
    return int(status.endpoint.rsplit(":", 1)[1])


def test_no_request_fails_while_replicas_are_replaced(bench: Bench) -> None:
    do(bench, RollOut(bench.release(1), 2), "first")
    port = port_of(bench.settled())
    edits: list[Edit] = [
        RollOut(bench.release(2), 2),
        Restart(),
        Scale(4),
        Scale(1),
        RollOut(bench.release(3), 2, "blue_green"),
        RollBack(2),
        RollOut(
            bench.release(4),
            2,
            "canary",
            steps=(0.5, 1.0),
            pause=timedelta(seconds=0.3),
            max_slowdown=50,
        ),
    ]
    with Load(port, "digits", clients=6) as load:
        load.run_for(100)
        for number, edit in enumerate(edits):
            do(bench, edit, f"edit-{number}")
            assert bench.settled().phase == "complete"
            load.run_for(60)
    assert load.failures == []
    assert set(load.versions) == {"1", "2", "3", "4"}


def test_replicas_share_the_connections_evenly(bench: Bench, tmp_path: Path) -> None:
    do(bench, RollOut(bench.release(1), 4), "first")
    with Load(port_of(bench.settled()), "digits", clients=4, keep=False) as load:
        load.run_for(800)
    rows = folder(tmp_path).observed().replicas
    served = [local_probe.counters(r.admin_port)["1"].requests for r in rows]
    assert min(served) > 0.5 * max(served), served


def test_a_killed_replica_is_named_and_the_others_serve_on(bench: Bench, tmp_path: Path) -> None:
    do(bench, RollOut(bench.release(1), 2), "first")
    status = bench.settled()
    row = folder(tmp_path).observed().replicas[0]
    os.kill(row.pid, signal.SIGKILL)
    status = bench.until(lambda s: s.phase == "degraded")
    crashed = next(r for r in status.replicas if r.id == row.id)
    assert crashed.state == "crashed"
    assert "SIGKILL" in crashed.message
    with Load(port_of(status), "digits") as load:
        load.run_for(50)
    assert load.failures == []
    # It stays crashed until somebody says otherwise.
    time.sleep(1.0)
    assert bench.platform.status(bench.ref).ready == 1


def test_a_replica_restarts_by_itself_only_where_the_option_says_so(tmp_path: Path) -> None:
    with local_platform(tmp_path, restart="on-failure") as platform:
        bench = Bench(platform, lambda v: release(tmp_path, v), release(tmp_path, 9), "")
        do(bench, RollOut(bench.release(1), 2), "first")
        bench.settled()
        row = folder(tmp_path).observed().replicas[0]
        os.kill(row.pid, signal.SIGKILL)
        status = bench.until(
            lambda s: s.phase == "complete" and row.id not in {r.id for r in s.replicas}
        )
        assert status.ready == 2
        assert sum(r.restarts for r in status.replicas) == 1


def test_a_new_keeper_adopts_the_replicas_and_loses_no_request(
    bench: Bench, tmp_path: Path
) -> None:
    do(bench, RollOut(bench.release(1), 2), "first")
    before = bench.settled()
    with Load(port_of(before), "digits") as load:
        load.run_for(50)
        keeper = folder(tmp_path).observed().keeper_pid
        os.kill(keeper, signal.SIGKILL)
        status = bench.until(lambda s: s.phase == "degraded")
        assert "keeper" in status.message
        assert status.ready == 2
        do(bench, RollOut(bench.release(2), 2), "second")
        status = bench.until(lambda s: s.phase == "complete")
        load.run_for(50)
    assert status.release.version == "2"
    assert not {r.id for r in before.replicas} & {r.id for r in status.replicas}
    assert load.failures == []


SCRIPT = """
import sys, time
from pathlib import Path
from tests.contract.bench_local import release
from tests.support import RecordingAct
from tools.fleet import DeploymentSpec
from tools.platforms.base import RollOut
from tools.platforms.local import LocalPlatform
from tools.world import SystemClock
home = Path(sys.argv[1])
spec = DeploymentSpec("digits", "local", "digits", options={"drain_grace": 0.5})
platform = LocalPlatform("local", [spec], home, SystemClock())
print("ready", flush=True)
platform.edit("digits", RollOut(release(home, 2), 3), RecordingAct("second"))
print("edited", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("when", ["ready", "edited"])
def test_a_steward_killed_in_a_roll_out_leaves_a_truthful_world(
    bench: Bench, tmp_path: Path, when: str
) -> None:
    do(bench, RollOut(bench.release(1), 3), "first")
    bench.settled()
    root = str(Path(__file__).resolve().parents[2])
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=root,
        start_new_session=True,
    )
    assert child.stdout is not None
    for line in child.stdout:
        if line.decode().strip() == when:
            break
    child.send_signal(signal.SIGKILL)
    child.wait()
    happened = bench.platform.happened(bench.ref, "second")
    assert happened is not Happened.UNSURE
    # Under the same id it is safe either way, and takes effect once.
    do(bench, RollOut(bench.release(2), 3), "second")
    status = bench.until(lambda s: s.phase == "complete" and s.release.version == "2")
    assert status.ready == 3
    assert bench.platform.happened(bench.ref, "second") is Happened.YES
    assert len(bench.platform.history(bench.ref)) == 2


def test_two_stewards_at_once_one_wins(bench: Bench, tmp_path: Path) -> None:
    do(bench, RollOut(bench.release(1), 1), "first")
    bench.settled()
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.contract.bench_local import release\n"
        "from tests.support import RecordingAct\n"
        "from tools.errors import Refused\n"
        "from tools.fleet import DeploymentSpec\n"
        "from tools.platforms.base import RollOut\n"
        "from tools.platforms.local import LocalPlatform\n"
        "from tools.world import SystemClock\n"
        "home = Path(sys.argv[1])\n"
        "p = LocalPlatform('local', [DeploymentSpec('digits', 'local')], home, SystemClock())\n"
        "try:\n"
        "    p.edit('digits', RollOut(release(home, int(sys.argv[2])), 1), RecordingAct(sys.argv[2]))\n"
        "    print('won')\n"
        "except Refused as error:\n"
        "    print('refused', error.en)\n"
    )
    root = str(Path(__file__).resolve().parents[2])
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), str(n)],
            stdout=subprocess.PIPE,
            cwd=root,
            text=True,
        )
        for n in (2, 3)
    ]
    said = [racer.communicate()[0].strip() for racer in racers]
    status = bench.until(lambda s: s.phase == "complete")
    winners = [n for n, text in zip(("2", "3"), said, strict=True) if text == "won"]
    # The second may also come after the first is complete; never do both take effect at once.
    assert winners
    assert status.release.version in winners
    assert all(text == "won" or "in progress" in text for text in said)
    assert len(bench.platform.history(bench.ref)) == 1 + len(winners)


def test_a_taken_port_is_named_with_its_holder(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        spec = DeploymentSpec("digits", "local", "digits", port=port)
        platform = LocalPlatform("local", [spec], tmp_path, SystemClock())
        edit = RollOut(release(tmp_path, 1), 1)
        with pytest.raises(Refused, match=f"{port}.*pid {os.getpid()}"):
            platform.preview("digits", edit)


def test_a_process_is_known_by_pid_and_start_time() -> None:
    me = identify(os.getpid())
    assert me is not None
    assert alive(me)
    assert not alive(Identity(me.pid, me.start - 10))


def test_servers_carry_the_action_and_none_of_the_secrets(bench: Bench, tmp_path: Path) -> None:
    os.environ["STEWARD_TEST_TOKEN"] = "xoxb-secret"
    try:
        do(bench, RollOut(bench.release(1), 1), "the-action")
        bench.settled()
    finally:
        del os.environ["STEWARD_TEST_TOKEN"]
    row = folder(tmp_path).observed().replicas[0]
    seen = Path(f"/proc/{row.pid}/environ").read_bytes()
    assert b"STEWARD_ACTION_ID=the-action" in seen
    assert b"xoxb-secret" not in seen


def test_after_a_restart_of_the_machine_it_says_so_and_a_restart_mends_it(
    bench: Bench, tmp_path: Path
) -> None:
    do(bench, RollOut(bench.release(1), 2), "first")
    bench.settled()
    bench.platform.stop()  # type: ignore[attr-defined]
    status = bench.until(lambda s: s.ready == 0)
    assert status.phase == "degraded"
    assert "machine restarted" in status.message
    do(bench, Restart(), "mend")
    status = bench.until(lambda s: s.phase == "complete")
    assert (status.ready, status.release.version) == (2, "1")


def test_a_hung_replica_is_not_ready_and_is_replaced(tmp_path: Path) -> None:
    with local_platform(tmp_path, drain_timeout=0) as platform:
        bench = Bench(platform, lambda v: release(tmp_path, v), release(tmp_path, 9), "")
        do(bench, RollOut(bench.release(1), 2), "first")
        bench.settled()
        row = folder(tmp_path).observed().replicas[0]
        os.kill(row.pid, signal.SIGSTOP)
        status = bench.until(lambda s: s.ready == 1)
        assert status.phase == "degraded"
        assert "probe failing" in status.message
        do(bench, Restart(), "mend")
        status = bench.until(lambda s: s.phase == "complete")
        assert row.id not in {r.id for r in status.replicas}


def test_a_replica_that_never_gets_ready_is_named(tmp_path: Path) -> None:
    with local_platform(tmp_path, start_timeout=0.01) as platform:
        do(
            Bench(platform, lambda v: release(tmp_path, v), release(tmp_path, 9), ""),
            RollOut(release(tmp_path, 1), 1),
            "first",
        )
        bench = Bench(platform, lambda v: release(tmp_path, v), release(tmp_path, 9), "")
        status = bench.until(lambda s: s.phase == "failed")
        assert "crash loop, 3 starts: probe failing" in status.message


def test_a_server_that_nobody_wrote_down_is_dismissed(bench: Bench, tmp_path: Path) -> None:
    do(bench, RollOut(bench.release(1), 2), "first")
    bench.settled()
    place = folder(tmp_path)
    os.kill(place.observed().keeper_pid, signal.SIGKILL)
    bench.until(lambda s: s.phase == "degraded")
    # As if the keeper had been killed between starting a server and writing it down.
    seen = place.observed()
    stray = seen.replicas[-1]
    place.write_observed(replace(seen, replicas=seen.replicas[:-1]))
    do(bench, Scale(3), "second")
    status = bench.until(lambda s: s.phase == "complete")
    assert status.ready == 3
    deadline = time.monotonic() + 20
    while alive(Identity(stray.pid, stray.start)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
