"""What a request to the model costs, counted with a real tokenizer over the real catalogue."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.assistant import Assistant
from agent.bootstrap import App
from agent.conversations import Conversations
from agent.disclosure import Disclosure
from agent.events import Actor, Message, Reply
from agent.history import ROOM, Piece, fitted, tokens
from agent.planner import ModelPlanner
from agent.settings import ModelSettings, Settings
from agent.toolbox import Toolbox
from tests.door.toy import TOYS, make_door
from tests.support import make_world
from tests.thinking.conftest import Said, Stand
from tests.thinking.endpoint import Step, calls, says, serving
from tools.catalog import TOOLS
from tools.contract import reading
from tools.fleet import Fleet
from tools.words import Text as Word

pytest.importorskip("tiktoken")

TOOLS_BY_NAME = {t.name: t for t in TOOLS}
ASKED = (
    "why is the ranker slow?",
    "prune digits by 40 % and roll it out as a canary",
    "digits 为什么变慢了？帮我看看 GPU",
    "drain gpu-node-07 and silence HighErrorRate for 2h",
    "set an alert when p95 latency of ranker is above 200 ms for 5 minutes",
)


@pytest.fixture
def first_requests(tmp_path: Path) -> Iterator[list[dict[str, Any]]]:
    with serving([says("Fine.")]) as endpoint:
        settings = Settings(
            tmp_path, None, None, ModelSettings("m", endpoint.url, "k"), "ana", False
        )
        app = App(settings)
        for number, text in enumerate(ASKED):
            message = Message(f"c{number}", "m", Actor("ana", "terminal"), text, datetime.now(UTC))
            list(app.assistant.handle(message))
        yield endpoint.requests


def test_a_first_request_stays_under_3000_tokens(first_requests: list[dict[str, Any]]) -> None:
    from tests.thinking.tokens import count

    counts = [count({"messages": r["messages"], "tools": r["tools"]}) for r in first_requests]
    assert len(counts) == len(ASKED)
    assert max(counts) <= 3000, counts


def test_the_prefix_is_stable(first_requests: list[dict[str, Any]]) -> None:
    assert len({r["messages"][0]["content"] for r in first_requests}) == 1


def log_lines(seed: int, characters: int = 60_000) -> str:
    """What a model server writes: times, levels, identities, numbers, paths, a trace here and there."""
    luck = random.Random(seed)
    at = datetime(2026, 11, 28, 3, tzinfo=UTC)
    lines: list[str] = []
    size = 0
    while size < characters:
        at += timedelta(milliseconds=luck.randrange(5, 900))
        words = luck.choice(
            (
                f"INFO served v{luck.randrange(1, 9)} in {luck.uniform(3, 90):.1f} ms, status 200",
                f"WARNING queue {luck.randrange(400)} of 512, request {luck.getrandbits(64):016x}",
                f"ERROR CUDA out of memory: tried to allocate {luck.uniform(1, 9):.2f} GiB",
                f'ERROR File "/srv/app/serve.py", line {luck.randrange(900)}, in predict',
                "信息：模型已加载，等待请求",
            )
        )
        lines.append(f"{at.isoformat(timespec='milliseconds')} ranker-{luck.randrange(4)} {words}")
        size += len(lines[-1]) + 1
    return "\n".join(lines)


LOGS = [log_lines(seed) for seed in range(4)]


@reading(TOOLS_BY_NAME["read_logs"].phrases)
def read_logs(world: Any, deployment: Word) -> Said:
    """Newest log lines of a deployment or job."""
    return Said(LOGS[len(deployment) % len(LOGS)])


def requests_of(
    tmp_path: Path, script: list[Step], messages: Sequence[str]
) -> list[dict[str, Any]]:
    """What the model was sent for these messages of one conversation."""
    with serving(script) as endpoint:
        world = make_world(tmp_path)
        toolbox = Toolbox(
            {**TOOLS_BY_NAME, **TOYS, "read_logs": read_logs}, world, make_door(world)
        )
        settings = ModelSettings("m", endpoint.url, "k", max_tokens=10**9, max_steps=50)
        planner = ModelPlanner(settings, Stand([]), Fleet(path=None), tmp_path)
        conversations = Conversations(world.store, world.clock)
        assistant = Assistant(toolbox.door, conversations, toolbox, lambda: planner)
        for number, text in enumerate(messages):
            message = Message("c", f"m{number}", Actor("ana", "terminal"), text, datetime.now(UTC))
            reply = list(assistant.handle(message))[-1]
            assert isinstance(reply, Reply)
            assert reply.brain == "model"
        return endpoint.requests


def logs_of(*names: str) -> Step:
    return calls(*(("read_logs", {"deployment": name}) for name in names))


NAMES = [f"ranker{'-' * n}{n}" for n in range(12)]
DONE = says("It waits for the queue: 512 requests at 03:12, then CUDA out of memory on ranker-2.")
ONE_BY_ONE = [logs_of(name) for name in NAMES]
LONG: dict[str, tuple[list[Step], list[str]]] = {
    "in a turn each": (
        [step for look in ONE_BY_ONE for step in (look, DONE)],
        ["what do its logs say?"] * 12,
    ),
    "in one turn": ([*ONE_BY_ONE, DONE], ["why is the ranker slow?"]),
    "side by side": ([logs_of(*NAMES), DONE], ["why is the ranker slow?"]),
    "for forty turns": (
        [step for _ in range(40) for step in (logs_of("ranker"), DONE)],
        [f"and now ({n})? 现在呢？" for n in range(40)],
    ),
}


@pytest.mark.parametrize("how", LONG)
def test_a_step_costs_no_more_after_twelve_results_of_60_kb(tmp_path: Path, how: str) -> None:
    from tests.thinking.tokens import count

    assert min(len(text) for text in LOGS) >= 60_000
    sent = requests_of(tmp_path, *LONG[how])
    costs = [count({"messages": r["messages"], "tools": r["tools"]}) for r in sent]
    assert len(costs) >= 2
    assert costs[0] <= 3000
    assert max(costs) <= 1.5 * costs[0], costs


def test_decisions_and_numbers_outlive_evidence(tmp_path: Path) -> None:
    script = [calls(("set_value", {"value": 7})), DONE, *LONG["in a turn each"][0]]
    sent = requests_of(tmp_path, script, ["set the toy to 7", *LONG["in a turn each"][1]])
    told = json.dumps(sent[-1]["messages"], ensure_ascii=False)
    assert "Proposed as action 1" in told
    assert f"[looked read_logs(deployment={NAMES[-2]})]" in told
    assert "more_of(12, " in told
    assert f"[looked read_logs(deployment={NAMES[0]})]" not in told


def test_any_part_of_any_result_can_be_read_again(tmp_path: Path) -> None:
    name = NAMES[0]
    text = LOGS[len(name) % len(LOGS)]
    pages = [calls(("more_of", {"result": 1, "start": start})) for start in (30_000, 59_000)]
    sent = requests_of(tmp_path, [logs_of(name), DONE, *pages, DONE], ["look", "and the rest?"])
    for request, start in zip(sent[-2:], (30_000, 59_000), strict=True):
        assert text[start : start + 400] in request["messages"][-1]["content"]
    assert text[-100:] in sent[1]["messages"][-1]["content"]  # of a log, the end counts


@given(
    st.lists(st.tuples(st.sampled_from(["decision", "words", "evidence"]), st.text()), max_size=60)
)
def test_what_is_fitted_keeps_to_its_room(told: list[tuple[Any, str]]) -> None:
    given_ = [Piece(kind, text, label="[event] ") for kind, text in told]
    texts = fitted(given_, ROOM)
    assert sum(tokens(text) + 6 for text in texts if text is not None) <= ROOM
    decisions = [t for p, t in zip(given_, texts, strict=True) if p.kind == "decision"]
    assert decisions[-1:] != [None]


def test_the_count_is_near_a_real_one() -> None:
    from tests.thinking.tokens import count

    for text in (*LOGS, Path("README.md").read_text(), Path("agent/door.py").read_text()):
        assert 0.9 <= tokens(text) / count(text) <= 1.6


def test_every_tool_can_be_found_by_asking_for_it() -> None:
    tools = {t.name: t for t in TOOLS}
    index = Disclosure(tools)
    missed = [
        name
        for name, tool in tools.items()
        if name not in index.rank(tool.summary, 8) or name not in index.rank(tool.phrases.zh[0], 12)
    ]
    assert missed == []
