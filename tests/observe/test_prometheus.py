"""A real Prometheus: names in both generations, absent counters, errors, a restart, the rules."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from tests.observe.servers import AMTOOL, PROMETHEUS, PROMTOOL, PrometheusServer, Web, free_port
from tests.observe.worlds import observed, wave
from tools.errors import BadArguments, Unavailable
from tools.observe import metrics
from tools.observe.list_alert_rules import list_alert_rules
from tools.observe.metric_query import metric_query
from tools.observe.plot_metric import plot_metric
from tools.observe.prometheus import Prometheus, configured
from tools.world import SystemClock, World

DEPLOY = Path(__file__).parents[2] / "deploy/prometheus"
WINDOW = timedelta(minutes=5)
real = pytest.mark.skipif(PROMETHEUS is None, reason="the prometheus binary is not installed")

OLD = """
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",Hostname="node1",modelName="H100"} 97
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-b",Hostname="node1",modelName="H100"} 12
DCGM_FI_DEV_GPU_TEMP{gpu="0",UUID="GPU-a",Hostname="node1",modelName="H100"} 71
DCGM_FI_DEV_FB_USED{gpu="0",UUID="GPU-a",Hostname="node1"} 60000
DCGM_FI_DEV_FB_FREE{gpu="0",UUID="GPU-a",Hostname="node1"} 20000
"""
NEW = """
DCGM_FI_DEV_BOARD_POWER_WATTS{gpu="0",UUID="GPU-c",hostname="node2"} 640
DCGM_FI_DEV_XID_ERROR{gpu="0",UUID="GPU-c",hostname="node2"} 79
"""
OTHERS = """
node_memory_MemAvailable_bytes 25e9
node_memory_MemTotal_bytes 1e11
steward_requests_total{model="digits",version="2",result="ok"} 100
steward_requests_total{model="digits",version="2",result="error"} 5
vllm:num_requests_waiting{model_name="llama"} 3
kube_node_status_condition{condition="Ready",status="true",node="n1"} 1
"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    if PROMETHEUS is None:
        pytest.skip("the prometheus binary is not installed")
    home = tmp_path_factory.mktemp("prometheus")
    pages = {name: Web(lambda text=text: (200, "text/plain", text))
             for name, text in (("dcgm-old", OLD), ("dcgm-new", NEW), ("rest", OTHERS))}  # fmt: skip
    targets = {name: page.address for name, page in pages.items()}
    server = PrometheusServer(home, targets, DEPLOY / "steward.rules.yml")
    server.start()
    client = Prometheus(server.url)
    server.wait(lambda: len(client.range("count(up == 1) == 3", WINDOW)[0]) == 1)
    server.wait(lambda: all(rule["health"] == "ok" for rule in client.rules()))
    client.close()
    yield server
    server.stop()
    for page in pages.values():
        page.close()


def world_of(fleet: PrometheusServer, tmp_path: Path) -> World:
    return observed(tmp_path, clock=SystemClock(), sections={"prometheus": {"url": fleet.url}})


@real
def test_a_friendly_name_is_asked_of_the_fleet(fleet: PrometheusServer, tmp_path: Path) -> None:
    finding = metric_query.read(world_of(fleet, tmp_path), query="gpu util", window="5m")  # pyright: ignore[reportOptionalCall]
    assert finding.source == "prometheus"
    said = finding.say("en")
    assert "2 series: highest 97 %" in said
    assert "PromQL: DCGM_FI_DEV_GPU_UTIL" in said


@real
def test_the_newer_generation_answers_to_the_older_name(
    fleet: PrometheusServer, tmp_path: Path
) -> None:
    world = world_of(fleet, tmp_path)
    power = world.port("telemetry").query("gpu power", WINDOW)
    assert power.query == "DCGM_FI_DEV_BOARD_POWER_WATTS"
    assert power.series[0].last == 640
    raw = world.port("telemetry").query("DCGM_FI_DEV_XID_ERRORS > 0", WINDOW)
    assert raw.query == "DCGM_FI_DEV_XID_ERROR > 0"
    assert raw.series[0].last == 79


