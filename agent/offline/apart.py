"""A part of a message that asks alone, whatever the whole seems to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeAlias

from agent.offline import speech
from agent.offline.mention import Mention
from agent.offline.parse import SURE
from agent.offline.segment import Clause, clauses, sentences
from agent.offline.speech import Act
from agent.offline.step import SURELY, Step, alike, concedes, stands
from agent.offline.text import Span, Text

Read: TypeAlias = "Callable[[Text, Sequence[Mention], Span], Step]"
"""Reads a stretch of a message as one request."""


_SAID = 0.005
"""How likely a clause that forbids must name a deed to forbid that one."""
_PUT_OFF = 0.3
"""Share of a condition from which a time to come puts off what a clause asks."""


def beside(read: Read, whole: Step, pieces: Sequence[Clause]) -> Step | None:
    """The last clause that surely asks although the message as a whole seems not to."""
    if len(pieces) < 2 or whole.parse.share >= SURELY:
        return None
    text, mentions, label = whole.material.text, whole.material.mentions, whole.parse.label
    low, conditional = text.low, whole.parse.reading.share("@conditional")
    # A condition governs all clauses, and so may a time to come.
    put_off = conditional >= _PUT_OFF and (speech.deferred(low) or speech.later(low))
    bound = put_off or speech.conditional(low)
    hard = {c.span for c in pieces if c.hard or label == "@negated"}
    # What comes before "after that" only says when: ``NAME 上线之后客诉少了``.
    when = {c.span for c, after in pairwise(pieces) if after.joint.strip().startswith("之后")}
    sure = [
        s
        for s in _spared([read(text, mentions, c.span) for c in pieces])
        if stands(s, s.span in hard) and not (bound and s.parse.changes) and s.span not in when
    ]
    return sure[-1] if sure else None


def presently(
    read: Read, text: Text, mentions: Sequence[Mention], pieces: Sequence[Clause]
) -> Step | None:
    """``it gets a new disk tomorrow, drain it right now``: nothing waits for the disk."""
    if len(pieces) < 2 or speech.conditional(text.low) or speech.awaits(text.low):
        return None
    for piece in pieces:
        step = read(text, mentions, piece.span)
        asked = step.parse.changes and step.parse.act is Act.REQUEST and not step.parse.bare
        if asked and step.parse.share >= SURE and speech.presently(step.low):
            return step
    return None


def unforbidden(read: Read, whole: Step, pieces: Sequence[Clause]) -> Step | None:
    """``don't restart it, roll it back``: the clause that asks, without the one that forbids."""
    if len(pieces) < 2:
        return None
    text, mentions = whole.material.text, whole.material.mentions
    steps = [read(text, mentions, c.span) for c in pieces]
    free = [s for s in _spared(steps) if stands(s) and not speech.negated(s.low)]
    return free[-1] if free else None


def _spared(steps: Sequence[Step]) -> list[Step]:
    """The clauses that ask, without those whose deed another forbids, or takes back afterwards."""
    back = [(n, s, _deed(s)) for n, s in enumerate(steps) if speech.retracts(s.low)]
    return [
        s
        for at, s in enumerate(steps)
        if s.parse.tool and not s.parse.bare
        if not any(
            alike(b, s) and (deed == s.parse.label or (deed is None and at < n))
            for n, b, deed in back
        )
    ]


def _deed(step: Step) -> str | None:
    """The deed that a clause forbids by its name, if it names one."""
    if step.parse.tool:
        return step.parse.label
    reading = step.parse.reading
    named = next((name for name, _ in reading.shares if not name.startswith("@")), "")
    return named if reading.share(named) >= _SAID else None


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
