"""Is a change asked for? The model's confidence and the grammar of the sentence must agree."""

from __future__ import annotations

from enum import StrEnum

from agent.offline import speech
from agent.offline.parse import Parse
from agent.offline.speech import Act

QUIET = ("@negated", "@statement", "@explain", "@scope", "@thanks", "@greeting", "@about", "@help")
"""Kinds of messages that ask for nothing."""
_PLAINLY, _QUESTION, _TOLD = 0.7, 0.85, 0.996
"""Share a change needs in an order, in a question, and in what sounds like telling or wondering."""
_BOUND, _LATER = 0.4, 0.005
"""Share of ``@conditional`` that counts alone, and one that counts beside a time to come."""
_USUAL = 0.1
"""Share of conditions among the requests for a tool from which one more is no condition."""


class Verdict(StrEnum):
    """What may be done about a reading as a change."""

    PROPOSE = "propose"
    ASK = "ask"
    """It may be meant; a person should say so."""
    WAIT = "wait"
    """It is bound to something to come, for which nothing can wait here."""
    EXPLAIN = "explain"
    """A question about such changes."""
    NOTE = "statement"
    """Somebody only tells."""


def verdict(parse: Parse, low: str, timed: bool) -> Verdict:
    """Judge a change; ``low`` is the clause that asks; ``timed`` tools take a time or a text."""
    share, reading = parse.share, parse.reading
    if _waits(parse, low, timed):
        return Verdict.WAIT
    if parse.act is Act.GENERAL:
        return Verdict.EXPLAIN
    if parse.act is Act.STATEMENT and reading.share("@statement") > 0.1:
        return Verdict.NOTE
    if parse.act is Act.HEDGED or (parse.bare and share < _QUESTION):
        return Verdict.ASK
    least = _LEAST.get(parse.act, _PLAINLY)
    enough = share >= least and reading.within(QUIET) <= 1.0 - least
    return Verdict.PROPOSE if enough else Verdict.ASK


_LEAST = {Act.QUESTION: _QUESTION, Act.STATEMENT: _TOLD}


def _waits(parse: Parse, low: str, timed: bool) -> bool:
    bound = parse.reading.share("@conditional")
    if parse.awaited or bound >= _BOUND:
        return True
    if timed or parse.worded.get("condition", 0.0) >= _USUAL:
        return False
    if parse.act is Act.CONDITION or speech.conditional(low):
        return True
    return speech.later(low) and bound >= _LATER
