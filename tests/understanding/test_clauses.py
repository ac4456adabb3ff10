"""What the clauses of a message do to each other: rows, what is taken back, and when."""

from __future__ import annotations

import pytest

from agent.offline.brain import Brain
from tools.contract import Json

ROWS: list[tuple[str, str, list[dict[str, Json]]]] = [
    (
        "mute RankerLatencyHigh 20 min, DiskAlmostFull 2 hours",
        "silence_alert",
        [
            {"alert": "RankerLatencyHigh", "duration": "20m"},
            {"alert": "DiskAlmostFull", "duration": "2h"},
        ],
    ),
    (
        "ranker v7 给 staging,v6 给 production",
        "promote_version",
        [
            {"model": "ranker", "version": "7", "alias": "staging"},
            {"model": "ranker", "version": "6", "alias": "production"},
        ],
    ),
    (
        "把 ranker 的 v11 v12 v13 都导成 safetensors",
        "export_model",
        [{"model": "ranker", "format": "safetensors", "version": v} for v in ("11", "12", "13")],
    ),
    (
        "plot gpu_temperature plus gpu_power for 6 hours",
        "plot_metric",
        [{"metric": m, "window": "6h"} for m in ("gpu_temperature", "gpu_power")],
    ),
    (
        "规则 low-qps 和 disk-90 删了",
        "remove_alert_rule",
        [{"name": "low-qps"}, {"name": "disk-90"}],
    ),
    (
        "画一下 p95_latency 近 6 小时的图,error_rate 也画一张",
        "plot_metric",
        [{"metric": m, "window": "6h"} for m in ("p95_latency", "error_rate")],
    ),
    (
        "uncordon gpu-node-01. And gpu-node-02 too.",
        "uncordon_node",
        [{"node": "gpu-node-01"}, {"node": "gpu-node-02"}],
    ),
    ("gpu:0 gpu:7 的事件都拉下", "list_events", [{"target": "gpu:0"}, {"target": "gpu:7"}]),
]


@pytest.mark.parametrize(("said", "tool", "wanted"), ROWS)
def test_each_thing_of_a_list_has_its_own_values(
    brain: Brain, said: str, tool: str, wanted: list[dict[str, Json]]
):
    calls = brain.understand(said).calls
    assert [(c.tool, dict(c.args)) for c in calls] == [(tool, args) for args in wanted]


SPARED = [
    ("重启 ranker 和 sentiment,digits 先不用", {"ranker", "sentiment"}),
    ("restart ranker and sentiment, digits can wait", {"ranker", "sentiment"}),
    ("uncordon gpu-node-01, not gpu-node-02", {"gpu-node-01"}),
    ("把 ranker、sentiment 扩到 4,digits 别动", {"ranker", "sentiment"}),
    ("ranker 回滚,但 sentiment 别动", {"ranker"}),
]


@pytest.mark.parametrize(("said", "names"), SPARED)
def test_what_is_to_be_left_alone_is_no_item_of_the_list(brain: Brain, said: str, names: set[str]):
    calls = brain.understand(said).calls
    assert {next(iter(c.args.values())) for c in calls} == names


TAKEN_BACK = [
    ("重启 ranker?别动它,静音 RankerLatencyHigh 30 分钟就行", ["silence_alert"]),
    ("restart ranker? no, leave it, mute RankerLatencyHigh for 30m", ["silence_alert"]),
    ("重启 ranker,不对,别重启了", []),
    ("let train-digits-7 run, don't cancel it even though the loss looks ugly", []),
    ("先别封锁 gpu-node-01", []),
    ("ranker v12 上线之后客诉少了好多", []),
    ("ranker 回滚到 revision 12 完成 @全体", []),
    ("重启 ranker 然后静音 RankerLatencyHigh 30 分钟,算了", []),
    ("restart ranker and mute RankerLatencyHigh for 30m, no never mind", []),
    ("重启 ranker,别的别动", ["restart"]),
    ("gpu-node-01 不用排空,封锁就行", ["cordon_node"]),
    ("RankerLatencyHigh 别删,静音 30 分钟就成", ["silence_alert"]),
]


@pytest.mark.parametrize(("said", "tools"), TAKEN_BACK)
def test_what_is_taken_back_is_not_proposed(brain: Brain, said: str, tools: list[str]):
    assert [c.tool for c in brain.understand(said).calls] == tools


PUT_OFF = [
    "过一个小时再解除 RankerLatencyHigh 的静默",
    "五分钟后恢复 ranker 的发布",
    "周六早上再给 ranker 调参 40 组",
    "大促结束后 ranker 缩回 4 个",
    "夜里没人的时候把 gpu-node-01 排空",
    "忙过这阵,八点半以后吧,把 ranker 降到 2 副本",
]


@pytest.mark.parametrize("said", PUT_OFF)
def test_a_deed_that_is_put_off_is_asked_about(brain: Brain, said: str):
    got = brain.understand(said)
    assert not got.calls
    assert got.clarify


AT_ONCE = [
    ("明早厂家来给 gpu-node-01 换电源，现在就把它排空吧", "drain_node"),
    ("就重启 ranker 吧,别查了", "restart"),
    ("上次发布结束后 ranker 一直慢,重启一下", "restart"),
]


@pytest.mark.parametrize(("said", "tool"), AT_ONCE)
def test_a_moment_it_only_speaks_of_puts_nothing_off(brain: Brain, said: str, tool: str):
    assert [c.tool for c in brain.understand(said).calls] == [tool]


COUNTS = [
    ("流量翻倍了,ranker 现在 4 个副本顶不住,加到 10 个", 10),
    ("can ranker have 3 replicas instead of 5", 3),
]


@pytest.mark.parametrize(("said", "replicas"), COUNTS)
def test_counts_that_tell_how_things_are_give_way(brain: Brain, said: str, replicas: int):
    (call,) = brain.understand(said).calls
    assert call.args["replicas"] == replicas


TOLD = [
    "gpu-node-01 换完电源了,我已经解除封锁",
    "ranker v15 上线 10 分钟,没报错,一切正常",
    "取消 train-digits-7 的是我,参数写错了不好意思",
]


@pytest.mark.parametrize("said", TOLD)
def test_what_is_only_told_is_not_proposed(brain: Brain, said: str):
    assert not brain.understand(said).calls
