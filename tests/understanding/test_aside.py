"""What a message forbids, spares, takes back or only says out of courtesy."""

from __future__ import annotations

import pytest

from agent.offline.brain import Brain
from tools.contract import Json

REFUSED = [
    "Do not, under any circumstances, restart ranker",
    "please don't, whatever happens, drain gpu-node-01",
    "I repeat: do not restart ranker, not now, not ever",
    "Nobody should restart ranker. Not even you.",
    "never, ever restart ranker",
    "don't restart ranker, and don't scale it",
    "Don't restart ranker or drain gpu-node-01",
    "don't restart ranker and drain gpu-node-01",
    "no restarts, no rollbacks",
    "it would be wrong to restart ranker, so don't",
    "restart ranker? don't",
    "restart ranker? no!",
    "cordon gpu-node-01... eh, abort, it's the only one with the licence",
    "cancel train-ranker-7!! oops wrong window, leave it running",
    "uncordon gpu-node-01. Ignore that, Rasmus still has the lid off.",
    "silence RankerLatencyHigh for 4h. No, I take that back, it should go on shouting.",
    "不要，无论如何，重启 ranker",
    "别，别重启 ranker",
    "先别动，ranker 重启的事等我",
    "重启 ranker 别搞",
    "ranker 千万，千万别重启",
    "别重启 ranker 和 sentiment",
    "别重启 ranker，也别排空 gpu-node-01",
    "取消 train-ranker-7？不不不，那是跑了五天的，留着！",
    "cancel train-digits-7. stop!",
    "取消 train-digits-7，停！",
]
ASKED: list[tuple[str, list[tuple[str, dict[str, Json]]]]] = [
    ("restart ranker but not sentiment", [("restart", {"deployment": "ranker"})]),
    ("leave ranker, restart sentiment", [("restart", {"deployment": "sentiment"})]),
    ("restart ranker, sentiment stays up", [("restart", {"deployment": "ranker"})]),
    (
        "restart ranker and sentiment - correction, leave sentiment, it's mid-batch",
        [("restart", {"deployment": "ranker"})],
    ),
    (
        "silence RankerLatencyHigh for an hour. DiskAlmostFull must keep paging.",
        [("silence_alert", {"alert": "RankerLatencyHigh", "duration": "1h"})],
    ),
    (
        "build the image of ranker 5 without pushing it anywhere",
        [("build_image", {"model": "ranker", "version": "5"})],
    ),
    (
        "build ranker 5 into an image. do NOT push it anywhere",
        [("build_image", {"model": "ranker", "version": "5"})],
    ),
    (
        "prune ranker by 30 %, don't roll it out",
        [("prune_model", {"model": "ranker", "amount": 0.3})],
    ),
    (
        "restart ranker, wait, restart sentiment instead",
        [("restart", {"deployment": "sentiment"})],
    ),
    ("when you get a sec, restart ranker", [("restart", {"deployment": "ranker"})]),
    (
        "could you, if it isn't too much trouble, restart ranker",
        [("restart", {"deployment": "ranker"})],
    ),
    ("restart ranker, don't ask me again", [("restart", {"deployment": "ranker"})]),
    (
        "list the alert rules, then remove the one called disk-90",
        [("list_alert_rules", {}), ("remove_alert_rule", {"name": "disk-90"})],
    ),
    (
        "roll back ranker—hold up, which version is it even serving",
        [("deployment_status", {"deployment": "ranker"})],
    ),
    ("重启 ranker，sentiment 不动", [("restart", {"deployment": "ranker"})]),
    ("重启 ranker 和 sentiment，sentiment 别动", [("restart", {"deployment": "ranker"})]),
    ("方便的话重启一下 ranker", [("restart", {"deployment": "ranker"})]),
    (
        "帮我把 damage-cls 扩到 6 个副本,谢谢",
        [("scale", {"deployment": "damage-cls", "replicas": 6})],
    ),
    ("重启 ranker。等等，它现在什么状态？", [("deployment_status", {"deployment": "ranker"})]),
    (
        "打 ranker 5 的镜像 暂时不推仓库",
        [("build_image", {"model": "ranker", "version": "5"})],
    ),
    ("回滚 ranker，算了，看看日志", [("read_logs", {"target": "ranker"})]),
    (
        "errors of ranker: error_rate and p95_latency, last 2 hours",
        [
            ("metric_query", {"query": "error_rate", "window": "2h"}),
            ("metric_query", {"query": "p95_latency", "window": "2h"}),
        ],
    ),
    (
        "plot error_rate, plot request_rate. 12h",
        [
            ("plot_metric", {"metric": "error_rate", "window": "12h"}),
            ("plot_metric", {"metric": "request_rate", "window": "12h"}),
        ],
    ),
]
LATER = [
    "scale ranker to 12 at 19:45, before the match begins",
    "pause ranker's rollout should its error rate pass 2 %",
    "prune ranker by 30 % at the end of the sprint",
    "待法务签字之后，再把 ranker 第 5 版设为 production",
    "显存用量降到 80% 以下再开 ranker 的训练",
    "restart ranker if you see errors",
    "测试可以的话重启 ranker",
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused_is_not_proposed(brain: Brain, text: str) -> None:
    said = brain.understand(text)
    assert said.calls == ()
    assert said.pending is None


@pytest.mark.parametrize(("text", "calls"), ASKED)
def test_the_rest_of_a_message_is_still_heard(
    brain: Brain, text: str, calls: list[tuple[str, dict[str, Json]]]
) -> None:
    got = brain.understand(text).calls
    assert [call.tool for call in got] == [tool for tool, _ in calls]
    for call, (_, wanted) in zip(got, calls, strict=True):
        assert {name: call.args.get(name) for name in wanted} == wanted


@pytest.mark.parametrize("text", LATER)
def test_what_is_bound_to_a_time_or_an_event_is_asked_about(brain: Brain, text: str) -> None:
    said = brain.understand(text)
    assert said.calls == ()
    assert said.clarify
