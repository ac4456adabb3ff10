"""The status summary: is all well, what happened, what waits, and what could not be seen."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.door import Door
from agent.events import Action, Decision
from tests.door.toy import ANA, BOB
from tests.summary.fleet import Parts, deployment, gpu, make
from tests.support import FakeClock
from tools.alerts.base import AlertRecord
from tools.columns import columns
from tools.contract import Call, as_json
from tools.models.base import JobStatus
from tools.observe.base import Series
from tools.observe.readings import GpuReport, Problem
from tools.platforms.base import Status
from tools.summary.chart import chart
from tools.summary.reporting import status_summary, summarise
from tools.world import World


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def parts(clock: FakeClock) -> Parts:
    return Parts(clock)


def say(world: World, lang: Any = "en", window: str = "24h") -> str:
    said = summarise(world, window).say(lang)
    assert all(columns(line) <= 100 for line in said.splitlines())
    return said


def unfolded(said: str) -> str:
    return said.replace("\n  ", " ")


def head(world: World, lang: Any = "en") -> str:
    return unfolded(say(world, lang)).splitlines()[0]


def change(door: Door, value: int, mood: str = "fine") -> Action:
    action = door.propose(Call("set_value", {"value": value, "mood": mood}), ANA, "c", f"{value}")
    door.decide(Decision(action.number, action.digest, BOB, "approve"))
    return door.run(action.number)


def alert(clock: FakeClock, **changes: Any) -> AlertRecord:
    given: dict[str, Any] = {
        "fingerprint": "f1",
        "name": "HighLatency",
        "state": "firing",
        "severity": "critical",
        "labels": {},
        "annotations": {"summary": "p95 is 2 s"},
        "starts_at": clock.time - timedelta(minutes=20),
        "ends_at": None,
        "received_at": clock.time,
    }
    return AlertRecord(**{**given, **changes})


def job(clock: FakeClock, name: str, state: Any, **changes: Any) -> JobStatus:
    given: dict[str, Any] = {
        "kind": "train",
        "model": "digits",
        "created_at": clock.time - timedelta(hours=2),
        "started_at": clock.time - timedelta(hours=2),
        "ended_at": None if state == "running" else clock.time - timedelta(hours=1),
        "last_step_at": clock.time,
    }
    return JobStatus(name=name, state=state, **{**given, **changes})


def test_a_quiet_day(tmp_path: Path, parts: Parts) -> None:
    parts.deployments = [deployment("digits")]
    world, _ = make(tmp_path, parts)
    said = say(world).splitlines()
    assert said[0] == (
        "All is well: nothing waits for approval; no alert fires; 1 deployment serves."
    )
    assert said[1] == "lab, the last 24 h to Mon 2026-11-23 03:00 UTC"
    assert "Deployments on local: healthy: digits v3 (2/2)" in said
    assert "GPUs: none on this machine." in said
    assert head(world, "zh").startswith("一切正常：没有等待批准的操作")


def test_what_happened_today_lists_every_action_in_order(
    tmp_path: Path, parts: Parts, clock: FakeClock
) -> None:
    world, door = make(tmp_path, parts)
    for value in range(1, 26):
        change(door, value, "fails" if value == 7 else "fine")
        clock.time += timedelta(minutes=10)
    said = say(world)
    numbers = [line.split("#")[1].split()[0] for line in said.splitlines() if " #" in line]
    assert numbers == [str(n) for n in range(1, 26)]
    assert "- 03:00 #1 done and verified: Set the toy to 1 (ana → bob)\n  the toy is 1\n" in said
    assert "#7 FAILED: Set the toy to 7 (ana → bob)\n  The toy is stuck." in said
    assert "- 03:00 #1 已完成并验证：Set the toy to 1" in say(world, "zh")


def test_a_failure_that_was_made_good_is_history(tmp_path: Path, parts: Parts) -> None:
    world, door = make(tmp_path, parts)
    change(door, 5, "fails")
    assert head(world).startswith("Not all is well: action 1 failed (Set the toy to 5)")
    change(door, 6)
    assert head(world).startswith("All is well")


def test_what_waits_is_a_note_and_not_a_problem(
    tmp_path: Path, parts: Parts, clock: FakeClock
) -> None:
    world, door = make(tmp_path, parts)
    door.propose(Call("set_value", {"value": 3}), ANA, "c", "k")
    assert head(world) == "All is well: 1 action waits for approval; no alert fires."
    assert "- #1 Set the toy to 3 (ana, 03:00; expires 04:00)" in say(world)
    clock.time += timedelta(hours=2)
    assert "nothing waits for approval" in head(world)
    assert "#1 expired unused: Set the toy to 3" in say(world)


def test_what_is_ill_comes_first(tmp_path: Path, parts: Parts, clock: FakeClock) -> None:
    parts.deployments = [deployment("digits", "degraded", 1, "crash loop"), deployment("ranker")]
    parts.alerts = [alert(clock)]
    parts.disk = 96.0
    world, door = make(tmp_path, parts)
    change(door, 5)
    said = say(world)
    assert (
        unfolded(said)
        .splitlines()[0]
        .startswith(
            "Not all is well: 1 alert fires (HighLatency); digits is degraded (1 of 2 replicas ready; "
            "crash loop);"
        )
    )
    order = [said.index(t) for t in ("\nAlerts", "\nDeployments on local", "\nChanges")]
    assert order == sorted(order)
    assert "disk / is 96 % full" in unfolded(said)
    assert "02:40 firing for 20 min · HighLatency [critical]: p95 is 2 s" in said


def test_a_resolved_alert_is_told_and_an_old_one_is_not(
    tmp_path: Path, parts: Parts, clock: FakeClock
) -> None:
    began, ended = clock.time - timedelta(hours=3), clock.time - timedelta(hours=2)
    parts.alerts = [
        alert(clock, state="resolved", starts_at=began, ends_at=ended),
        alert(
            clock,
            fingerprint="f2",
            name="Ancient",
            state="resolved",
            starts_at=began - timedelta(days=9),
            ends_at=ended - timedelta(days=9),
        ),
    ]
    world, _ = make(tmp_path, parts)
    said = say(world)
    assert "00:00 resolved after 1 h · HighLatency" in said
    assert "Ancient" not in said
    assert head(world).startswith("All is well")


def test_a_silenced_alert_is_no_problem(tmp_path: Path, parts: Parts, clock: FakeClock) -> None:
    parts.alerts = [alert(clock, silenced_by="s-1")]
    world, _ = make(tmp_path, parts)
    assert head(world).startswith("All is well")
    assert "firing for 20 min, silenced" in say(world)


def test_jobs_and_their_troubles(tmp_path: Path, parts: Parts, clock: FakeClock) -> None:
    stuck = clock.time - timedelta(minutes=45)
    parts.jobs = [
        job(clock, "train-3", "running", step=40, total_steps=100, last_step_at=stuck),
        job(clock, "prune-2", "failed", kind="prune", cause="out of memory"),
        job(clock, "train-1", "failed", created_at=clock.time - timedelta(hours=5)),
    ]
    world, _ = make(tmp_path, parts)
    said = unfolded(say(world))
    assert said.startswith(
        "Not all is well: job prune-2 failed (out of memory); "
        "job train-3 has not made a step for 45 min; 1 job runs."
    )
    assert "train-3: running, 40/100" in said
    assert "of work in 3 jobs" in said


def test_idle_gpus_and_what_they_cost(tmp_path: Path, parts: Parts, clock: FakeClock) -> None:
    parts.gpus = GpuReport(clock.time, None, (gpu(0, 91.0), gpu(1, 0.0)))
    points = tuple((clock.time - timedelta(minutes=m), 2.0) for m in range(5))
    parts.history = [Series("gpu_utilization", {"gpu": "1"}, "%", points)]
    world, _ = make(tmp_path, parts, costs={"gpu_hour": 2.5, "currency": "EUR"})
    said = say(world)
    assert "1 GPU is idle (1)" in said.splitlines()[0]
    assert "- GPU 0 H200: 91 % busy, memory 2.0 GiB of 140.0 GiB, 41 °C" in said
    assert "- GPU 1 H200: 0 % busy, 2 % on average" in said
    assert "cost of the window: 120.00 EUR, of which idle now: 60.00 EUR" in said


def test_a_lost_gpu_is_a_problem_and_na_is_not_zero(
    tmp_path: Path, parts: Parts, clock: FakeClock
) -> None:
    lost = Problem("gpu_lost", "GPU 1 has fallen off the bus.", "GPU 1 已掉线。")
    parts.gpus = GpuReport(clock.time, None, (gpu(0, None), gpu(1, None, lost)))
    world, _ = make(tmp_path, parts)
    assert "GPU 1 has fallen off the bus" in head(world)
    assert "GPU 0 H200: N/A busy" in say(world)
    assert "idle" not in say(world)


@pytest.mark.parametrize("name", ["deployments", "jobs", "alerts", "gpus", "host"])
def test_each_part_fails_alone_with_its_reason(tmp_path: Path, parts: Parts, name: str) -> None:
    parts.deployments = [deployment("digits")]
    parts.broken = {name}
    world, door = make(tmp_path, parts)
    change(door, 5)
    said = say(world)
    assert said.startswith("As far as could be seen, all is well: ")
    assert f"The {name} do not answer." in said
    assert "#1 done and verified" in said
    assert f"{name} 没有应答。" in say(world, "zh")


def test_a_bug_in_a_part_tells_no_details(tmp_path: Path, parts: Parts) -> None:
    parts.broken = {"bug:jobs"}
    world, _ = make(tmp_path, parts)
    said = say(world)
    assert "- Jobs: the look broke (RuntimeError)" in said
    assert "s3cret" not in said


def test_a_silent_platform_hides_no_other(tmp_path: Path, parts: Parts) -> None:
    release = threading.Event()

    class Silent:
        name = "kubernetes"

        def deployments(self) -> Sequence[Status]:
            release.wait(60)
            return ()

    parts.deployments = [deployment("digits")]
    world, _ = make(tmp_path, parts, Silent())
    try:
        said = summarise(world, "24h", seconds=0.5).say("en")
    finally:
        release.set()
    assert "- Deployments on kubernetes: it did not answer within 0.5 s" in said
    assert "healthy: digits v3 (2/2)" in said


def test_the_window_bounds_what_is_told(tmp_path: Path, parts: Parts, clock: FakeClock) -> None:
    world, door = make(tmp_path, parts)
    change(door, 5)
    clock.time += timedelta(hours=3)
    assert "Changes: none." in say(world, window="2h")
    assert "#1" in say(world, window="4h")


def test_the_json_is_plain(tmp_path: Path, parts: Parts) -> None:
    parts.deployments = [deployment("digits")]
    world, door = make(tmp_path, parts)
    change(door, 5)
    assert status_summary.read is not None
    data: Any = json.loads(json.dumps(as_json(status_summary.read(world))))
    facts = {part["name"]: part["facts"] for part in data["parts"]}
    assert facts["changes"]["actions"][0]["state"] == "verified"
    assert facts["deployments:local"]["deployments"][0]["ready"] == 2


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    import subprocess
    import sys

    script = (
        "import sys, tools.summary.catalog, tools.actions.catalog, tools.schedules.catalog, "
        "tools.notices.catalog\n"
        "heavy = {'matplotlib', 'numpy', 'torch', 'sqlalchemy', 'apprise', 'cronsim', 'psutil'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("full", [True, False])
def test_the_chart_is_a_picture(tmp_path: Path, parts: Parts, clock: FakeClock, full: bool) -> None:
    world, door = make(tmp_path, parts)
    if full:
        for value in range(1, 6):
            change(door, value, "fails" if value == 3 else "fine")
            clock.time += timedelta(minutes=90)
        parts.alerts = [alert(clock), alert(clock, fingerprint="f2", name="磁盘 $x_1$")]
        points = tuple((clock.time - timedelta(minutes=5 * m), m % 90.0) for m in range(200))
        parts.history = [Series("cpu_percent", {}, "%", points[::-1])]
    path = chart(world, "24h")
    assert path.parent == world.home / "charts"
    assert path.read_bytes().startswith(b"\x89PNG\r\n")
    assert path.stat().st_size > 5000


def test_an_unwritable_chart_is_one_sentence(tmp_path: Path, parts: Parts) -> None:
    from tools.errors import ToolError

    world, _ = make(tmp_path, parts)
    (tmp_path / "charts").write_text("in the way")
    with pytest.raises(ToolError, match="The chart cannot be written"):
        chart(world, "24h")
