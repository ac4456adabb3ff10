"""Whole requests: the labelled development set, and what must never become a change."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.offline import evaluate
from agent.offline.brain import Brain, Names
from tests.understanding.fleet import DATA, NAMES, brain
from tools.catalog import TOOLS
from tools.contract import Effect, Phrases, reading
from tools.words import Deployment

CHANGES = [tool for tool in TOOLS if tool.effect is not Effect.READ]
VALUES = {
    "deployment": "ranker",
    "model": "ranker",
    "node": "gpu-node-04",
    "job": "train-digits-7",
    "alert": "HighErrorRate",
    "target": "ranker",
    "channel": "#alerts",
    "image": "ranker:5",
    "version": "5",
    "alias": "production",
    "window": "2h",
    "fraction": "40%",
    "count": "4",
    "number": "90",
    "metric": "error rate",
    "revision": "3",
    "gpu": "2",
    "xid": "79",
    "action": "12",
    "when": "every day at 9",
    "schedule": "weekly",
    "rule": "SlowRanker",
    "text": "a bad card",
    "sample": "17",
    "pattern": "OOM",
    "params": "lr 0.001",
    "points": "2 points",
    "factor": "2x",
    "path": "model.pt",
}


def spoken(tool, phrase):
    """An example phrase with something plausible in every hole."""
    from agent.offline.declared import choices

    for parameter in tool.parameters:
        values = choices(parameter)
        said = values[0] if values else VALUES.get(parameter.word, "x")
        phrase = phrase.replace(f"{{{parameter.name}}}", said)
    return phrase


def changes(understood):
    effects = {tool.name: tool.effect for tool in TOOLS}
    return [c for c in understood.calls if effects[c.tool] is not Effect.READ]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_development_set_is_understood(lang):
    cases = evaluate.load(DATA / f"dev_{lang}.jsonl")
    result = evaluate.score(cases, brain().understand, TOOLS)
    right = sum(result.right.values()) / len(cases)
    assert not result.false_changes(), [f.case.text for f in result.false_changes()]
    assert right >= 0.97, evaluate.table(result)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda t: t.name)
def test_every_tool_is_understood_from_its_own_phrases(tool):
    phrases = [*tool.phrases.en, *tool.phrases.zh]
    understood = [brain().understand(spoken(tool, p)) for p in phrases]
    right = [
        u
        for u in understood
        if tool.name in {c.tool for c in u.calls}
        or (u.pending and u.pending.call.tool == tool.name)
    ]
    assert len(right) >= 0.7 * len(phrases)


REFUSALS = ["do not {}", "please don't {}", "never {}", "no need to {}"]
QUESTIONS = [
    "how do I {}?",
    "what happens if you {}?",
    "should I {}?",
    "is it safe to {}?",
    "how long would it take to {}?",
]
REFUSALS_ZH = ["不要{}", "先别{}", "不用{}", "请勿{}"]
QUESTIONS_ZH = ["怎么{}？", "{}会有什么影响？", "{}要多久？", "{}安全吗？"]
DEEDS = [
    "restart ranker",
    "roll back ranker",
    "scale ranker to 3",
    "drain gpu-node-04",
    "cordon gpu-node-04",
    "roll out ranker version 5",
    "prune digits by 40%",
    "quantize digits",
    "promote ranker 5 to production",
    "cancel train-digits-7",
    "train digits",
    "push ranker:5",
    "tune ranker with 20 trials",
    "distill ranker",
    "build an image of ranker 5",
    "export ranker to onnx",
]
DEEDS_ZH = [
    "重启 ranker",
    "回滚 ranker",
    "把 ranker 扩到 3 个副本",
    "排空 gpu-node-04",
    "封锁 gpu-node-04",
    "发布 ranker 版本 5",
    "剪枝 digits 40%",
    "量化 digits",
    "取消 train-digits-7",
    "训练 digits",
    "蒸馏 ranker",
    "导出 ranker 为 onnx",
]


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("frame", [*REFUSALS, *QUESTIONS])
def test_what_is_refused_or_asked_about_is_not_proposed(frame, deed):
    assert not changes(brain().understand(frame.format(deed)))


@pytest.mark.parametrize("deed", DEEDS_ZH)
@pytest.mark.parametrize("frame", [*REFUSALS_ZH, *QUESTIONS_ZH])
def test_what_is_refused_or_asked_about_in_chinese_is_not_proposed(frame, deed):
    assert not changes(brain().understand(frame.format(deed)))


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize(
    "frame",
    [
        "{} if errors go up",
        "{} once the load drops",
        "when traffic doubles, {}",
        "maybe we should {}",
        "{} tomorrow at 9am",
    ],
)
def test_a_condition_a_doubt_or_a_later_time_asks_first(frame, deed):
    understood = brain().understand(frame.format(deed))
    assert not changes(understood)
    musing = frame.startswith("maybe")  # may also be noted, or answered with a look
    assert understood.clarify or (musing and (understood.reply or understood.calls))


@pytest.mark.parametrize("said", [
    "I already restarted ranker", "bob drained gpu-node-04 this morning", "we scaled ranker to 5 yesterday", "the rollback of ranker is done",
    "ranker was restarted by alice", "thanks for restarting ranker", "did the rollout of ranker finish?", "who restarted ranker?",
    "has ranker been rolled back?", "what would a rollback do?", "leave ranker as it is", "cancel the restart of ranker, I changed my mind",
    "ranker 我已经回滚了", "昨天把 ranker 扩到了 5 个", "小李等下会重启 ranker", "谁重启了 ranker", "gpu-node-03 排空完了", "本来想重启 ranker，后来它自己恢复了",
    "restart my laptop", "prune the roses in my garden by half", "重启我的路由器",
])  # fmt: skip
def test_telling_is_not_asking(said):
    assert not changes(brain().understand(said))


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text_is_answered_in_exactly_one_way(text):
    understood = brain().understand(text)
    ways = [bool(understood.calls), understood.clarify is not None, understood.reply is not None]
    assert sum(ways) == 1


def test_a_new_tool_is_understood_from_its_declaration_alone():
    @reading(
        Phrases(
            en=("polish {deployment}", "make {deployment} shiny", "give {deployment} a polish"),
            zh=("擦亮 {deployment}", "把 {deployment} 抛光"),
        )
    )
    def polish(world, deployment: Deployment):
        """Polish a deployment."""

    planner = Brain((*TOOLS, polish), NAMES)
    for said in ("please polish fraud-detector", "把 fraud-detector 抛光一下"):
        (call,) = planner.understand(said).calls
        assert (call.tool, dict(call.args)) == ("polish", {"deployment": "fraud-detector"})


@dataclass(frozen=True)
class Known:
    said: str
    tool: str
    args: dict


@pytest.mark.parametrize(
    "known",
    [
        Known("restart ranker", "restart", {"deployment": "ranker"}),
        Known(
            "scale pricing-engine to 2", "scale", {"deployment": "pricing-engine", "replicas": 2}
        ),
        Known("cordon tpu-node-1", "cordon_node", {"node": "tpu-node-1"}),
        Known("cancel job train-foo-1", "cancel_job", {"job": "train-foo-1"}),
        Known("重启 voice-bot", "restart", {"deployment": "voice-bot"}),
        Known("why did FooBarDown fire?", "diagnose", {"alert": "FooBarDown"}),
    ],
    ids=lambda k: k.said,
)
def test_names_nobody_listed_are_taken_from_their_place(known):
    (call,) = Brain(TOOLS, Names(), brain()._parser).understand(known.said).calls
    assert (call.tool, dict(call.args)) == (known.tool, known.args)


def test_a_typo_of_a_live_name_is_mended_and_its_case_kept():
    (call,) = brain().understand("retsart Serch-Embedder").calls
    assert (call.tool, dict(call.args)) == ("restart", {"deployment": "search-embedder"})


def test_a_message_keeps_its_own_words():
    (call,) = brain().understand("NOTIFY PAGERDUTY-PRIMARY: Ranker is DOWN").calls
    assert dict(call.args) == {"target": "pagerduty-primary", "text": "Ranker is DOWN"}


def test_it_never_pretends_to_be_a_language_model():
    assert "not a large language model" in (brain().understand("which llm are you?").reply or "")
    assert "不是大语言模型" in (brain().understand("你是什么模型").reply or "")
