"""Details of one answer against further requests, places told by a list, and arguments as written."""

from __future__ import annotations

from random import Random

import pytest

from agent.offline.brain import Brain
from agent.offline.intent import summed
from agent.offline.weights import ZERO, shipped
from tools.catalog import TOOLS
from tools.contract import Effect

ONE_ANSWER = [
    ("summarise the last week: changes, alerts, jobs", "status_summary"),
    ("上周的总结给我一份，告警、任务、漂移都要", "status_summary"),
    ("list the alert rules, including when each of them fired", "list_alert_rules"),
    ("ranker 现在什么状态，错误率和 p95 各多少", "deployment_status"),
    ("cpu 画一张图，要近 6 小时", "plot_metric"),
]


@pytest.mark.parametrize(("said", "tool"), ONE_ANSWER, ids=[s for s, _ in ONE_ANSWER])
def test_a_part_of_an_answer_is_no_request_of_its_own(brain: Brain, said: str, tool: str):
    assert [c.tool for c in brain.understand(said).calls] == [tool]


SEVERAL = [
    (
        "三件事：1)cordon gpu-node-04 2)restart ranker 3)列出所有节点",
        ["cordon_node", "restart", "list_nodes"],
    ),
    ("1) gpu status 2) list the jobs", ["gpu_status", "list_jobs"]),
    ("jobs? nodes?", ["list_jobs", "list_nodes"]),
    (
        "ranker 缩到 2，sentiment 扩到 4，完事给我看下部署列表",
        ["scale", "scale", "list_deployments"],
    ),
    (
        "HighErrorRate 原因已确认：上游限流。麻烦记一下，再看看 ranker 的发布历史",
        ["record_cause", "deployment_history"],
    ),
    (
        "排空 gpu-node-04，通知 #alerts：下线维护，然后列节点",
        ["drain_node", "send_notice", "list_nodes"],
    ),
]


@pytest.mark.parametrize(("said", "tools"), SEVERAL, ids=[s for s, _ in SEVERAL])
def test_what_is_asked_besides_is_heard(brain: Brain, said: str, tools: list[str]):
    assert [c.tool for c in brain.understand(said).calls] == tools


PLACES = [
    ("prod 跟 staging 的 llm-gateway 都重启", ["prod/llm-gateway", "staging/llm-gateway"]),
    ("restart llm-gateway in both prod and staging", ["prod/llm-gateway", "staging/llm-gateway"]),
    ("restart the llm-gateway in staging, not the prod one", ["staging/llm-gateway"]),
]


@pytest.mark.parametrize(("said", "names"), PLACES, ids=[s for s, _ in PLACES])
def test_namespaces_say_which_of_the_same_name(brain: Brain, said: str, names: list[str]):
    calls = brain.understand(said).calls
    assert [(c.tool, c.args["deployment"]) for c in calls] == [("restart", n) for n in names]


def test_a_look_at_a_name_in_several_places_asks_which(brain: Brain):
    understood = brain.understand("status of llm-gateway")
    assert not understood.calls
    assert "prod/llm-gateway" in (understood.clarify or "")


ARGUMENTS = [
    ("scale ranker down from three pods to a single one", "scale", {"replicas": 1}),
    (
        "prune ranker by 30 %, not more than 2 points lost and a speed-up of 1.5x",
        "prune_model",
        {"amount": 0.3, "max_loss": 2, "speed_up": 1.5},
    ),
    (
        "用 ranker v13 解释样本 od-pair-0417 的预测",
        "explain_prediction",
        {"sample": "od-pair-0417", "version": "13"},
    ),
    (
        "why did digits say so for sample PN-77812-FEB",
        "explain_prediction",
        {"sample": "PN-77812-FEB"},
    ),
    ("grep gpu:3 的日志，关键词 NVLink", "read_logs", {"target": "gpu:3", "pattern": "NVLink"}),
    (
        "put the kernel's events of the last hour on a time line",
        "list_events",
        {"target": "kernel"},
    ),
    (
        "每个平日晚上八點推摘要到 #alerts",
        "schedule_summary",
        {"when": "0 20 * * 1-5", "channel": "#alerts"},
    ),
    (
        "#alerts 这边每晚23:30推一次状态汇总，帮我排上",
        "schedule_summary",
        {"when": "30 23 * * *"},
    ),
    ('delete the alert rule "p95 over 2s"', "remove_alert_rule", {"name": "p95 over 2s"}),
    ("哪些變更被駁回了", "list_actions", {"state": "rejected"}),
    (
        "how does ranker 7 compare with what's live",
        "compare_versions",
        {"a": "7", "b": "production"},
    ),
    ("把ranker最新那版标成champion", "promote_version", {"version": "latest", "alias": "champion"}),
    ("ranker 的 beijing-trial 版导出 safetensors", "export_model", {"version": "beijing-trial"}),
    (
        "FYI for the log: HighErrorRate cause confirmed: expired certificate",
        "record_cause",
        {"cause": "expired certificate"},
    ),
]


@pytest.mark.parametrize(("said", "tool", "args"), ARGUMENTS, ids=[s for s, *_ in ARGUMENTS])
def test_arguments_as_people_write_them(brain: Brain, said: str, tool: str, args: dict):
    (call,) = brain.understand(said).calls
    assert call.tool == tool
    assert {name: call.args.get(name) for name in args} == args


ASKED = [
    "set an alert threshold on gpu memory",
    "給 #alerts 發個通知",
    "stretch goal: scale ranker up, we have 400 people waiting",
]


@pytest.mark.parametrize("said", ASKED)
def test_what_is_missing_is_asked_for(brain: Brain, said: str):
    understood = brain.understand(said)
    assert understood.clarify
    assert not understood.calls


NOTHING = [
    "把 ranker:15-9ac31f 推……呃等等，还是别推了",
    "ranker 扩容那事撤回，不用弄了",
    "打住，v9 有 bug，ranker 不发了",
    "never tune ranker with 20 trials",
    "we don't need the results of the ranker restart",
]


@pytest.mark.parametrize("said", NOTHING)
def test_words_of_refusal_outweigh_a_model_that_is_sure(brain: Brain, said: str):
    changing = {t.name for t in TOOLS if t.effect is not Effect.READ}
    assert not [c for c in brain.understand(said).calls if c.tool in changing]


def test_rows_are_summed_as_if_one_by_one():
    net, dice = shipped().net, Random(5)
    width = len(net.bias)
    for count in (0, 1, 256, 257, 700):
        rows = [dice.randrange(len(net.rows) // width) for _ in range(count)]
        plain = [sum(net.rows[row * width + unit] - ZERO for row in rows) for unit in range(width)]
        assert summed(net, rows) == plain
