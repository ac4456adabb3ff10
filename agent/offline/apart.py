"""A part of a message that surely asks alone for what the whole seems to ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from agent.offline import speech
from agent.offline.mention import Mention
from agent.offline.segment import clauses, sentences
from agent.offline.step import Step, concedes, stands
from agent.offline.text import Span, Text

Read: TypeAlias = "Callable[[Text, Sequence[Mention], Span], Step]"
"""Reads a stretch of a message as one request."""


def clause(read: Read, step: Step) -> Step | None:
    """``the fan is replaced, let NAME take pods again``: the report beside it is none of it."""
    text, mentions = step.material.text, step.material.mentions
    pieces = clauses(text.low, mentions)
    if len(pieces) < 2:
        return None
    for piece in reversed(pieces):
        alone = read(text, mentions, piece.span)
        if alone.parse.label != step.parse.label or alone.parse.bare or concedes(alone):
            continue
        if stands(alone):
            return alone
    return None


def sentence(read: Read, step: Step) -> Step | None:
    """``I left it on when I moved. Remove staging from NAME``: nothing is bound to the move.

    Nothing where another sentence may forbid or bind what this one asks for.
    """
    text, mentions = step.material.text, step.material.mentions
    spans = sentences(text.low, mentions)
    for number, span in enumerate(spans if len(spans) > 1 else ()):
        alone = read(text, mentions, span)
        same = alone.parse.label == step.parse.label and not alone.parse.bare
        if not same or not stands(alone) or alone.parse.filled.args != step.parse.filled.args:
            continue
        others = [text.low[s.start : s.end] for s in (*spans[:number], *spans[number + 1 :])]
        return None if any(speech.governs(other) for other in others) else alone
    return None
