"""Every NVML failure mode, through the real binding and a real worker process."""

from __future__ import annotations

import os
import re
import time
from typing import Any

import pytest

from tests.observe.conftest import Machine
from tests.observe.fake_nvml import gpu, state
from tools.observe.gpu_faults import Surroundings, library_problem


def test_a_healthy_machine_is_read_in_full(machine: Machine) -> None:
    report = machine.gpus(state(gpu(), gpu(temperature=70))).report()
    assert report.problem is None
    assert report.driver_version == "595.58.03"
    assert report.cuda_version == "13.2"
    first, second = report.gpus
    assert (first.state, first.utilization, first.memory_utilization) == ("ok", 87, 41)
    assert first.name == "NVIDIA H100 80GB HBM3"
    assert first.pci_bus_id == "00000000:10:00.0"
    assert (first.power_watts, first.power_limit_watts) == (pytest.approx(612.4), 700)
    assert (first.temperature, first.memory_temperature, second.temperature) == (64, 71, 70)
    assert (first.temperature_shutdown, first.temperature_slowdown) == (95, 90)
    assert first.throttle == ("power_cap",)
    assert (first.ecc_corrected, first.ecc_uncorrected, first.ecc_uncorrected_lifetime) == (3, 0, 2)
    assert (first.remapped_correctable, first.remap_pending, first.remap_failed) == (
        1,
        False,
        False,
    )
    assert first.recovery_action == "none"
    assert (first.pcie_generation, first.pcie_width, first.pcie_width_max) == (5, 16, 16)
    assert [(link.link, link.up, link.errors) for link in first.nvlinks][2] == (2, True, 7)
    assert first.compute_mode == "default"


def test_memory_is_shown_as_nvidia_smi_shows_it(machine: Machine) -> None:
    sample = machine.gpus(state(gpu())).report().gpus[0]
    assert sample.memory_used == 66571993088
    assert sample.memory_reserved == 536870912


def test_what_the_gpu_lacks_is_absent_with_a_reason_and_never_zero(machine: Machine) -> None:
    bare = gpu(utilization=None, ecc=None, remapped=None, fields={}, links=[])
    sample = machine.gpus(state(bare)).report().gpus[0]
    absent = ("utilization", "ecc_corrected", "remap_pending", "memory_temperature", "fan_percent")
    for name in absent:
        assert getattr(sample, name) is None
        assert sample.missing[name] == "not supported by this GPU"
    assert sample.recovery_action is None
    assert sample.state == "ok"


@pytest.mark.parametrize(
    ("symbol", "field", "value"),
    [
        ("nvmlDeviceGetTemperatureV", "temperature", 64),
        ("nvmlDeviceGetCurrentClocksEventReasons", "throttle", ("power_cap",)),
        ("nvmlDeviceGetMemoryInfo_v2", "memory_used", 66571993088 + 536870912),
    ],
)
def test_an_older_driver_is_asked_in_its_own_words(
    machine: Machine, symbol: str, field: str, value: Any
) -> None:
    sample = machine.gpus(state(gpu(), missing=[symbol])).report().gpus[0]
    assert getattr(sample, field) == value


def test_a_symbol_without_an_older_form_is_named_as_unknown_to_the_driver(
    machine: Machine,
) -> None:
    old = state(gpu(), missing=["nvmlDeviceGetTotalEnergyConsumption"])
    sample = machine.gpus(old).report().gpus[0]
    assert sample.energy_joules is None
    assert sample.missing["energy_joules"] == "not known to this driver version"


@pytest.mark.parametrize("place", ["handle_code", "code"])
def test_a_lost_gpu_does_not_hide_the_others(machine: Machine, place: str) -> None:
    report = machine.gpus(state(gpu(), gpu(**{place: 15}), gpu())).report()
    assert report.problem is None
    assert [g.state for g in report.gpus] == ["ok", "lost", "ok"]
    problem = report.gpus[1].problem
    assert problem is not None
    assert "GPU 1 is LOST" in problem.en
    assert "已丢失" in problem.zh
    assert report.gpus[1].utilization is None


