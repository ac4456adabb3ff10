"""Names said by some of their words: which listed name is meant, and when it has to be asked."""

from __future__ import annotations

from functools import cache

import pytest

from agent.offline.brain import Brain, Names
from tests.understanding.fleet import brain


def _each(*names: str) -> tuple[tuple[str, ...], ...]:
    return tuple((name,) for name in names)


@cache
def _planner() -> Brain:
    return brain().named(
        Names(
            models=_each("warden-guard", "quill-coder", "atlas-7b-chat", "atlas-70b-chat"),
            deployments=_each(
                "warden-guard",
                "quill-coder",
                "prod/atlas-7b-chat",
                "staging/atlas-7b-chat",
                "atlas-70b-chat",
                "shadow/txn-guard",
                "prod/txn-guard",
            ),
            jobs=_each(
                "warden-redteam-ft", "quill-fim-pretrain", "sieve-distill-17", "atlas-70b-dpo-r2"
            ),
            nodes=_each("gpu-h100-01", "gpu-h100-02"),
        )
    )


@pytest.mark.parametrize(
    ("said", "tool", "args"),
    [
        (
            "How's warden doing after this afternoon's deploy?",
            "deployment_status",
            {"deployment": "warden-guard"},
        ),
        (
            "staging atlas 7b — which revisions did it go through?",
            "deployment_history",
            {"deployment": "staging/atlas-7b-chat"},
        ),
        (
            "prod 7b chat is leaking memory again, recycle its pods",
            "restart",
            {"deployment": "prod/atlas-7b-chat"},
        ),
        ("versions of quill", "list_versions", {"model": "quill-coder"}),
        ("is 70b chat healthy", "deployment_status", {"deployment": "atlas-70b-chat"}),
        ("sieve distill: how far along?", "job_status", {"job": "sieve-distill-17"}),
        ("Has the warden red team finetune crashed", "job_status", {"job": "warden-redteam-ft"}),
        (
            "How's the DPO run of the seventy b doing",
            "job_status",
            {"job": "atlas-70b-dpo-r2"},
        ),
        (
            "show logs of the warden red team run",
            "read_logs",
            {"target": "warden-redteam-ft"},
        ),
        ("cancel the quill pretraining", "cancel_job", {"job": "quill-fim-pretrain"}),
        ("cancel sieve distillation", "cancel_job", {"job": "sieve-distill-17"}),
        ("quill-fim status", "job_status", {"job": "quill-fim-pretrain"}),
        ("roll back warden", "roll_back", {"deployment": "warden-guard"}),
        ("把 warden 扩到 5 个副本", "scale", {"deployment": "warden-guard", "replicas": 5}),
        ("distil warden into a smaller student", "distill_model", {"model": "warden-guard"}),
        ("quantize the quill one to int8", "quantize_model", {"model": "quill-coder"}),
        (
            "txn-guard 影子环境回到第 14 个 revision",
            "roll_back",
            {"deployment": "shadow/txn-guard", "revision": 14},
        ),
    ],
)
def test_the_one_name_that_fits_is_taken(said, tool, args):
    understood = _planner().understand(said)
    assert [(c.tool, dict(c.args)) for c in understood.calls] == [(tool, args)], understood


@pytest.mark.parametrize(
    ("said", "options"),
    [
        ("restart atlas", ("prod/atlas-7b-chat", "staging/atlas-7b-chat", "atlas-70b-chat")),
        ("restart 7b chat", ("prod/atlas-7b-chat", "staging/atlas-7b-chat")),
        ("logs for quill", ("quill-coder", "quill-fim-pretrain")),
        ("warden 的日志", ("warden-guard", "warden-redteam-ft")),
    ],
)
def test_names_that_fit_equally_are_asked_for(said, options):
    understood = _planner().understand(said)
    assert not understood.calls
    assert understood.pending
    assert understood.pending.options == options


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ("restart the guard", ("warden-guard", "shadow/txn-guard", "prod/txn-guard")),
        (
            "restart the chat model",
            ("prod/atlas-7b-chat", "staging/atlas-7b-chat", "atlas-70b-chat"),
        ),
    ],
)
def test_a_common_word_names_nothing_but_sorts_the_candidates(said, first):
    understood = _planner().understand(said)
    assert not understood.calls
    assert understood.pending
    assert understood.pending.options[:3] == first


def test_a_name_alone_proposes_no_change():
    understood = _planner().understand("that quill pretraining")
    assert not understood.calls
    assert understood.clarify


@pytest.mark.parametrize(
    "said",
    ["what does pretraining mean", "what jobs are running", "is distillation worth it in general?"],
)
def test_words_of_requests_are_no_names(said):
    understood = _planner().understand(said)
    assert not any(call.args for call in understood.calls)
    assert not understood.pending
