"""Where each argument stands in its tool's phrases: the words right before and after its hole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.offline.examples import all_phrases
from agent.offline.text import HAN, fold
from tools.contract import Tool

_WORD = re.compile(rf"\{{\w+\}}|[a-z0-9]+(?:'[a-z]+)?|[{HAN}]|[:,]")


def _counter() -> Counter[str]:
    return Counter()


@dataclass(slots=True)
class Cue:
    """Neighbours of one argument, with how often."""

    before: Counter[str] = field(default_factory=_counter)
    after: Counter[str] = field(default_factory=_counter)


def cues(tool: Tool) -> dict[str, Cue]:
    """The neighbours of every argument of a tool."""
    found = {p.name: Cue() for p in tool.parameters}
    phrases = all_phrases(tool.name, tool.phrases)
    for phrase in (*phrases.en, *phrases.zh):
        parts = _WORD.findall(fold(phrase))
        for i, part in enumerate(parts):
            cue = found.get(part[1:-1]) if part.startswith("{") else None
            if cue is None:
                continue
            cue.before[_plain(parts[i - 1]) if i else "^"] += 1
            cue.after[_plain(parts[i + 1]) if i + 1 < len(parts) else "$"] += 1
    return found


def _plain(part: str) -> str:
    return "{}" if part.startswith("{") else part


def neighbours(low: str, start: int, end: int) -> tuple[str, str]:
    """The word before and the word after a range of a folded text."""
    before: Sequence[str] = _WORD.findall(low[max(0, start - 24) : start])
    after: Sequence[str] = _WORD.findall(low[end : end + 24])
    return (before[-1] if before else "^", after[0] if after else "$")


def fit(cue: Cue, low: str, start: int, end: int) -> float:
    """How well a place in the text suits an argument: 0 (no sign) to 2 (both sides seen)."""
    before, after = neighbours(low, start, end)
    return min(1.0, cue.before[before] / 2) + min(1.0, cue.after[after] / 2)
