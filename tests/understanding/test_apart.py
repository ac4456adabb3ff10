"""What in a message is a request, and what only stands beside one."""

from __future__ import annotations

import pytest

from agent.offline import speech
from agent.offline.brain import Brain
from agent.offline.mention import Mention
from agent.offline.segment import items
from agent.offline.text import Span, read

BESIDE_A_REPORT = [
    ("the fan of gpu-node-1 is replaced, let it take pods again", "uncordon_node"),
    ("For the record, the bad deploy is gone. Please restart ranker", "restart"),
    ("评审过了，ranker 可以回滚了", "roll_back"),
    ("数据都看过了没问题,把 ranker 重启一下", "restart"),
]


@pytest.mark.parametrize(("said", "tool"), BESIDE_A_REPORT)
def test_a_report_beside_a_request_does_not_hide_it(brain: Brain, said: str, tool: str):
    assert [c.tool for c in brain.understand(said).calls] == [tool]


FOR_OTHERS = [
    "@mei could you restart ranker?",
    "@小李 你下班前记得把 ranker 重启一下",
    "Zbigniew, can you restart ranker when you're back",
    "if only we had restarted ranker yesterday",
    "imagine we restarted ranker right now",
    "要是当时早点回滚 ranker 就好了",
    "早知道就不该重启 ranker",
]


@pytest.mark.parametrize("said", FOR_OTHERS)
def test_what_is_said_to_others_or_only_mused_about_is_no_request(brain: Brain, said: str):
    understood = brain.understand(said)
    assert not understood.calls
    assert understood.reply


def test_a_call_by_name_to_steward_is_a_request(brain: Brain):
    assert [c.tool for c in brain.understand("@steward restart ranker").calls] == ["restart"]


BOUND = [
    "restart ranker should it start failing again",
    "in the event that ranker falls over, restart it",
    "roll out version 3 to ranker, but only after Ines agrees",
    "内存涨到 90% 的时候重启 ranker",
    "队列清空以后重启 ranker",
]


@pytest.mark.parametrize("said", BOUND)
def test_a_condition_is_never_taken_for_a_clause_beside(brain: Brain, said: str):
    assert not brain.understand(said).calls


LISTS = [
    ("gpu status + running jobs", ["gpu_status", "list_jobs"]),
    ("模型列表和节点列表", ["list_models", "list_nodes"]),
    ("部署列表 + 模型列表 + 任务列表", ["list_deployments", "list_models", "list_jobs"]),
]


@pytest.mark.parametrize(("said", "tools"), LISTS)
def test_a_plain_list_is_as_many_requests(brain: Brain, said: str, tools: list[str]):
    assert [c.tool for c in brain.understand(said).calls] == tools


def test_items_are_not_cut_inside_a_mention():
    low = read("p95 of a and b").low
    name = Mention("name", Span(7, 14), Span(7, 14), "a and b", {})
    assert len(items(low, [])) == 2
    assert items(low, [name]) == [Span(0, 14)]


def test_a_name_nobody_knows_is_a_person_only_where_somebody_is_asked():
    assert speech.addressed("STRANGER, can you restart it")
    assert not speech.addressed("STRANGER is slow")
