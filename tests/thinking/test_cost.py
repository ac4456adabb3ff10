"""What a request to the model costs, counted with a real tokenizer over the real catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.bootstrap import App
from agent.disclosure import Disclosure
from agent.events import Actor, Message
from agent.settings import ModelSettings, Settings
from tests.thinking.endpoint import says, serving
from tools.catalog import TOOLS

pytest.importorskip("tiktoken")

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


def test_every_tool_can_be_found_by_asking_for_it() -> None:
    tools = {t.name: t for t in TOOLS}
    index = Disclosure(tools)
    missed = [
        name
        for name, tool in tools.items()
        if name not in index.rank(tool.summary, 8) or name not in index.rank(tool.phrases.zh[0], 12)
    ]
    assert missed == []
