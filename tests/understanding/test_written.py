"""Lists, reports, and words to be passed on, in the ways people write them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.offline.brain import Brain
from tests.understanding.fleet import NAMES
from tools.catalog import TOOLS
from tools.contract import Json


@pytest.fixture(scope="module")
def brain() -> Brain:
    channels = (*NAMES.channels, ("#gpu-群",), ("#语音oncall",), ("飞书-感知群",))
    return Brain(TOOLS, replace(NAMES, channels=channels))


LISTS: list[tuple[str, str, str, list[Json]]] = [
    ("cordon gpu-node-01 gpu-node-02 gpu-node-03", "cordon_node", "node", ["01", "02", "03"]),
    ("gpu-node-01 gpu-node-02 都封上", "cordon_node", "node", ["01", "02"]),
    ("gpus 1 3 5 health", "gpu_status", "gpu", [1, 3, 5]),
    ("0、3 两张卡什么状态", "gpu_status", "gpu", [0, 3]),
    ("卡 1、4、7 各看一下", "gpu_status", "gpu", [1, 4, 7]),
    ("gpu 3 5 6 谁在用", "gpu_processes", "gpu", [3, 5, 6]),
    ("31 和 43 这俩 xid 什么意思", "explain_xid", "code", [31, 43]),
    ("saw 94 and 63 as xid codes in the log, translate please", "explain_xid", "code", [94, 63]),
    ("show me 77, 78 and 81 from the ledger", "show_action", "id", [77, 78, 81]),
    ("看看 301 302 305 这三个动作", "show_action", "id", [301, 302, 305]),
    ("explain ranker on sample 12 and on sample 13", "explain_prediction", "sample", ["12", "13"]),
]


@pytest.mark.parametrize(("said", "tool", "name", "values"), LISTS)
def test_every_item_of_a_list_is_meant(
    brain: Brain, said: str, tool: str, name: str, values: list[Json]
):
    calls = brain.understand(said).calls
    expected = [f"gpu-node-{v}" if name == "node" else v for v in values]
    assert [(c.tool, c.args[name]) for c in calls] == [(tool, value) for value in expected]


def test_a_number_with_a_unit_is_no_further_card(brain: Brain):
    calls = brain.understand("gpu 3 5 minutes").calls
    assert [dict(c.args) for c in calls] == [{"gpu": 3, "window": "5m"}]


SIDE_BY_SIDE = [
    ("scale ranker to 5 scale sentiment to 2", [("ranker", 5), ("sentiment", 2)]),
    ("ranker sentiment 都缩到 2", [("ranker", 2), ("sentiment", 2)]),
]


@pytest.mark.parametrize(("said", "wanted"), SIDE_BY_SIDE)
def test_changes_side_by_side_are_told_apart(
    brain: Brain, said: str, wanted: list[tuple[str, int]]
):
    calls = brain.understand(said).calls
    assert [(c.args["deployment"], c.args["replicas"]) for c in calls] == wanted


REPORTS = [
    "ranker has been rolled back to 12, fyi",
    "ranker 已经扩到 5 replicas 了",
    "sentiment 缩回 4 个了，晚高峰过去了，省点卡",
    "pruned ranker by 40 % last night and we only lost 0.3 points. nice",
    "Yuki already restarted ranker",
    "digits 发完啦，大家收工",
]


@pytest.mark.parametrize("said", REPORTS)
def test_what_is_done_is_neither_proposed_nor_asked_about(brain: Brain, said: str):
    understood = brain.understand(said)
    assert not understood.calls
    assert understood.reply


STILL_ASKED = [
    ("ranker 已经挂了，重启一下", "restart"),
    ("ranker 暂停的发布可以继续了", "resume_rollout"),
    ("I left it on when I moved teams. Restart ranker please", "restart"),
    ("umm please restart ranker", "restart"),
]


@pytest.mark.parametrize(("said", "tool"), STILL_ASKED)
def test_what_looks_like_a_report_may_still_ask(brain: Brain, said: str, tool: str):
    assert [c.tool for c in brain.understand(said).calls] == [tool]


FORBIDDEN = [
    ("instead of restarting ranker, scale it to 4", "restart"),
    ("do not start over with ranker", "launch_training"),
    ("we don't need the results of the ranker restart", "restart"),
    ("别给我重启 ranker, 看看日志就行", "restart"),
    ("不要重启 ranker, 要回滚", "restart"),
    ("别用重启, 改用回滚 ranker", "restart"),
    ("ranker 一个副本都别留", "scale"),
    ("谁都不给重启 ranker", "restart"),
    ("规则 disk-90 别删", "remove_alert_rule"),
]


@pytest.mark.parametrize(("said", "tool"), FORBIDDEN)
def test_sparing_words_never_free_what_is_forbidden(brain: Brain, said: str, tool: str):
    assert tool not in [c.tool for c in brain.understand(said).calls]


BOUND = [
    "Restart ranker. But only if the error rate goes above 5 %.",
    "流量一掉下来 ranker 缩到 2",
    "等高峰过去，ranker 缩到 2",
    "gpu-node-03 空下来以后 drain 掉",
]


@pytest.mark.parametrize("said", BOUND)
def test_a_condition_still_binds(brain: Brain, said: str):
    assert not brain.understand(said).calls


PASSED_ON = [
    ("tell #gpu-群: do not restart ranker, upstream is to blame", "#gpu-群"),
    ("麻烦往 #语音oncall 转一句：不要回滚 ranker，是上游的锅", "#语音oncall"),
    ("飞书-感知群 通知「今晚停训练，请提前 cancel 自己的 job」", "飞书-感知群"),
]


@pytest.mark.parametrize(("said", "channel"), PASSED_ON)
def test_words_to_be_passed_on_are_no_requests(brain: Brain, said: str, channel: str):
    (call,) = brain.understand(said).calls
    text = str(call.args["text"])
    assert (call.tool, call.args["target"]) == ("send_notice", channel)
    assert text in said
    assert "ranker" in text or "停训练" in text


CAUSES = [
    ("DiskAlmostFull 结论写上：max_len 从 2048 被改成 8192", "max_len 从 2048 被改成 8192"),
    ("DiskAlmostFull root cause: restart of the licence server", "restart of the licence server"),
]


@pytest.mark.parametrize(("said", "cause"), CAUSES)
def test_a_cause_is_kept_as_it_was_said(brain: Brain, said: str, cause: str):
    (call,) = brain.understand(said).calls
    assert (call.tool, call.args["cause"]) == ("record_cause", cause)


AFTERTHOUGHTS = [
    "Restart ranker. Tomorrow.",
    "Restart ranker. No wait.",
    "Restart ranker. Maybe.",
    "Should we? Restart ranker.",
    "重启 ranker。等测试过了",
    "重启 ranker。晚上九点",
    "重启 ranker。开玩笑的",
]


@pytest.mark.parametrize("said", AFTERTHOUGHTS)
def test_what_is_put_off_in_the_next_breath_is_not_proposed(brain: Brain, said: str):
    assert not brain.understand(said).calls


SOUGHT = [
    "find the root cause: ranker is slow",
    "找下原因：ranker 为什么慢",
    "原因: ranker 慢, 帮我查下",
]


@pytest.mark.parametrize("said", SOUGHT)
def test_a_cause_that_is_sought_is_not_recorded(brain: Brain, said: str):
    understood = brain.understand(said)
    assert "record_cause" not in [c.tool for c in understood.calls]


ARGUMENTS: list[tuple[str, str, dict[str, Json]]] = [
    (
        "lift silence sil_7f3a on DiskAlmostFull",
        "unsilence_alert",
        {"alert": "DiskAlmostFull", "silence": "sil_7f3a"},
    ),
    ("untag canary_q2 from ranker", "remove_alias", {"model": "ranker", "alias": "canary_q2"}),
    ("get rid of the rule hot_gpu_85, it's noise", "remove_alert_rule", {"name": "hot_gpu_85"}),
    ("unschedule weekly_perc_2", "unschedule_summary", {"name": "weekly_perc_2"}),
    (
        "pull the ranker log for 503|504 of the last 30 minutes",
        "read_logs",
        {"target": "ranker", "window": "30m", "pattern": "503|504"},
    ),
    (
        "train digits with lr 0.001 warmup_steps 500, seed 7",
        "launch_training",
        {"model": "digits", "params": {"lr": 0.001, "warmup_steps": 500, "seed": 7}},
    ),
    (
        "让 sentiment 跟着 ranker 学，做蒸馏",
        "distill_model",
        {"model": "ranker", "student": "sentiment"},
    ),
    (
        "disable the DiskAlmostFull rule on disk, but don't delete it",
        "set_alert_rule",
        {"metric": "disk", "name": "DiskAlmostFull", "enabled": False},
    ),
    (
        "rule NoTrafficNow on request_rate: fire below 10",
        "set_alert_rule",
        {"metric": "request_rate", "name": "NoTrafficNow", "op": "<", "threshold": 10},
    ),
]


@pytest.mark.parametrize(("said", "tool", "wanted"), ARGUMENTS)
def test_arguments_as_they_are_written(brain: Brain, said: str, tool: str, wanted: dict[str, Json]):
    (call,) = brain.understand(said).calls
    assert (call.tool, dict(call.args)) == (tool, wanted)
