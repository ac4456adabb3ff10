"""Where each argument stands in its tool's phrases: the words right before and after its hole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from agent.offline import examples
from agent.offline.declared import Label
from agent.offline.text import HAN, fold

Cue: TypeAlias = "list[dict[str, int]]"
"""Words before, words after, each with how often."""
Cues: TypeAlias = "dict[str, dict[str, Cue]]"
"""Tool → argument → cue."""

_WORD = re.compile(rf"\{{\w+\}}|[a-z0-9]+(?:'[a-z]+)?|[{HAN}]|[:,]")
NONE: Cue = [{}, {}]


def collect(labels: Sequence[Label]) -> Cues:
    """The neighbours of every argument of every tool."""
    return {item.name: _cues(item) for item in labels if item.parameters}


def _cues(item: Label) -> dict[str, Cue]:
    found = {p.name: (Counter[str](), Counter[str]()) for p in item.parameters}
    for phrase in examples.every(item.name, item.phrases):
        parts = _WORD.findall(fold(phrase))
        for i, part in enumerate(parts):
            cue = found.get(part[1:-1]) if part.startswith("{") else None
            if cue is None:
                continue
            cue[0][_plain(parts[i - 1]) if i else "^"] += 1
            cue[1][_plain(parts[i + 1]) if i + 1 < len(parts) else "$"] += 1
    return {name: [dict(before), dict(after)] for name, (before, after) in found.items()}


def _plain(part: str) -> str:
    return "{}" if part.startswith("{") else part


def before(cue: Sequence[Mapping[str, int]], low: str, start: int) -> int:
    """How often the argument follows the word before this place."""
    left: Sequence[str] = _WORD.findall(low[max(0, start - 24) : start])
    return cue[0].get(left[-1] if left else "^", 0)


def fit(cue: Sequence[Mapping[str, int]], low: str, start: int, end: int) -> float:
    """How well a place in the text suits an argument: 0 (no sign) to 2 (both sides seen)."""
    left: Sequence[str] = _WORD.findall(low[max(0, start - 24) : start])
    right: Sequence[str] = _WORD.findall(low[end : end + 24])
    before = cue[0].get(left[-1] if left else "^", 0)
    after = cue[1].get(right[0] if right else "$", 0)
    return min(1.0, before / 2) + min(1.0, after / 2)
