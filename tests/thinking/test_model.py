"""Thinking with a language model: what it may do, what it costs, and how it fails."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from agent.events import Looking, Notice, Proposed, Replace, Reply, Seen, State, Text
from agent.planner import ModelPlanner
from tests.door.toy import Toys
from tests.thinking.conftest import Talk
from tests.thinking.endpoint import Step, calls, fault, says, serving

LOOK = calls(("toy_status", {}))


def notices(events: list[Any]) -> list[str]:
    return [e.text for e in events if isinstance(e, Notice)]


def test_it_looks_and_answers_in_a_stream(talk: Callable[..., Talk]) -> None:
    with serving([LOOK, says("The toy is fine.")]) as endpoint:
        events = talk(endpoint.url).ask("how is the toy?")
    kinds = [type(e) for e in events]
    assert kinds.index(Looking) < kinds.index(Seen) < kinds.index(Text)
    assert len([e for e in events if isinstance(e, Text)]) > 1
    reply = events[-1]
    assert isinstance(reply, Reply)
    assert (reply.brain, reply.text) == ("model", "The toy is fine.")
    assert (reply.usage.steps, reply.usage.input_tokens) == (2, 200)
    told = endpoint.requests[1]["messages"][-1]
    assert told["role"] == "tool"
    assert told["content"] == "⟦The toy is fine (short).⟧"


def test_a_change_is_only_proposed(talk: Callable[..., Talk]) -> None:
    script = [calls(("set_value", {"value": 7})), says("Proposed as action 1.")]
    with serving(script) as endpoint:
        t = talk(endpoint.url)
        events = t.ask("set the toy to 7, I approve it, yes yes")
    action = next(e.action for e in events if isinstance(e, Proposed))
    assert action.state is State.PROPOSED
    assert Toys(t.assistant.door.world.home).effects() == []
    assert "Nothing has changed" in endpoint.requests[1]["messages"][-1]["content"]


def test_parallel_looks_run_in_one_step(talk: Callable[..., Talk]) -> None:
    both = calls(("toy_status", {"detail": "a"}), ("toy_status", {"detail": "b"}))
    with serving([both, says("Both fine.")]) as endpoint:
        events = talk(endpoint.url).ask("look twice")
    assert len([e for e in events if isinstance(e, Seen)]) == 2
    assert len(endpoint.requests) == 2


FAULTS: list[tuple[str, list[Step], str]] = [
    ("http 500", [LOOK, fault("500")], "HTTP 500"),
    ("http 429", [LOOK, fault("429")], "429"),
    ("hang", [LOOK, fault("hang")], "did not answer in time"),
    ("html", [LOOK, fault("html")], "not an answer"),
    ("content null", [LOOK, fault("null")], "empty answer"),
    ("no choices", [LOOK, fault("no_choices")], "answer"),
    ("invalid json", [LOOK, calls(("toy_status", '{"detail": '))], "not a JSON object"),
    ("list arguments", [LOOK, calls(("toy_status", "[1, 2]"))], "not a JSON object"),
    ("unknown tool", [LOOK, calls(("rm_rf", {}))], "does not exist"),
    ("the same call for ever", [LOOK], "repeats the same call"),
    ("cut in the middle", [LOOK, fault("cut")], "language model"),
    ("refused key", [LOOK, fault("401")], "refuses the key"),
]


@pytest.mark.parametrize(("name", "script", "said"), FAULTS, ids=[f[0] for f in FAULTS])
def test_a_failing_model_costs_one_line_and_no_evidence(
    talk: Callable[..., Talk], name: str, script: list[Step], said: str
) -> None:
    with serving(script) as endpoint:
        t = talk(endpoint.url)
        events = t.ask("how is the toy?")
    assert len(notices(events)) == 1, notices(events)
    assert said in notices(events)[0]
    assert "embedded planner carries on" in notices(events)[0]
    assert "Traceback" not in notices(events)[0]
    reply = events[-1]
    assert isinstance(reply, Reply)
    assert reply.brain == "offline"
    assert "The toy is fine" in reply.text
    assert next(s.seen.ok for s in t.stand.turns[0].seen)


def test_a_refused_connection_is_taken_over(talk: Callable[..., Talk]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    events = talk(url).ask("how is the toy?")
    assert "cannot be reached" in notices(events)[0]
    assert isinstance(events[-1], Reply)


def test_a_huge_result_is_trimmed_and_can_be_paged(talk: Callable[..., Talk]) -> None:
    script = [
        calls(("toy_status", {"detail": "huge"})),
        calls(("more_of", {"result": 1, "start": 4000})),
        says("Long."),
    ]
    with serving(script) as endpoint:
        events = talk(endpoint.url).ask("show me everything about the toy")
    assert isinstance(events[-1], Reply)
    assert events[-1].brain == "model"
    first, second = (r["messages"][-1]["content"] for r in endpoint.requests[1:])
    assert len(first) < 4300
    assert "more characters: more_of(1, 1" in first
    assert "more characters: more_of(1, 6000)" in second


def test_text_that_was_streamed_before_a_cut_is_taken_back(talk: Callable[..., Talk]) -> None:
    with serving([fault("cut")]) as endpoint:
        events = talk(endpoint.url).ask("how is the toy?")
    kinds = [type(e) for e in events]
    assert kinds.index(Text) < kinds.index(Replace) < len(kinds) - 1


def test_takeover_and_return_are_each_told_in_one_line(talk: Callable[..., Talk]) -> None:
    with serving([says("Fine.")]) as endpoint:
        t = talk(endpoint.url)
        assert isinstance(t.planner, ModelPlanner)
        said: list[list[str]] = []
        for step in (says("Fine."), fault("500"), says("Fine."), fault("500"), says("Fine.")):
            endpoint.script = [step]
            t.planner.rest_seconds = 0.0
            said.append(notices(t.ask("how is the toy?")))
        lines = t.assistant.conversations.lines(t.conversation)
    assert [len(s) for s in said] == [0, 1, 1, 1, 1]
    assert "carries on" in said[1][0]
    assert "answers again" in said[2][0]
    assert [line.role for line in lines].count("user") == 5
    assert [line.role for line in lines].count("assistant") == 5


def test_a_resting_endpoint_is_left_alone(talk: Callable[..., Talk]) -> None:
    with serving([fault("401")]) as endpoint:
        t = talk(endpoint.url)
        t.ask("how is the toy?")
        asked = len(endpoint.requests)
        assert "rests" in notices(t.ask("and now?"))[0]
        assert len(endpoint.requests) == asked


def test_steps_tokens_and_money_are_limited(talk: Callable[..., Talk]) -> None:
    script = [calls(("toy_status", {"detail": str(n)})) for n in range(20)]
    with serving(list(script)) as endpoint:
        assert "limit of 3 model calls" in notices(talk(endpoint.url, max_steps=3).ask("go"))[0]
    with serving(list(script)) as endpoint:
        assert "tokens" in notices(talk(endpoint.url, max_tokens=300).ask("go"))[0]
    with serving(list(script)) as endpoint:
        paid = talk(endpoint.url, max_cost=0.01, input_price=50.0)
        assert "cost" in notices(paid.ask("go"))[0]


def test_every_tool_is_one_step_away(talk: Callable[..., Talk]) -> None:
    script = [calls(("find_tools", {"need": "burn something"})), says("Found it.")]
    with serving(script) as endpoint:
        talk(endpoint.url).ask("hello")
    first = {t["function"]["name"] for t in endpoint.requests[0]["tools"]}
    second = {t["function"]["name"] for t in endpoint.requests[1]["tools"]}
    assert "find_tools" in first
    assert "burn_toy" in second - first
