"""Names inside queries: every shipped form, both DCGM generations, renamed labels."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tools.observe import metrics
from tools.observe.promql import advice, metric_names, resolve, tokens

RULES = Path(__file__).parents[2] / "deploy/prometheus/steward.rules.yml"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("up", ["up"]),
        ("sum(rate(a_total[5m]))", ["a_total"]),
        ('avg by (Hostname, hostname) (x{job="y"})', ["x"]),
        ("sum without (a) (b) / on (c) group_left (d) e", ["b", "e"]),
        ("sum (b) by (a)", ["b"]),
        ("a offset 5m > bool 3e5 and time() - Inf", ["a"]),
        ("topk(10, vllm:num_requests_waiting)", ["vllm:num_requests_waiting"]),
        ('label_replace(a, "node", "$1", "Hostname", "(.*)")', ["a"]),
        ("count by (v) (count by (v, i) (a)) unless b or c", ["a", "b", "c"]),
        ('{__name__="x"}', []),
        ('rate(:tensorflow:serving:request_count{status!="OK"}[5m])',
         [":tensorflow:serving:request_count"]),
        ("0x1F + a % 0.5 ^ 2", ["a"]),
        ("quantile by (modelName) (0.5, a) < 0.8", ["a"]),
    ],
)  # fmt: skip
def test_the_metrics_of_a_query_are_found(query: str, names: list[str]) -> None:
    assert list(metric_names(query)) == names


@given(st.text(alphabet="abcDCGM_{}()[]\"'\\, \n=~!<>5m:", max_size=60))
def test_cutting_loses_nothing(query: str) -> None:
    assert "".join(text for _, text in tokens(query)) == query


def test_an_old_name_becomes_the_new_one_where_only_that_is_exported() -> None:
    query = "max by (gpu) (DCGM_FI_DEV_GPU_TEMP) > 85"
    assert resolve(query, {"DCGM_FI_DEV_GPU_TEMP"}).query == query
    newer = resolve(query, {"DCGM_FI_DEV_GPU_TEMP_CELSIUS"})
    assert newer.query == "max by (gpu) (DCGM_FI_DEV_GPU_TEMP_CELSIUS) > 85"
    assert newer.missing == ()
    back = resolve(newer.query, {"DCGM_FI_DEV_GPU_TEMP"})
    assert back.query == query


def test_a_counter_that_is_not_exported_is_missing_and_not_zero() -> None:
    answer = resolve("increase(DCGM_FI_DEV_ECC_DBE_VOL_TOTAL[1h]) > 0", {"DCGM_FI_DEV_GPU_TEMP"})
    assert answer.missing == ("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL",)
    en, zh = advice(answer.missing, {"DCGM_FI_DEV_GPU_TEMP"})
    assert "counters file" in en
    assert "counters" in zh
    assert advice(answer.missing, {"up"})[0] == "run dcgm-exporter on every GPU node"


def test_renamed_labels_follow_what_is_there() -> None:
    query = 'avg by (Hostname, exported_pod) (x{Hostname="a"})'
    labels = {"hostname", "pod"}
    assert resolve(query, {"x"}, labels).query == 'avg by (hostname, pod) (x{hostname="a"})'
    assert resolve(query, {"x"}, {"Hostname", "exported_pod"}).query == query
    text = 'label_replace(x, "node", "$1", "Hostname", "(.*)")'
    assert '"hostname"' in resolve(text, {"x"}, {"hostname"}).query


def test_a_value_that_equals_a_label_name_is_left_alone() -> None:
    assert resolve('x{a="Hostname"}', {"x"}, {"hostname"}).query == 'x{a="Hostname"}'


def test_every_dcgm_name_of_the_shipped_rules_resolves_into_both_generations() -> None:
    rules = yaml.safe_load(RULES.read_text("utf-8"))["groups"][0]["rules"]
    assert len(rules) == 74
    for rule in rules:
        for name in metric_names(rule["expr"]):
            assert name[0].isalpha() or name[0] in "_:", (rule["alert"], name)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("cpu", "cpu_percent"),
        ("CPU usage", "cpu_percent"),
        ("gpu-utilization", "gpu_utilization"),
        ("GPU 温度", "gpu_temperature"),
        ("p95 latency", "latency_p95_seconds"),
        ("error rate", "error_ratio"),
        ("内存", "memory_percent"),
        ("loss", "train_loss"),
        ("qps", "requests_per_second"),
    ],
)
def test_people_may_say_it_their_way(said: str, name: str) -> None:
    found = metrics.find(said)
    assert found is not None
    assert found.name == name


def test_names_and_aliases_are_unambiguous() -> None:
    owner: dict[str, str] = {}
    for metric in metrics.table():
        for key in (metric.name, metric.zh, *metric.aliases):
            assert owner.setdefault(metrics.normal(key), metric.name) == metric.name, key
