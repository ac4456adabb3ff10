"""metric_query, read_logs, list_events, gpu_status and gpu_processes as people use them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.observe.conftest import Machine
from tests.observe.fake_nvml import gpu, state
from tests.observe.worlds import NOW, Actions, JobList, Shelf, action, observed, wave
from tools.contract import as_json
from tools.errors import BadArguments, Unavailable
from tools.models.base import JobStatus
from tools.observe.catalog import TOOLS
from tools.observe.telemetry import LocalTelemetry
from tools.platforms.base import LogLine, PlatformEvent

BY_NAME = {tool.name: tool for tool in TOOLS}


def ask(world: Any, name: str, **raw: Any) -> Any:
    tool = BY_NAME[name]
    assert tool.read is not None
    return tool.read(world, **tool.arguments(raw))


def kern(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "kern.log"
    path.write_text("".join(f"Nov 23 {line}\n" for line in lines))
    return path


def test_a_metric_by_name_is_answered_with_its_course(tmp_path: Path) -> None:
    world = observed(tmp_path)
    world.port("telemetry").record(wave("cpu_percent", [10.0, 20.0, 90.0]))
    finding = ask(world, "metric_query", query="cpu usage")
    first = finding.say("en").splitlines()[0]
    assert first == "CPU use: 90 % now; over the last 15 min 40 % on average, 10 % to 90 %."
    assert finding.say("zh").startswith("CPU 使用率：现在 90 %；最近 15 分钟平均 40 %")
    assert as_json(finding)


def test_several_series_are_ranked(tmp_path: Path) -> None:
    world = observed(tmp_path)
    for i in range(12):
        samples = wave("gpu_temperature", [60.0 + i], labels={"gpu": str(i)})
        world.port("telemetry").record(samples)
    said = ask(world, "metric_query", query="gpu temp").say("en")
    assert "12 series: highest 71 °C (gpu=11), lowest 60 °C (gpu=0)" in said
    assert "(+2 more)" in said


def test_a_fresh_machine_is_measured_on_the_spot(tmp_path: Path) -> None:
    from tools.world import SystemClock

    world = observed(tmp_path, clock=SystemClock())
    assert "Memory in use: " in ask(world, "metric_query", query="memory").say("en")


def test_an_unknown_metric_names_its_neighbours(tmp_path: Path) -> None:
    with pytest.raises(BadArguments, match="gpu_temperature"):
        ask(observed(tmp_path), "metric_query", query="gpu_temperatur")


def test_promql_without_prometheus_says_what_works(tmp_path: Path) -> None:
    with pytest.raises(BadArguments, match="PromQL needs a Prometheus"):
        ask(observed(tmp_path), "metric_query", query="sum(rate(x[5m]))")


def test_a_metric_nobody_recorded_is_not_zero(tmp_path: Path) -> None:
    said = ask(observed(tmp_path), "metric_query", query="loss").say("en")
    assert "has recorded no" in said
    assert "0" not in said.replace("15", "")


def line(text: str, minutes: float = 1, source: str = "digits-1") -> LogLine:
    return LogLine(NOW - timedelta(minutes=minutes), source, text)


def test_logs_of_a_deployment_are_filtered_and_harmless(tmp_path: Path) -> None:
    lines = [line("ok"), line("\x1b[2JERROR boom\x07"), line("error old", minutes=600)]
    world = observed(tmp_path, platforms=Shelf(lines=lines))
    finding = ask(world, "read_logs", target="digits", pattern="error")
    assert [x.text for x in finding.lines] == ["ERROR boom"]
    assert finding.say("en").startswith("1 log line matching 'error' of digits")
    assert "\x1b" not in finding.say("en")
    assert "匹配 'error' 的有 1 行" in finding.say("zh")


def test_long_logs_are_bounded(tmp_path: Path) -> None:
    lines = [line(f"{i} " + "x" * 5000) for i in range(3000)]
    world = observed(tmp_path, platforms=Shelf(lines=lines))
    finding = ask(world, "read_logs", target="digits")
    assert finding.cut
    assert len(finding.say("en")) < 30_000
    assert finding.lines[-1].text.startswith("2999 ")


def test_logs_of_a_job(tmp_path: Path) -> None:
    job = JobStatus("train-digits-1", "train", "digits", "running", NOW)
    jobs = JobList([job], [line("loss 0.3", source="rank 0"), line("loss 0.4", source="rank 1")])
    said = ask(observed(tmp_path, jobs=jobs), "read_logs", target="train-digits-1").say("en")
    assert "[rank 0] loss 0.3" in said


def test_the_kernel_log_is_a_target(tmp_path: Path) -> None:
    path = kern(tmp_path, "11:58:00 n kernel: NVRM: Xid (PCI:0000:41:00): 79, x",
                "11:59:00 n kernel: usb 1-1: new device")  # fmt: skip
    world = observed(tmp_path, kernel=path)
    assert len(ask(world, "read_logs", target="kernel").lines) == 2
    assert len(ask(world, "read_logs", target="gpu:0").lines) == 1


@pytest.mark.parametrize(
    ("pattern", "says"),
    [("(unclosed", "no regular expression"), ("(a+)+$", "nests repetitions"),
     ("a.*b.*c.*d.*e", "too many repetitions")],
)  # fmt: skip
def test_a_bad_pattern_is_one_sentence(tmp_path: Path, pattern: str, says: str) -> None:
    with pytest.raises(BadArguments, match=says):
        ask(observed(tmp_path), "read_logs", target="digits", pattern=pattern)


def test_an_unknown_target_names_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(BadArguments, match="digits"):
        ask(observed(tmp_path), "read_logs", target="digit")


def test_events_of_all_sources_are_on_one_line_of_time(tmp_path: Path) -> None:
    at = NOW - timedelta(minutes=30)
    shelf = Shelf(
        happened=[
            PlatformEvent(NOW - timedelta(minutes=20), "digits", "warning", "Crashed", "exit 1")
        ]
    )
    path = kern(tmp_path, "11:50:00 n kernel: Out of memory: Killed process 7 (python)",
                "11:50:00 n kernel: Out of memory: Killed process 7 (python)")  # fmt: skip
    rows = [action(12, "Roll out digits version 2", at, "deployment/digits")]
    world = observed(tmp_path, kernel=path, platforms=shelf, actions=rows)
    finding = ask(world, "list_events")
    assert [e.source for e in finding.timeline.happenings] == ["action", "local", "kernel"]
    said = finding.say("en")
    assert said.startswith("3 event(s) in the last 2 h, 2 of them warnings:")
    assert "(x2)" in said
    about = ask(world, "list_events", target="digits").timeline.happenings
    assert [e.source for e in about] == ["action", "local"]


def test_a_silent_source_does_not_hide_the_others(tmp_path: Path) -> None:
    class Silent(Shelf):
        def events(self, ref: str | None, *, since: timedelta) -> Any:
            raise Unavailable("The cluster does not answer.", "集群没有响应。")

    path = kern(tmp_path, "11:50:00 n kernel: EXT4-fs error (device sda1)")
    world = observed(tmp_path, kernel=path, platforms=Silent())
    said = ask(world, "list_events").say("en")
    assert "EXT4-fs error" in said
    assert "Could not be asked: The cluster does not answer." in said


def gpu_world(tmp_path: Path, machine: Machine, *gpus: Any, **more: Any) -> Any:
    built = machine.gpus(state(*gpus, **more))
    return observed(tmp_path, telemetry=lambda w: LocalTelemetry(w, gpus=built))


def test_a_healthy_fleet_of_gpus_in_one_line(tmp_path: Path, machine: Machine) -> None:
    world = gpu_world(tmp_path, machine, gpu(), gpu(temperature=71))
    said = ask(world, "gpu_status").say("en")
    assert said.startswith("2 GPUs, all healthy: 87 % busy on average")
    assert "hottest 71 °C (GPU 1)" in said
    assert "2 块 GPU，全部正常" in ask(world, "gpu_status").say("zh")


def test_the_drivers_own_verdict_comes_first(tmp_path: Path, machine: Machine) -> None:
    sick = gpu(fields={"230": 1}, events=0x40, remapped=[0, 1, 1, 0])
    said = ask(gpu_world(tmp_path, machine, gpu(), sick), "gpu_status").say("en").splitlines()
    assert said[0].startswith("2 GPUs, 1 needs attention")
    assert said[1] == "- GPU 1: the driver itself asks to reset the GPU."
    assert max(map(len, said)) <= 100


def test_absent_values_are_shown_as_such(tmp_path: Path, machine: Machine) -> None:
    world = gpu_world(tmp_path, machine, gpu(utilization=None, ecc=None))
    said = ask(world, "gpu_status", gpu=0).say("en")
    assert "N/A (not supported by this GPU): memory bandwidth in use" in said
    assert "  0 %" not in said


def test_a_gpu_that_is_not_there_is_named(tmp_path: Path, machine: Machine) -> None:
    with pytest.raises(BadArguments, match="no GPU 9 on this machine; there are: 0"):
        ask(gpu_world(tmp_path, machine, gpu()), "gpu_status", gpu=9)


def test_no_driver_is_an_answer(tmp_path: Path, machine: Machine) -> None:
    world = gpu_world(tmp_path, machine, init=12)
    assert "no NVIDIA driver" in ask(world, "gpu_status").say("en")
    assert "没有 NVIDIA 驱动" in ask(world, "gpu_processes").say("zh")


def test_the_course_of_a_gpu_over_a_window(tmp_path: Path, machine: Machine) -> None:
    world = gpu_world(tmp_path, machine, gpu())
    world.port("telemetry").record(wave("gpu_utilization", [10.0, 90.0], labels={"gpu": "0"}))
    said = ask(world, "gpu_status", window="1h").say("en")
    assert "GPU 0, last 1h: utilization 50 % on average (10 % to 90 %)." in said


def test_xids_of_the_kernel_log_are_counted(tmp_path: Path, machine: Machine) -> None:
    from tools.observe.kernel_log import KernelLog

    built = machine.gpus(state(gpu()))
    log = kern(tmp_path, "11:58:00 n kernel: NVRM: Xid (PCI:0000:41:00): 79, pid=1, lost")
    world = observed(
        tmp_path, telemetry=lambda w: LocalTelemetry(w, gpus=built, kernel=KernelLog(log))
    )
    assert "1 XID line(s), code 79" in ask(world, "gpu_status").say("en")


def test_every_tool_declares_enough_phrases() -> None:
    for tool in TOOLS:
        assert len(tool.phrases.en) >= 8, tool.name
        assert len(tool.phrases.zh) >= 6, tool.name
    assert Actions().row(1) is None


def test_a_wall_of_lines_is_led_by_those_that_tell(tmp_path: Path) -> None:
    calm = [line(f"veth{i}: entered promiscuous mode") for i in range(300)]
    bad = "OSError: [Errno 28] No space left on device: '/ckpt/a'"
    world = observed(tmp_path, platforms=Shelf(lines=[*calm, line(bad), line(bad), *calm]))
    said = ask(world, "read_logs", target="digits").say("en").splitlines()
    assert said[0] == "Lines that tell of trouble:"
    assert "No space left" in said[1]
    assert said[1].endswith("(×2)")
    assert "The disk or its quota is full." in said[2]
    assert len(said) < 50
    world = observed(tmp_path / "calm", platforms=Shelf(lines=calm))
    assert ask(world, "read_logs", target="digits").say("en").startswith("None of the 300 lines")
    assert ask(world, "read_logs", target="digits").say("zh").startswith("300 行中没有故障迹象")