def test_a_gpu_lost_while_watched_keeps_its_identity(machine: Machine) -> None:
    gpus = machine.gpus(state(gpu(), gpu()))
    assert gpus.report().gpus[1].state == "ok"
    machine.set(state(gpu(), gpu(code=15)))
    lost = gpus.report().gpus[1]
    assert lost.state == "lost"
    assert lost.uuid.endswith("1")


def test_a_gpu_that_needs_a_reset_says_so(machine: Machine) -> None:
    report = machine.gpus(state(gpu(handle_code=16))).report()
    assert report.gpus[0].state == "reset_required"
    assert report.gpus[0].problem is not None
    assert "needs a reset" in report.gpus[0].problem.en


@pytest.mark.parametrize(
    ("code", "word", "says"),
    [
        (9, "driver_not_loaded", "kernel module is not loaded"),
        (4, "no_permission", "refuses this user"),
        (12, "no_driver", "no NVIDIA driver"),
        (17, "blocked_by_os", "blocked by the operating system"),
        (11, "irq_issue", "interrupt"),
        (14, "corrupted_inforom", "infoROM"),
        (27, "not_ready", "not ready"),
        (77, "nvml_77", "error 77"),
    ],
)
def test_a_library_that_refuses_is_one_clear_sentence(
    machine: Machine, code: int, word: str, says: str
) -> None:
    report = machine.gpus(state(gpu(), init=code)).report()
    assert report.problem is not None
    assert report.problem.code == word
    assert says in report.problem.en
    assert report.gpus == ()


def test_a_version_mismatch_names_both_versions(machine: Machine) -> None:
    machine.kernel_module("570.124.06")
    machine.library("575.57.08")
    problem = machine.gpus(state(gpu(), init=18)).report().problem
    assert problem is not None
    assert problem.code == "version_mismatch"
    for sentence in (problem.en, problem.zh):
        assert "570.124.06" in sentence
        assert "575.57.08" in sentence