@real
def test_the_first_form_that_is_exported_is_asked(fleet: PrometheusServer, tmp_path: Path) -> None:
    memory = world_of(fleet, tmp_path).port("telemetry").query("vram", WINDOW)
    assert memory.series[0].last == 75
    assert "FB_RESERVED" not in memory.query


@real
def test_an_absent_counter_is_unknown_and_not_zero(fleet: PrometheusServer, tmp_path: Path) -> None:
    world = world_of(fleet, tmp_path)
    query = "increase(DCGM_FI_DEV_ECC_DBE_VOL_TOTAL[1h]) > 0"
    said = metric_query.read(world, query=query, window="5m").say("en")  # pyright: ignore[reportOptionalCall]
    assert "unknown, not zero" in said
    assert "counters file" in said
    with pytest.raises(Unavailable, match="is not exported"):
        plot_metric.read(world, metric=query, window="5m")  # pyright: ignore[reportOptionalCall]


@real
def test_a_condition_that_holds_nowhere_is_told_apart(
    fleet: PrometheusServer, tmp_path: Path
) -> None:
    world = world_of(fleet, tmp_path)
    finding = metric_query.read(world, query="DCGM_FI_DEV_GPU_TEMP > 900", window="5m")  # pyright: ignore[reportOptionalCall]
    assert "no series matches" in finding.say("en")


@real
def test_a_query_with_a_mistake_is_answered_with_the_mistake(
    fleet: PrometheusServer, tmp_path: Path
) -> None:
    with pytest.raises(BadArguments, match="does not accept this query"):
        world_of(fleet, tmp_path).port("telemetry").query("sum(rate(up[5m])", WINDOW)


@real
def test_every_shipped_form_is_valid_promql(fleet: PrometheusServer) -> None:
    client = Prometheus(fleet.url)
    forms = [form for metric in metrics.table() for form in metric.promql]
    assert len(forms) > 50
    for form in forms:
        client.range(form, WINDOW)
    client.close()


@real
def test_all_shipped_rules_are_loaded_and_healthy(fleet: PrometheusServer, tmp_path: Path) -> None:
    rules = Prometheus(fleet.url).rules()
    assert len(rules) == 74
    assert {rule["health"] for rule in rules} == {"ok"}
    said = list_alert_rules.read(world_of(fleet, tmp_path)).say("en")  # pyright: ignore[reportOptionalCall]
    assert "Prometheus evaluates 74 alert rules" in said
    assert "Watchdog" in said


@real
def test_a_metric_of_the_fleet_is_drawn(fleet: PrometheusServer, tmp_path: Path) -> None:
    world = world_of(fleet, tmp_path)
    finding = plot_metric.read(world, metric="gpu_utilization", window="5m")  # pyright: ignore[reportOptionalCall]
    assert finding.path.exists()
    assert finding.series == ("gpu=0", "gpu=1")


