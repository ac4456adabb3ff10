"""One request for several things, each with values of its own: ``mute A 20 min, B 2 hours``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from agent.offline import speech
from agent.offline.fill import Filled, Material
from agent.offline.mention import Mention
from agent.offline.step import THINGS, Fill, Step
from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_LEADS = (*THINGS, "path")
"""Kinds of mentions of which every row has its own."""
_VALUES = ("window", "fraction", "count", "points")
_JOINT = compiled(
    r"(?:\s*(?:[,;&+/]|,?\s*\b(?:and|plus|as well as)\b|[和与跟及同]|以及|还有)\s*|\s+)(?:the |for |of )?"
)
_WITHIN = compiled(r"[^,;.!?]{0,8}")
"""What may stand between the values of one row."""
_TOGETHER = compiled(r"\b(?:both|all|each)\b|都|全|俩|仨|分别|[两三四]个|一起|一并")
_LIKELY = 0.3
"""How likely a message makes several requests, for rows of one value each."""
_MOST = 5


def rows(fill: Fill, whole: Step) -> list[Step]:
    """The request once for each row; nothing when it has no place for just one value a row."""
    tool, text = whole.parse.tool, whole.material.text
    if tool is None or speech.negated(whole.low):
        return []
    found = _cut(text.low, whole)
    if not found:
        return []
    shared, cut = found
    single = all(len(row) == 1 for row in cut)
    files = single and cut[0][0].kind == "path"
    if (
        single
        and not files
        and whole.parse.reading.several < _LIKELY
        and not _TOGETHER.search(text.low)
    ):
        return []
    steps: list[Step] = []
    for row in cut:
        others = [_span(other) for other in cut if other is not row]
        own = sorted((*shared, *row), key=lambda m: m.span.start)
        material = Material(text.without(others), tuple(own), whole.material.around)
        filled = fill(tool, material)
        if filled.missing or filled.ambiguous or _left(filled):
            return []
        parse = replace(whole.parse, filled=filled)
        steps.append(Step(parse, material, _span(row)))
    told = [tuple(s.parse.filled.args.items()) for s in steps]
    return steps if all(told.count(one) == 1 for one in told) else []


def _left(filled: Filled) -> list[str]:
    return [m.kind for m in filled.unused if m.kind in _LEADS]


def _cut(low: str, whole: Step) -> tuple[list[Mention], list[list[Mention]]] | None:
    """What all rows share, and the rows: each begins with the same kind of mention."""
    unused = _left(whole.parse.filled)
    said = [m for m in whole.material.mentions if m.kind in (*_LEADS, *_VALUES)]
    lead = next((m.kind for m in said if m.kind in unused), None)
    at = [n for n, m in enumerate(said) if m.kind == lead]
    each = len(at) - unused.count(lead or "")
    if each < 1 or len(at) % each or not 2 <= len(at) // each <= _MOST:
        return None
    starts = at[::each]
    cut = [said[a:b] for a, b in zip(starts, [*starts[1:], len(said)], strict=True)]
    before = {m.kind for row in cut[:-1] for m in row}
    after = [m for m in cut[-1] if m.kind not in before]
    cut[-1] = [m for m in cut[-1] if m.kind in before]
    joined = all(_JOINT.fullmatch(low[_span(a).end : b[0].span.start]) for a, b in pairwise(cut))
    tight = all(
        _WITHIN.fullmatch(low[m.span.end : n.span.start].strip())
        for row in cut
        for m, n in pairwise(row)
    )
    return ([*said[: starts[0]], *after], cut) if joined and tight else None


def _span(row: Sequence[Mention]) -> Span:
    return Span(row[0].span.start, row[-1].span.end)
