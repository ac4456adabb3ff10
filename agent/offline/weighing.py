"""What a piece of a message is worth as a request of its own."""

from __future__ import annotations

from dataclasses import replace

from agent.offline import references, speech
from agent.offline.fill import NAMES
from agent.offline.parse import SURE
from agent.offline.speech import Act
from agent.offline.splitting import Piece
from agent.offline.step import NAMING, Step, idles, named, stands
from agent.offline.text import pattern as compiled

_NAMED_FIRST = compiled(r"^\W*(?:NAME|gpu NUM)\s*[:,-]\s*")
"""``NAME: list versions``."""
_LIKE_BEFORE, _EMPTY = 0.8, 0.02
"""What a clause is worth that only names something, and one that says nothing at all."""
_IDLE_NAME, _DOUBTFUL = 0.1, 0.3
"""What a piece loses by each name that its request has no place for, and where something is missing."""
_FIRMLY, _LOOKS = 0.97, 0.99
"""How likely a piece asks for a change, and to look, to count for a request of its own whatever the whole sounds like."""
_PLAINLY = 0.95
"""How likely a request must be that leaves its name to what was said before."""
_LIKELY, _AT_ALL, _UNTOLD = 6, 0.002, 0.1
"""Requests of pieces should be among the likeliest labels of the whole; else they count less."""
_HARDLY_ASKED = 0.1
"""How likely the whole message asks for a change, below which none of its pieces surely does."""
_UNLIKELY, _NEVER = 0.05, 0.001
"""How likely a message must make several requests, and this one, for a change without a name."""
_SWALLOWED = 0.1
"""What is left of a piece that would swallow what surely is a request of its own."""


def weigh(step: Step, whole: Step, swallows: bool) -> Piece:
    """A piece in the light of the whole message: its likely labels, how many requests it makes."""
    piece, changes, reading = worth_of(step), step.parse.changes, whole.parse.reading
    likely = [label for label, share in reading.shares[:_LIKELY] if share >= _AT_ALL]
    if swallows:
        piece = replace(piece, share=piece.share * _SWALLOWED)
    unlikely = reading.several < _UNLIKELY or reading.share(step.parse.label) < _NEVER
    if changes and unlikely and not named(step):
        piece = replace(piece, firm=False)
    told = step.parse.bare or step.parse.tool is None or step.parse.label in likely or piece.firm
    if changes and reading.change < _HARDLY_ASKED:
        told, piece = False, replace(piece, firm=False)
    return piece if told else Piece(piece.share * _UNTOLD, piece.asks)


def worth_of(step: Step) -> Piece:
    """How well a piece of a message stands on its own."""
    parse = step.parse
    idle_names = idles(step)
    if parse.bare or speech.same_again(step.low) or speech.timing(step.low):
        return Piece(
            (_LIKE_BEFORE if named(step) else _EMPTY) * _IDLE_NAME**idle_names, named(step)
        )
    plainly = parse.solid >= _FIRMLY and not speech.declares(step.low)
    asks = plainly and stands(step) if parse.changes else _looks(step)
    firm = asks and not parse.filled.missing
    doubtful = parse.tool is not None and (_lacks(step) or parse.share < SURE)
    share = parse.solid * (_DOUBTFUL if doubtful else 1.0) * _IDLE_NAME**idle_names
    return Piece(share, parse.tool is not None, firm)


def _lacks(step: Step) -> bool:
    """Is an argument missing that nothing before it in the message gives: ``then check its logs``?"""
    missing = step.parse.filled.missing
    earlier = any(m.kind in NAMING for m in step.material.around)
    pointed = earlier and (references.points(step.low) or step.parse.solid >= _PLAINLY)
    return bool(missing) and not (pointed and all(p.word in NAMES for p in missing))


def _looks(step: Step) -> bool:
    """Does a piece surely ask to look at something, and not just describe what is to be changed?"""
    low, act = _NAMED_FIRST.sub("", step.low), step.parse.act
    asked = act is Act.QUESTION or (
        act is Act.REQUEST and (speech.orders(low) or speech.looks(low))
    )
    return step.parse.tool is not None and asked and step.parse.solid >= _LOOKS
