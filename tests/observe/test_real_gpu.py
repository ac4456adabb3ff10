"""On a machine with an NVIDIA GPU: what we read agrees with what nvidia-smi prints."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.observe.worlds import observed
from tools.observe.gpu import Gpus
from tools.observe.gpu_status import gpu_processes, gpu_status
from tools.observe.readings import GpuReport
from tools.observe.telemetry import LocalTelemetry

SMI = shutil.which("nvidia-smi")
pytestmark = pytest.mark.skipif(SMI is None, reason="there is no nvidia-smi on this machine")


def smi(*fields: str) -> list[dict[str, str]]:
    command = [str(SMI), f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = csv.reader(io.StringIO(text), skipinitialspace=True)
    return [dict(zip(fields, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def gpus() -> Iterator[Gpus]:
    built = Gpus(fresh=0, slow=0)
    yield built
    built.close()


@pytest.fixture(scope="module")
def report(gpus: Gpus) -> GpuReport:
    found = gpus.report()
    assert found.problem is None, found.problem
    return found


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def test_identity_and_versions(report: GpuReport) -> None:
    rows = smi("index", "name", "uuid", "pci.bus_id", "driver_version")
    assert [str(g.index) for g in report.gpus] == [r["index"] for r in rows]
    for gpu, row in zip(report.gpus, rows, strict=True):
        assert gpu.name == row["name"]
        assert gpu.uuid == row["uuid"]
        assert gpu.pci_bus_id.lower() == row["pci.bus_id"].lower()
        assert report.driver_version == row["driver_version"]


@pytest.mark.parametrize(
    ("field", "ours", "scale", "slack"),
    [
        ("memory.total", "memory_total", 2**20, 1),
        ("memory.used", "memory_used", 2**20, 600),
        ("memory.reserved", "memory_reserved", 2**20, 64),
        ("temperature.gpu", "temperature", 1, 8),
        ("temperature.memory", "memory_temperature", 1, 8),
        ("power.draw", "power_watts", 1, 250),
        ("enforced.power.limit", "power_limit_watts", 1, 1),
        ("clocks.max.sm", "sm_clock_max_mhz", 1, 0),
        ("pcie.link.width.current", "pcie_width", 1, 0),
        ("pcie.link.width.max", "pcie_width_max", 1, 0),
        ("ecc.errors.uncorrected.volatile.total", "ecc_uncorrected", 1, 0),
        ("ecc.errors.corrected.volatile.total", "ecc_corrected", 1, 0),
    ],
)
def test_numbers_agree(
    report: GpuReport, field: str, ours: str, scale: float, slack: float
) -> None:
    for gpu, row in zip(report.gpus, smi(field), strict=True):
        theirs, mine = number(row[field]), getattr(gpu, ours)
        if theirs is None:
            assert mine is None
            assert gpu.missing[ours]
        else:
            assert mine is not None, gpu.missing
            assert mine / scale == pytest.approx(theirs, abs=slack)


def test_remapped_rows_agree(report: GpuReport) -> None:
    fields = ("remapped_rows.correctable", "remapped_rows.uncorrectable", "remapped_rows.pending")
    for gpu, row in zip(report.gpus, smi(*fields), strict=True):
        if number(row[fields[0]]) is not None:
            assert gpu.remapped_correctable == number(row[fields[0]])
            assert gpu.remapped_uncorrectable == number(row[fields[1]])


def test_every_absent_value_has_its_reason(report: GpuReport) -> None:
    for gpu in report.gpus:
        for name in ("utilization", "temperature", "power_watts", "memory_used", "sm_clock_mhz"):
            assert getattr(gpu, name) is not None or gpu.missing[name]


def test_the_driver_says_whether_the_gpu_needs_recovery(report: GpuReport) -> None:
    for gpu in report.gpus:
        assert gpu.recovery_action in (None, "none"), gpu.recovery_action


def test_a_sample_costs_little(gpus: Gpus) -> None:
    gpus.report()
    spent: list[float] = []
    for _ in range(20):
        began = time.perf_counter()
        gpus.report()
        spent.append(1000 * (time.perf_counter() - began))
    spent.sort()
    print(f"\nslow and fast set together: median {spent[10]:.1f} ms, worst {spent[-1]:.1f} ms")
    assert gpus.report().problem is None


def test_a_process_on_the_gpu_is_listed(tmp_path: Path, gpus: Gpus) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("this torch cannot use the GPU")
    held = torch.zeros(256 * 2**20, dtype=torch.uint8, device="cuda")
    torch.cuda.synchronize()
    world = observed(tmp_path, telemetry=lambda w: LocalTelemetry(w, gpus=gpus))
    finding = gpu_processes.read(world)  # pyright: ignore[reportOptionalCall]
    print("\n" + finding.say("en"))
    assert held.numel() == 256 * 2**20
    assert finding.processes or finding.incomplete or finding.problem


def test_the_answer_for_a_person(tmp_path: Path, gpus: Gpus) -> None:
    world = observed(tmp_path, telemetry=lambda w: LocalTelemetry(w, gpus=gpus))
    said = gpu_status.read(world).say("en")  # pyright: ignore[reportOptionalCall]
    detail = gpu_status.read(world, gpu=0).say("en")  # pyright: ignore[reportOptionalCall]
    print(f"\n{said}\n\n{detail}")
    assert "GPU" in said.splitlines()[0]
    assert max(map(len, detail.splitlines())) <= 100
