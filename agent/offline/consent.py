"""Is a change asked for? The model's confidence and the grammar of the sentence must agree."""

from __future__ import annotations

from enum import StrEnum

from agent.offline import speech
from agent.offline.parse import Parse
from agent.offline.speech import Act

QUIET = ("@negated", "@statement", "@explain", "@scope", "@thanks", "@greeting", "@about", "@help")
"""Kinds of messages that ask for nothing."""
_ORDER, _QUESTION = 0.7, 0.975
"""How likely a change must be asked for in an order, and in a question."""
_CERTAIN = 0.97
"""How likely, where grammar says that the sentence is about changes in general."""
_NOTED, _MEANT = 0.75, 0.5
"""How likely, lest a report, or a remark that lacks arguments, be taken for a request."""
_LEAST_SHARE = 0.5
"""Share of the change that is proposed among all readings."""
_BOUND, _LATER = 0.4, 0.005
"""Share of ``@conditional`` that counts alone, and one that counts beside a time to come."""
_SURELY, _SLIGHTLY = 0.4, 0.05
"""How likely a message asks for a change, and is bound to something, if one clause may ask alone."""
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
    asks, reading = parse.reading.change, parse.reading
    if parse.watched:
        return Verdict.PROPOSE
    if _waits(parse, low, timed):
        return Verdict.WAIT
    if parse.act is Act.GENERAL and asks < _CERTAIN:
        return Verdict.EXPLAIN
    doubted = asks < _NOTED or reading.share("@statement") > 0.1
    if parse.act is Act.STATEMENT and (doubted or speech.reports(low)):
        return Verdict.NOTE
    if parse.filled.missing and asks < _MEANT:
        return Verdict.NOTE
    if parse.bare:
        return Verdict.ASK
    if parse.act is Act.HEDGED or (parse.act is Act.STATEMENT and not parse.certain):
        return Verdict.ASK
    likely = min(parse.share, parse.solid)
    enough = asks >= _LEAST.get(parse.act, _ORDER) and likely >= _LEAST_SHARE
    return Verdict.PROPOSE if enough and reading.within(QUIET) <= 0.3 else Verdict.ASK


_LEAST = {
    Act.QUESTION: _QUESTION,
    Act.GENERAL: _CERTAIN,
}


def may_be_apart(parse: Parse, low: str) -> bool:
    """May one clause ask on its own, whatever the message as a whole sounds like?

    Never where a condition is made: that governs the clause that asks.
    """
    bound = parse.awaited or parse.act is Act.CONDITION or speech.conditional(low)
    bound = bound or speech.deferred(low)
    return not bound and parse.reading.change >= _SURELY and _conditional(parse) < _SLIGHTLY


def _conditional(parse: Parse) -> float:
    return parse.reading.share("@conditional")


def _waits(parse: Parse, low: str, timed: bool) -> bool:
    bound = _conditional(parse)
    if parse.awaited or bound >= _BOUND:
        return True
    if timed or parse.worded.get("condition", 0.0) >= _USUAL:
        return False
    if parse.act is Act.CONDITION or speech.conditional(low):
        return True
    if speech.deferred(low):
        return not (parse.certain and speech.presently(low))
    return speech.later(low) and bound >= _LATER
