"""What is said of an argument that no tool takes: in words, in both languages, with the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from tools.catalog import by_name
from tools.errors import BadArguments

TOOLS = by_name()
FAULTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("scale", {"replicas": 4000}, "it must be at most 1000.", "最大为 1000。"),
    ("scale", {"replicas": "many"}, "it must be a whole number.", "必须是整数。"),
    ("prune_model", {"amount": 0}, "it must be above 0.0.", "必须大于 0.0。"),
    ("roll_out", {"strategy": "yolo"}, "choose 'rolling', 'canary' or", "可选："),
    ("gpu_status", {"gpu": 1.5}, "it must be a whole number.", "必须是整数。"),
    ("gpu_status", {"card": 1}, "no argument 'card' (it takes: gpu", "没有参数 'card'"),
    ("scale", {}, "scale needs replicas", "scale 需要参数 replicas"),
]


@pytest.mark.parametrize(("tool", "args", "en", "zh"), FAULTS)
def test_a_wrong_argument_is_told_in_words(
    tool: str, args: dict[str, Any], en: str, zh: str
) -> None:
    needed = {"deployment": "ranker", "model": "ranker", "version": "1"}
    given = {p.name: needed[p.name] for p in TOOLS[tool].parameters if p.name in needed}
    with pytest.raises(BadArguments) as refused:
        TOOLS[tool].arguments({**given, **args})
    assert en in refused.value.en
    assert zh in refused.value.zh
    assert "Input should" not in refused.value.en
