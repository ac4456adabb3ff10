"""Context over turns: each scenario is a conversation, with what the last turn must mean."""

from __future__ import annotations

import pytest

from tests.understanding.fleet import brain

ASKS = "asks"
NOTHING = "nothing"


def one(tool, **args):
    return [(tool, args)]


SCENARIOS = [
    # pronouns
    (["status of ranker", "roll it back"], one("roll_back", deployment="ranker")),
    (["is sentiment up?", "restart it"], one("restart", deployment="sentiment")),
    (["how far is train-digits-7?", "cancel it"], one("cancel_job", job="train-digits-7")),
    (["any events on gpu-node-04?", "drain it"], one("drain_node", node="gpu-node-04")),
    (
        ["diagnose HighErrorRate", "silence it for 2h"],
        one("silence_alert", alert="HighErrorRate", duration="2h"),
    ),
    (["versions of digits", "quantize it"], one("quantize_model", model="digits")),
    (["logs of ranker", "why is it slow?"], one("diagnose", target="ranker")),
    (["ranker 怎么样", "把它回滚"], one("roll_back", deployment="ranker")),
    (["sentiment 状态", "重启它"], one("restart", deployment="sentiment")),
    (["train-digits-7 到哪了", "取消它"], one("cancel_job", job="train-digits-7")),
    # left out altogether
    (["ranker 怎么样", "回滚吧"], one("roll_back", deployment="ranker")),
    (["ranker 为什么这么慢", "看下日志"], one("read_logs", target="ranker")),
    (["is ranker healthy?", "show me the logs"], one("read_logs", target="ranker")),
    # answers to questions
    (["scale ranker", "5"], one("scale", deployment="ranker", replicas=5)),
    (["scale ranker", "five please"], one("scale", deployment="ranker", replicas=5)),
    (["prune digits", "40%"], one("prune_model", model="digits", amount=0.4)),
    (["prune digits", "a quarter"], one("prune_model", model="digits", amount=0.25)),
    (
        ["silence DiskAlmostFull", "an hour"],
        one("silence_alert", alert="DiskAlmostFull", duration="1h"),
    ),
    (["restart", "ranker"], one("restart", deployment="ranker")),
    (["roll out ranker", "v5"], one("roll_out", deployment="ranker", version="5")),
    (["roll out ranker", "production"], one("roll_out", deployment="ranker", version="production")),
    (["export digits", "onnx"], one("export_model", model="digits", format="onnx")),
    (["tune sentiment", "20 trials"], one("tune_model", model="sentiment", trials=20)),
    (
        ["schedule a summary", "every day at 9", "#ml-oncall"],
        one("schedule_summary", when="0 9 * * *", channel="#ml-oncall"),
    ),
    (
        ["send a notice", "#alerts", "ranker is back"],
        one("send_notice", target="#alerts", text="ranker is back"),
    ),
    (["剪枝 digits", "三成"], one("prune_model", model="digits", amount=0.3)),
    (["扩容 ranker", "四个"], one("scale", deployment="ranker", replicas=4)),
    (
        ["静默 DiskAlmostFull", "两小时"],
        one("silence_alert", alert="DiskAlmostFull", duration="2h"),
    ),
    (["发布 ranker", "版本 5"], one("roll_out", deployment="ranker", version="5")),
    # which one?
    (["restart llm-gateway", "the second one"], one("restart", deployment="staging/llm-gateway")),
    (["restart llm-gateway", "prod"], one("restart", deployment="prod/llm-gateway")),
    (
        ["scale llm-gateway to 4", "the staging one"],
        one("scale", deployment="staging/llm-gateway", replicas=4),
    ),
    (["重启 llm-gateway", "prod 那个"], one("restart", deployment="prod/llm-gateway")),
    (["重启 llm-gateway", "第二个"], one("restart", deployment="staging/llm-gateway")),
    (
        ["restart llm-gateway", "both"],
        [
            ("restart", {"deployment": "prod/llm-gateway"}),
            ("restart", {"deployment": "staging/llm-gateway"}),
        ],
    ),
    # the other one
    (
        ["restart prod/llm-gateway", "and the other one?"],
        one("restart", deployment="staging/llm-gateway"),
    ),
    (["重启 prod/llm-gateway", "另一个呢？"], one("restart", deployment="staging/llm-gateway")),
    (
        ["status of ranker", "status of sentiment", "and the other one?"],
        one("deployment_status", deployment="ranker"),
    ),
    # the same for another
    (["scale ranker to 3", "same for sentiment"], one("scale", deployment="sentiment", replicas=3)),
    (
        ["logs of ranker for the last 2h", "and for sentiment?"],
        one("read_logs", target="sentiment", window="2h"),
    ),
    (["is ranker up?", "and sentiment?"], one("deployment_status", deployment="sentiment")),
    (["drain gpu-node-04", "same for gpu-node-05"], one("drain_node", node="gpu-node-05")),
    (["ranker 状态", "sentiment 呢？"], one("deployment_status", deployment="sentiment")),
    (["把 ranker 扩到 3 个", "sentiment 也一样"], one("scale", deployment="sentiment", replicas=3)),
    # corrections and refinements
    (["scale ranker to 5", "no, 3"], one("scale", deployment="ranker", replicas=3)),
    (
        ["roll out ranker version 5", "no, version 3"],
        one("roll_out", deployment="ranker", version="3"),
    ),
    (
        ["roll out ranker version 5", "as a canary"],
        one("roll_out", deployment="ranker", version="5", strategy="canary"),
    ),
    (
        ["error rate for the last hour", "last 2 hours?"],
        one("metric_query", query="error_rate", window="2h"),
    ),
    (["回滚 ranker", "不对，修订版 3"], one("roll_back", deployment="ranker", revision=3)),
    (["最近一小时的错误率", "过去两小时呢"], one("metric_query", query="error_rate", window="2h")),
    (["status of ranker", "again"], one("deployment_status", deployment="ranker")),
    # a plan that builds on what was just asked
    (
        ["prune digits by 40%", "then roll it out as a canary"],
        one("roll_out", deployment="digits", version="latest", strategy="canary"),
    ),
    (
        ["promote ranker 5 to production", "roll it out"],
        one("roll_out", deployment="ranker", version="5"),
    ),
    # conditions and confirmations
    (["restart ranker if latency goes above 200ms", "yes"], one("restart", deployment="ranker")),
    (["restart ranker if latency goes above 200ms", "no"], NOTHING),
    (["延迟超过200ms就重启 ranker", "是的"], one("restart", deployment="ranker")),
    # taking it back, changing the subject
    (["scale ranker", "never mind"], NOTHING),
    (["扩容 ranker", "算了"], NOTHING),
    (["restart ranker", "don't restart it"], NOTHING),
    (["scale ranker", "what is firing?"], one("list_alerts", state="firing")),
    (["restart llm-gateway", "how are the gpus?"], one("gpu_status")),
    (["scale ranker", "hm"], ASKS),
    (["thanks", "roll it back"], ASKS),
]


