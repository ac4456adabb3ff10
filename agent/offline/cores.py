"""Which clauses are requests: judged by their act, their likeness to phrases, their own names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.offline import speech
from agent.offline.features import masked
from agent.offline.fill import NAMES, Material
from agent.offline.parse import FAINT, SURE, Parse
from agent.offline.speech import Act
from agent.offline.text import Span

SOFTLY = 0.5
"""Similarity a clause after a mere comma or ``and`` needs to count as a request of its own."""


@dataclass(frozen=True, slots=True)
class Step:
    """A clause with its reading and the material its arguments come from."""

    parse: Parse
    material: Material
    span: Span
    hard: bool = True
    joint: str = ""
    """The word or mark that joins it to what is before."""
    core: str = ""
    """The clause that asks, folded and masked, without what stands around it."""


def acts(parse: Parse) -> bool:
    """A change plainly asked for; passing words on does not count, alerts are worded alike."""
    texts = parse.tool and any(p.word == "text" for p in parse.tool.parameters)
    return parse.changes and parse.sure and parse.similarity >= SOFTLY and not texts


def wanted(step: Step) -> bool:
    """Should this reading become a call (or a question about it) at all?"""
    parse = step.parse
    if parse.tool is None or parse.similarity < FAINT:
        return False
    if parse.act is Act.NEGATED:
        return excused(parse) or (not parse.changes and parse.similarity >= 0.7)
    if parse.act is Act.GENERAL:
        return not parse.changes and parse.similarity >= 0.55
    if parse.changes:
        return parse.act in (Act.REQUEST, Act.CONDITION, Act.HEDGED)
    return parse.act is not Act.STATEMENT


def excused(parse: Parse) -> bool:
    """Does the nearest declared phrase forbid in the same words (``do not notify about …``)?"""
    if parse.tool is None or not speech.negated(parse.phrase) or parse.similarity < SURE:
        return False
    if parse.refuses and not speech.refuses(parse.phrase):
        return False
    strange = parse.foreign and parse.similarity < 0.7
    return not strange and parse.anchor >= 0.3 and not parse.filled.missing


def forbids(parse: Parse) -> bool:
    """Is this a plain ``do not``?"""
    return parse.act is Act.NEGATED and not excused(parse)


def is_core(step: Step, first: bool) -> bool:
    """Is the clause a request or a question of its own?"""
    parse = step.parse
    if parse.tool is None or not parse.sure or parse.bare:
        return False
    if speech.subordinate(step.material.text.low) and parse.act is not Act.NEGATED:
        return False
    latin = [t for t in parse.tokens if t.isascii() and t != "?"]
    if len(parse.tokens) == 1 and latin and parse.similarity < 0.95:
        return False
    if not step.hard and not first and parse.similarity < SOFTLY and not own_name(step):
        return False
    if parse.act is Act.NEGATED:
        return excused(parse)
    if parse.act is Act.GENERAL:
        return not parse.changes and parse.similarity >= 0.6
    if not parse.changes and not first and not stands_alone(step):
        return False
    if parse.changes:
        names = [p for p in parse.filled.missing if p.word in NAMES]
        return parse.act is Act.REQUEST and not (names and not step.hard and not first)
    return parse.act in (Act.REQUEST, Act.QUESTION, Act.HEDGED)


def holds(step: Step) -> bool:
    """Does a change after a mere comma say enough by itself?"""
    parse = step.parse
    if any(p.word == "text" for p in parse.filled.missing):
        return False
    return own_name(step) or parse.similarity >= 0.8


def stands_alone(step: Step) -> bool:
    """Is a later question more than an echo of the one before it?"""
    parse = step.parse
    if any(p.word in NAMES for p in parse.filled.missing) and not step.hard:
        return False
    if not parse.filled.args:
        return "NAME" not in parse.tokens and parse.similarity >= (0.6 if step.hard else 0.75)
    return bool(step.material.mentions) or parse.similarity >= (0.5 if step.hard else 0.65)


def answered(step: Step, following: Sequence[Step]) -> bool:
    """``has anyone pruned it? check the versions``: the order says how to answer the question."""
    if not following or step.parse.act is not Act.QUESTION or step.parse.similarity >= 0.65:
        return False
    order = following[0]
    return order.parse.act is Act.REQUEST and not order.parse.changes and not own_name(order)


def own_name(step: Step) -> bool:
    """Does the clause name something itself?"""
    return any(m.kind == "name" for m in step.material.mentions)


def detail(step: Step) -> bool:
    """A fragment that can lend its typed pieces to the request beside it."""
    if step.parse.act in (Act.NEGATED, Act.STATEMENT, Act.CONDITION):
        return False
    low = masked(step.material.text.low, step.material.mentions)
    return not speech.declares(low)