@real
def test_a_restart_is_survived_and_said_meanwhile(tmp_path: Path) -> None:
    page = Web(lambda: (200, "text/plain", "up_and_well 1\n"))
    server = PrometheusServer(tmp_path / "p", {"a": page.address})
    server.start()
    world = world_of(server, tmp_path)
    port = world.port("telemetry")
    server.wait(lambda: len(port.prometheus.range("up_and_well", WINDOW)[0]) == 1)
    server.stop()
    with pytest.raises(Unavailable, match="cannot be reached"):
        port.query("sum(up_and_well)", WINDOW)
    port.record([*wave("cpu_percent", [40.0], end=world.clock.now())])
    here = metric_query.read(world, query="cpu", window="15m").say("en")  # pyright: ignore[reportOptionalCall]
    assert here.startswith("CPU use: 40 % now")
    assert "cannot be reached" in here
    server.start()
    server.wait(lambda: port.query("sum(up_and_well)", WINDOW).series[0].last == 1)
    server.stop()
    page.close()


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_promtool_accepts_the_shipped_rules() -> None:
    command = [str(PROMTOOL), "check", "rules", str(DEPLOY / "steward.rules.yml")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert "74 rules found" in answer.stdout


RULE_TESTS = """
rule_files: ['{rules}']
evaluation_interval: 1m
tests:
- interval: 1m
  input_series:
  - {{series: 'DCGM_FI_DEV_XID_ERRORS{{gpu="0",UUID="GPU-a"}}', values: '0 0 31x30'}}
  - {{series: 'DCGM_FI_DEV_XID_ERROR{{gpu="1",UUID="GPU-b"}}', values: '0 0 79x30'}}
  - {{series: 'DCGM_FI_DEV_GPU_TEMP_CELSIUS{{gpu="1",hostname="n2"}}', values: '91x30'}}
  - {{series: 'DCGM_FI_DEV_GPU_TEMP{{gpu="0",Hostname="n1"}}', values: '92x30'}}
  - {{series: 'kube_node_status_capacity{{resource="nvidia_com_gpu",node="n2"}}', values: '2x30'}}
  alert_rule_test:
  - eval_time: 4m
    alertname: GPUXidFatal
    exp_alerts:
    - exp_labels: {{severity: critical, gpu: "1", UUID: GPU-b}}
      exp_annotations: {{summary: GPUXidFatal, runbook: '{runbook}'}}
  promql_expr_test:
  - expr: count(ALERTS{{alertname="GPUHighTemperature",alertstate="firing"}})
    eval_time: 20m
    exp_samples: [{{labels: '{{}}', value: 2}}]
  - expr: count(ALERTS{{alertname="GPUFallenOffBus",alertstate="firing",node="n2"}})
    eval_time: 20m
    exp_samples: [{{labels: '{{}}', value: 1}}]
"""


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_rules_hold_in_both_generations_and_a_programs_xid_is_not_fatal(tmp_path: Path) -> None:
    rules = DEPLOY / "steward.rules.yml"
    groups = yaml.safe_load(rules.read_text("utf-8"))["groups"]
    first = next(r for r in groups[0]["rules"] if r["alert"] == "GPUXidFatal")
    runbook = first["annotations"]["runbook"]
    (tmp_path / "tests.yml").write_text(RULE_TESTS.format(rules=rules, runbook=runbook))
    command = [str(PROMTOOL), "test", "rules", str(tmp_path / "tests.yml")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.skipif(AMTOOL is None, reason="amtool is not installed")
def test_amtool_accepts_the_shipped_receiver() -> None:
    command = [str(AMTOOL), "check-config", str(DEPLOY / "alertmanager.yml")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(
    ("status", "kind", "body", "says"),
    [
        (200, "text/html", "<html>login</html>", "not as Prometheus does"),
        (401, "text/plain", "Unauthorized", "refuses Steward"),
        (503, "application/json", '{"status":"error","error":"overloaded"}', "overloaded"),
        (422, "application/json", '{"status":"error","error":"too many"}', "too many"),
        (200, "application/json", "[1,2]", "not as Prometheus does"),
        (404, "text/plain", "404 page not found", "answers 404"),
    ],
)
def test_each_wrong_answer_is_one_sentence(status: int, kind: str, body: str, says: str) -> None:
    page = Web(lambda: (status, kind, body))
    client = Prometheus(f"http://{page.address}")
    with pytest.raises((Unavailable, BadArguments), match=says) as caught:
        client.range("up", WINDOW)
    assert "Traceback" not in caught.value.en
    page.close()


def test_nobody_there_and_too_slow_are_told_apart() -> None:
    with pytest.raises(Unavailable, match="cannot be reached"):
        Prometheus(f"http://127.0.0.1:{free_port()}").range("up", WINDOW)

    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        client = Prometheus(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.3)
        with pytest.raises(Unavailable, match=r"did not answer within 0\.3 s"):
            client.range("up", WINDOW)


def test_the_section_of_the_fleet_file_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert configured(None) is None
    with pytest.raises(BadArguments, match="needs a url"):
        configured({"address": "x"})
    with pytest.raises(BadArguments, match="PROM_TOKEN, which is not set"):
        configured({"url": "http://x", "token_env": "PROM_TOKEN"})
    monkeypatch.setenv("PROM_TOKEN", "secret")
    client = configured({"url": "http://x/", "token_env": "PROM_TOKEN", "timeout": 3})
    assert client is not None
    assert client.url == "http://x"