def test_unknown_inside_a_container_is_lost_device_access(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    problem = machine.gpus(state(gpu(), init=999)).report().problem
    assert problem is not None
    assert problem.code == "device_access_lost"


def test_a_driver_without_library_in_a_container_names_the_capability(machine: Machine) -> None:
    machine.kernel_module("570.124.06")
    problem = machine.gpus(state(gpu(), init=12)).report().problem
    assert problem is not None
    assert "NVIDIA_DRIVER_CAPABILITIES=utility" in problem.en


def test_a_hung_driver_is_a_finding_and_costs_one_deadline(machine: Machine) -> None:
    gpus = machine.gpus(state(gpu()), deadline=3.0)
    assert gpus.report().problem is None
    gpus._deadline = 0.3
    machine.set(state(gpu(), hang="nvmlDeviceGetPowerUsage"))
    began = time.monotonic()
    report = gpus.report()
    first = time.monotonic() - began
    assert report.problem is not None
    assert report.problem.code == "hung"
    assert report.gpus[0].utilization == 87, "the last known values stay"
    began = time.monotonic()
    again = gpus.report()
    assert again.problem == report.problem
    assert time.monotonic() - began < first


def test_a_driver_that_recovers_is_read_again(machine: Machine) -> None:
    gpus = machine.gpus(state(gpu()))
    assert gpus.report().problem is None
    gpus._deadline = 0.3
    machine.set(state(gpu(), hang="nvmlDeviceGetPowerUsage"))
    assert gpus.report().problem is not None
    machine.set(state(gpu(temperature=50)))
    gpus._rest_until = 0.0
    gpus._stuck.wait(5) if gpus._stuck else None
    recovered = gpus.report()
    assert recovered.problem is None
    assert recovered.gpus[0].temperature == 50


def test_a_crash_inside_the_library_is_a_finding(machine: Machine) -> None:
    report = machine.gpus(state(gpu(), die="nvmlDeviceGetPowerUsage")).report()
    assert report.problem is not None
    assert report.problem.code == "crashed"
    assert "signal 11" in report.problem.en


def test_a_worker_killed_while_idle_is_replaced_unnoticed(machine: Machine) -> None:
    gpus = machine.gpus(state(gpu()))
    assert gpus.report().problem is None
    assert gpus._worker is not None
    gpus._worker._process.kill()
    gpus._worker._process.wait()
    assert gpus.report().problem is None


def test_processes_carry_host_names_and_hidden_memory_is_unknown(machine: Machine) -> None:
    me = os.getpid()
    rows = [{"pid": me, "memory": 1 << 30, "sm": 55}, {"pid": 2**22 - 3, "memory": None}]
    report = machine.gpus(state(gpu(processes=rows))).report()
    mine, other = report.processes
    assert (mine.pid, mine.memory, mine.sm_percent, mine.kind) == (me, 1 << 30, 55, "compute")
    assert "python" in mine.name or "pytest" in mine.name
    assert mine.host_memory is not None
    assert (other.memory, other.name) == (None, "(not visible from here)")


def test_mig_slices_are_listed_and_the_parent_has_no_utilisation(machine: Machine) -> None:
    piece = gpu(name="NVIDIA A100-SXM4-40GB MIG 3g.20gb", uuid="MIG-1", memory=[20, 5, 0])
    parent = gpu(utilization=None, mig=[piece])
    sample = machine.gpus(state(parent)).report().gpus[0]
    assert sample.mig_enabled is True
    assert sample.utilization is None
    assert [(m.profile, m.memory_used, m.memory_total) for m in sample.mig] == [("3g.20gb", 5, 20)]


def test_the_recovery_action_is_the_drivers_own_word(machine: Machine) -> None:
    sick = gpu(fields={"82": 70, "230": 2})
    assert machine.gpus(state(sick)).report().gpus[0].recovery_action == "node_reboot"


def test_throttle_bits_are_decoded(machine: Machine) -> None:
    hot = gpu(events=0x20 | 0x40 | 0x80 | 0x10000)
    sample = machine.gpus(state(hot)).report().gpus[0]
    assert sample.throttle == ("sw_thermal", "hw_thermal", "hw_power_brake", "0x10000")


def test_pcie_rates_come_from_two_samples(machine: Machine) -> None:
    gpus = machine.gpus(state(gpu()))
    assert gpus.report().gpus[0].missing["pcie_receive"] == "needs two samples"
    machine.set(state(gpu(fields={"197": 10_000, "198": 2_000_000_000})))
    assert (gpus.report().gpus[0].pcie_receive or 0) > 0


def test_volta_reports_retired_pages(machine: Machine) -> None:
    old = gpu(remapped=None, retired=[2, 3], retired_pending=1)
    sample = machine.gpus(state(old)).report().gpus[0]
    assert sample.retired_pending is True
    assert sample.remap_pending is None


def test_an_xid_that_happens_while_watching_is_reported(machine: Machine) -> None:
    gpus = machine.gpus(state(gpu(), gpu()))
    assert gpus.report().xids == ()
    machine.set(state(gpu(), gpu(), xids=[{"gpu": 1, "code": 79}]))
    for _ in range(200):
        xids = gpus.report().xids
        if xids:
            break
        time.sleep(0.02)
    assert [(x.gpu, x.code) for x in xids] == [(1, 79)]


@pytest.mark.parametrize("code", [3, 10, 11, 13, 14, 15, 16, 19, 21, 25, 27, 28, 29, 999, 12345])
def test_every_code_of_the_library_is_a_sentence_in_both_languages(code: int) -> None:
    problem = library_problem(code, Surroundings())
    assert re.fullmatch(r"[a-z0-9_]+", problem.code)
    assert problem.en.endswith(".")
    assert problem.zh.endswith("。")
    assert "Traceback" not in problem.en
