"""Answers from typed results, scoring, and the index of phrases."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from agent.offline import evaluate, replies
from agent.offline.compose import compose
from agent.offline.turns import Understanding
from tools.catalog import TOOLS
from tools.contract import Call
from tools.errors import BadArguments, Unavailable


@dataclass(frozen=True)
class Saying:
    en: str
    zh: str

    def say(self, lang):
        return self.zh if lang == "zh" else self.en


STATUS = (
    Call("deployment_status", {"deployment": "ranker"}),
    Saying("ranker is healthy.\n2 of 2 replicas", "ranker 正常。\n2/2 副本"),
)
JOB = (
    Call("job_status", {"job": "train-digits-7"}),
    Saying("Step 40 of 100.", "第 40 步，共 100 步。"),
)
DEAD = (Call("gpu_status", {}), Unavailable("No NVIDIA driver answers.", "没有 NVIDIA 驱动响应。"))


def test_one_result_says_itself():
    assert compose([STATUS], "en") == "ranker is healthy.\n2 of 2 replicas"


def test_several_results_open_with_the_answer_of_each():
    lines = compose([STATUS, JOB], "en").splitlines()
    assert lines[:2] == ["ranker is healthy.", "train-digits-7: Step 40 of 100."]
    assert "2 of 2 replicas" in lines


def test_what_failed_never_hides_what_was_found():
    said = compose([DEAD, STATUS], "zh")
    assert said.splitlines()[0] == "ranker 正常。"
    assert (
        said.splitlines()[-1] == "未能查看 ：没有 NVIDIA 驱动响应。".replace(" ：", "：")
        or "没有 NVIDIA 驱动响应" in said
    )


def test_only_failures_are_said_plainly():
    assert compose([DEAD], "en") == "No NVIDIA driver answers."


def test_what_several_calls_answer_alike_is_said_once():
    none = Saying("There is no NVIDIA driver here.", "这里没有 NVIDIA 驱动。")
    cards = [(Call("gpu_status", {"gpu": n}), none) for n in (0, 1)]
    assert compose(cards, "en") == "There is no NVIDIA driver here."
    assert compose([*cards, STATUS], "en").count("driver") == 1


def test_the_same_call_twice_is_said_once():
    assert compose([STATUS, STATUS], "en").count("healthy") == 1


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(
    "what",
    ["about", "help", "greeting", "thanks", "explain", "scope", "negated", "statement", "nothing"],
)
def test_every_reply_exists_in_both_languages(what, lang):
    assert replies.say(what, lang).strip()


def understood(*calls, clarify=None):
    return Understanding(calls, clarify=clarify, reply=None if calls or clarify else "no")


@pytest.mark.parametrize(
    ("case", "got", "kind"),
    [
        (evaluate.Case("x", (Call("restart", {"deployment": "a"}),), False), understood(Call("restart", {"deployment": "a"})), None),
        (evaluate.Case("x", (Call("restart", {"deployment": "a"}),), False), understood(Call("restart", {"deployment": "b"})), "wrong argument"),
        (evaluate.Case("x", (Call("restart", {"deployment": "a"}),), False), understood(clarify="?"), "asked needlessly"),
        (evaluate.Case("x", (), False), understood(Call("restart", {"deployment": "a"})), "false change"),
        (evaluate.Case("x", (), True), understood(), "did not ask"),
        (evaluate.Case("x", (Call("list_jobs", {}),), False), understood(Call("list_models", {})), "wrong tool"),
        (evaluate.Case("x", (Call("list_events", {}),), False), understood(Call("list_events", {"window": "2h"})), None),
    ],
)  # fmt: skip
def test_kinds_of_error(case, got, kind):
    assert evaluate.fault(case, got, {tool.name: tool for tool in TOOLS}) == kind


def test_a_request_file_that_is_none_names_the_line(tmp_path):
    path = tmp_path / "requests.jsonl"
    path.write_text(json.dumps({"text": "x", "calls": []}) + "\n{nonsense\n")
    with pytest.raises(BadArguments, match="Line 2"):
        evaluate.load(path)


def test_the_table_fits_a_terminal(tmp_path):
    cases = [evaluate.Case("restart a", (Call("restart", {"deployment": "a"}),), False)]
    result = evaluate.score(cases, lambda _: understood(Call("list_jobs", {})), TOOLS)
    table = evaluate.table(result)
    assert "wrong tool" in table
    assert max(map(len, table.splitlines())) <= 80