def converse(turns):
    past = []
    for turn in turns:
        understood = brain().understand(turn, past)
        past.append(understood.past(turn))
    return understood


@pytest.mark.parametrize(
    ("turns", "meant"),
    SCENARIOS,
    ids=lambda v: " / ".join(v) if isinstance(v, list) and v and isinstance(v[0], str) else "",
)
def test_conversation(turns, meant):
    understood = converse(turns)
    if meant is ASKS:
        assert understood.clarify or understood.reply
        assert not understood.calls
    elif meant is NOTHING:
        assert not understood.calls
        assert not understood.clarify
    else:
        assert [(c.tool, dict(c.args)) for c in understood.calls] == meant


def test_there_are_enough_scenarios_in_both_languages():
    talks = [getattr(scenario, "values", scenario)[0] for scenario in SCENARIOS]
    han = [s for s in talks if any("\u4e00" <= c <= "\u9fff" for t in s for c in t)]
    assert len(SCENARIOS) >= 60
    assert len(han) >= 18


def test_the_question_names_the_candidates():
    asked = converse(["restart llm-gateway"])
    assert asked.clarify is not None
    assert "prod/llm-gateway" in asked.clarify
    assert "staging/llm-gateway" in asked.clarify
    assert asked.pending is not None
    assert asked.pending.options == ("prod/llm-gateway", "staging/llm-gateway")


@pytest.mark.parametrize("said", ["restart kettle", "重启 kettle"])
def test_a_name_that_nothing_has_is_not_replaced_by_the_one_before(said):
    asked = converse(["status of digits", said])
    assert not asked.calls
    assert "kettle" in (asked.clarify or "")


def test_a_later_step_takes_over_what_it_does_not_repeat():
    both = converse(["plot error_rate for 6h and list the events of the same period"])
    assert [dict(c.args).get("window") for c in both.calls] == ["6h", "6h"]
    again = converse(["build an image of ranker 5 and export it to onnx"])
    assert [dict(c.args).get("version") for c in again.calls] == ["5", "5"]


def test_a_question_in_the_middle_of_a_plan_keeps_the_rest():
    asked = converse(["scale ranker and then show me its logs"])
    assert asked.clarify
    done = converse(["scale ranker and then show me its logs", "4"])
    assert [c.tool for c in done.calls] == ["scale", "read_logs"]


def test_the_reply_is_in_the_language_of_the_question():
    assert "副本数" in (converse(["扩容 ranker"]).clarify or "")
    assert "replicas" in (converse(["scale ranker"]).clarify or "")
