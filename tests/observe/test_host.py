"""This machine, for real, and its control-group limits from files as kernels write them."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.observe.worlds import NOW, observed, wave
from tools.contract import as_json
from tools.observe.host import Host
from tools.observe.host_concerns import Usual, concerns, slope
from tools.observe.host_status import host_status
from tools.observe.limits import read_limits, read_pressure
from tools.observe.readings import DiskUse, Limits


def test_a_sample_agrees_with_the_kernel() -> None:
    sample = Host().sample()
    assert sample.memory_total == psutil.virtual_memory().total
    assert len(sample.cores) == psutil.cpu_count()
    assert 0 <= sample.cpu_percent <= 100
    root = next(d for d in sample.disks if d.mount == "/")
    assert root.total == psutil.disk_usage("/").total
    assert sample.shm is not None


def test_a_busy_process_is_seen_with_its_share() -> None:
    burn = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        host = Host(fresh=0)
        for _ in range(20):
            host.sample()
            time.sleep(0.5)
            sample = host.sample()
            mine = [p for p in sample.processes if p.pid == burn.pid]
            if mine and mine[0].cpu_percent > 20:
                break
    finally:
        burn.kill()
        burn.wait()
    assert mine
    assert mine[0].cpu_percent > 20
    assert sample.cpu_percent > 5


def test_a_fresh_sample_is_answered_from_memory() -> None:
    host = Host(fresh=60)
    assert host.sample() is host.sample()


def cgroup_2(root: Path, proc: Path, own: str, **files: str) -> None:
    (root / "cgroup.controllers").parent.mkdir(parents=True, exist_ok=True)
    (root / "cgroup.controllers").write_text("cpu memory")
    group = root / own
    group.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (group / name.replace("__", ".")).write_text(text)
    (proc / "self").mkdir(parents=True, exist_ok=True)
    (proc / "self/cgroup").write_text(f"0::/{own}\n")


def test_version_2_limits_are_the_tightest_on_the_way_up(tmp_path: Path) -> None:
    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    cgroup_2(root, proc, "pod", memory__max="4294967296", cpu__max="400000 100000")
    cgroup_2(
        root,
        proc,
        "pod/box",
        memory__max="max",
        cpu__max="150000 100000",
        memory__current="3221225472",
        memory__stat="anon 1\ninactive_file 1073741824\n",
        cpu__stat="nr_periods 200\nnr_throttled 50\n",
        memory__events="oom 3\noom_kill 2\n",
    )
    assert read_limits(proc, root) == Limits(1.5, 4 << 30, 2 << 30, 25.0, 2)


def test_version_1_limits(tmp_path: Path) -> None:
    for name, text in {
        "cpu/cpu.cfs_quota_us": "200000",
        "cpu/cpu.cfs_period_us": "100000",
        "memory/memory.limit_in_bytes": "9223372036854771712",
        "memory/memory.usage_in_bytes": "1000",
        "memory/memory.stat": "total_inactive_file 400",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    limits = read_limits(tmp_path, tmp_path)
    assert (limits.cpu_cores, limits.memory, limits.memory_used) == (2.0, None, 600)


def test_pressure_is_read_where_the_kernel_has_it(tmp_path: Path) -> None:
    (tmp_path / "pressure").mkdir()
    text = "some avg10=12.50 avg60=1.00 avg300=0.10 total=9\nfull avg10=0.00 avg60=0 total=1\n"
    (tmp_path / "pressure/memory").write_text(text)
    assert read_pressure(tmp_path) == {"memory": 12.5}
    assert read_pressure(tmp_path / "nothing") == {}


@pytest.fixture(scope="module")
def calm() -> object:
    sample = Host().sample()
    disk = DiskUse("/", "/dev/vda", "ext4", 100, 50, 50, 50.0, 10.0)
    return replace(
        sample,
        cpu_percent=20.0,
        load=(0.1, 0.1, 0.1),
        iowait_percent=0.0,
        pressure={},
        memory_percent=40.0,
        disks=(disk,),
        shm=None,
        limits=Limits(),
        missing={},
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"memory_percent": 96.0}, "memory_full"),
        ({"pressure": {"memory": 30.0}}, "memory_pressure"),
        ({"iowait_percent": 60.0}, "iowait"),
        ({"limits": Limits(memory=100, memory_used=95)}, "memory_limit"),
        ({"limits": Limits(oom_kills=1)}, "oom_kills"),
        ({"disks": (DiskUse("/d", "x", "xfs", 100, 95, 5, 95.0, 1.0),)}, "disk_full"),
        ({"disks": (DiskUse("/d", "x", "xfs", 100, 5, 95, 5.0, 99.0),)}, "inodes_full"),
        ({"shm": DiskUse("/dev/shm", "tmpfs", "tmpfs", 100, 99, 1, 99.0)}, "disk_full"),
        ({"missing": {"disk:/data": "the file server does not answer"}}, "mount_hangs"),
        ({"cpu_percent": 99.0, "load": (900.0, 9.0, 9.0)}, "cpu_overloaded"),
        ({"cpu_percent": 92.0}, "cpu_unusual"),
    ],
)
def test_each_trouble_is_named(calm: object, change: dict[str, object], code: str) -> None:
    usual = (Usual("cpu_percent", 35.0, 50.0),)
    host = replace(calm, **change)  # pyright: ignore[reportArgumentType]
    assert [p.code for p in concerns(host, usual, ())] == [code]


def test_a_calm_machine_has_no_concerns(calm: object) -> None:
    assert concerns(calm, (Usual("cpu_percent", 35.0, 50.0),), ()) == ()  # pyright: ignore[reportArgumentType]


def test_the_answer_compares_with_what_is_usual(tmp_path: Path) -> None:
    world = observed(tmp_path)
    port = world.port("telemetry")
    port.record(wave("cpu_percent", [35.0] * 240, step=60))
    port.history.compact(NOW)
    finding = host_status.read(world, window="1h")  # pyright: ignore[reportOptionalCall]
    first = finding.say("en").splitlines()[0]
    assert "usually 35 %" in first
    assert "平时 35 %" in finding.say("zh").splitlines()[0]
    assert "Over the last 1h: CPU 35 %" in finding.say("en")
    assert max(map(len, finding.say("en").splitlines())) <= 100
    assert isinstance(as_json(finding), dict)


def test_a_disk_that_fills_up_is_foretold(tmp_path: Path) -> None:
    world = observed(tmp_path)
    port = world.port("telemetry")
    free = port.host().disks[0].free
    pace = free / 7200
    port.record(
        wave(
            "disk_free_bytes",
            [free + pace * 15 * i for i in range(200, 0, -1)],
            labels={"mount": "/"},
        )
    )
    assert "Disk / is full in" in host_status.read(world).say("en")  # pyright: ignore[reportOptionalCall]


def test_the_slope_of_a_line_is_its_slope() -> None:
    assert slope([(float(x), 3.0 * x + 1) for x in range(10)]) == pytest.approx(3.0)
