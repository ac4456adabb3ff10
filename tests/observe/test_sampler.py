"""The sampler: records this machine, deployments and jobs; survives silence; stops when told."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.observe.conftest import Machine
from tests.observe.fake_nvml import gpu, state
from tests.observe.worlds import NOW, JobList, Shelf, observed
from tools.errors import Unavailable
from tools.models.base import JobStatus
from tools.observe.collect import Workloads, gpu_samples
from tools.observe.sampler import Sampler, build_sampler
from tools.observe.telemetry import LocalTelemetry
from tools.platforms.base import Release, Status, Traffic
from tools.world import SystemClock

DAY = timedelta(days=1)


def status(ready: int) -> Status:
    release = Release("digits", "1", None, None)
    return Status("digits", None, "local", "u", "1", 1, release, 2, ready, ready, "complete", ())


def test_a_sample_is_recorded_in_well_under_a_second(tmp_path: Path) -> None:
    world = observed(tmp_path, clock=SystemClock())
    port = world.port("telemetry")
    sampler = Sampler(world, port)
    assert sampler.tick()
    assert {"cpu_percent", "memory_percent", "disk_percent"} <= set(port.metrics())
    assert sampler.troubles == ()
    assert port.series("cpu_percent", DAY)[0].last is not None


def test_it_runs_by_itself_and_stops(tmp_path: Path) -> None:
    world = observed(tmp_path, clock=SystemClock())
    seen: list[datetime] = []
    sampler = Sampler(
        world, world.port("telemetry"), interval=timedelta(seconds=0.2), after=seen.append
    )
    sampler.start()
    sampler.start()
    end = time.monotonic() + 20
    while len(seen) < 3 and time.monotonic() < end:
        time.sleep(0.05)
    sampler.stop()
    assert len(seen) >= 3
    count = len(seen)
    time.sleep(0.5)
    assert len(seen) == count


def test_a_second_process_leaves_the_turn_to_the_first(tmp_path: Path) -> None:
    world = observed(tmp_path, clock=SystemClock())
    first, second = (Sampler(world, world.port("telemetry")) for _ in range(2))
    second._owner = "another:1"
    assert first.tick()
    assert not second.tick()


def test_rates_and_error_shares_of_deployments(tmp_path: Path) -> None:
    shelf = Shelf(statuses=[status(1)], counters={1: Traffic(100, 0, 0.02, 0.97)})
    world = observed(tmp_path, platforms=shelf)
    workloads = Workloads()
    workloads.samples(world, NOW)
    shelf.counters = {1: Traffic(200, 10, 0.05)}
    samples, silent = workloads.samples(world, NOW + timedelta(seconds=10))
    found = {s.metric: s.value for s in samples}
    assert silent == []
    assert found["requests_per_second"] == 10
    assert found["error_ratio"] == 0.1
    assert found["replicas_missing"] == 1
    shelf.counters = {1: Traffic(5, 0, 0.05)}
    after_restart, _ = workloads.samples(world, NOW + timedelta(seconds=20))
    assert "requests_per_second" not in {s.metric for s in after_restart}


def job(**changes: Any) -> JobStatus:
    fields: dict[str, Any] = {
        "name": "j", "kind": "train", "model": "digits", "state": "running", "created_at": NOW,
    }  # fmt: skip
    return JobStatus(**(fields | changes))


def test_a_stalled_and_a_diverged_job_show_in_the_numbers(tmp_path: Path) -> None:
    stalled = job(step=40, loss=float("nan"), last_step_at=NOW - timedelta(minutes=20))
    old = job(name="old", state="succeeded", ended_at=NOW - DAY)
    world = observed(tmp_path, jobs=JobList([stalled, old]))
    samples, _ = Workloads().samples(world, NOW)
    found = {s.metric: s.value for s in samples}
    assert found["train_seconds_since_step"] == 1200
    assert found["train_loss_not_finite"] == 1
    assert {s.labels["job"] for s in samples if "job" in s.labels} == {"j"}


def test_a_silent_platform_is_named_and_the_rest_is_recorded(tmp_path: Path) -> None:
    class Silent(Shelf):
        def deployments(self) -> Any:
            raise Unavailable("The cluster does not answer.")

    world = observed(tmp_path, platforms=Silent(), jobs=JobList([job()]), clock=SystemClock())
    sampler = Sampler(world, world.port("telemetry"))
    sampler.tick()
    assert sampler.troubles == ("The cluster does not answer.",)
    assert "train_failed" in world.port("telemetry").metrics()


def test_gpu_numbers_leave_out_what_is_not_there(machine: Machine) -> None:
    built = machine.gpus(state(gpu(utilization=None, events=0x40), gpu(handle_code=15)))
    found = {(s.metric, s.labels.get("gpu")): s.value for s in gpu_samples(built.report())}
    assert ("gpu_utilization", "0") not in found
    assert found["gpu_throttled", "0"] == 1
    assert found["gpu_lost", "1"] == 1
    assert ("gpu_temperature", "1") not in found


def test_a_hung_driver_is_a_number_to_alert_on(tmp_path: Path, machine: Machine) -> None:
    built = machine.gpus(state(gpu()))
    built.report()
    built._deadline = 0.3
    machine.set(state(gpu(), hang="nvmlDeviceGetPowerUsage"))
    world = observed(tmp_path, telemetry=lambda w: LocalTelemetry(w, gpus=built))
    sampler = build_sampler(world, rules=False)
    sampler.tick()
    assert world.port("telemetry").series("gpu_driver_hung", DAY)[0].last == 1
    assert "cpu_percent" in world.port("telemetry").metrics()
