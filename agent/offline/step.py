"""One request of a message, and how well it stands on its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from agent.offline import speech
from agent.offline.fill import Filled, Material
from agent.offline.parse import Parse
from agent.offline.speech import Act
from agent.offline.text import Span
from agent.offline.wording import masked
from tools.contract import Parameter, Tool

Fill: TypeAlias = "Callable[[Tool, Material], Filled]"
"""Fills the arguments of a tool."""
SURELY = 0.9
"""Share from which a clause counts whatever stands beside it."""
NAMING = ("name", "gpu", "xid", "action")
"""Kinds of mentions that name something."""
THINGS = (*NAMING, "metric", "version", "alias", "sample")
"""Kinds of mentions that a call may be about."""
_PLAINLY = 0.94
"""How likely a change is asked for, to believe that it is only worded like a refusal."""
_HARDLY = 0.05
_ASKED_IF, _ALIKE = {Act.REQUEST: 0.95, Act.QUESTION: 0.98}, 0.6
"""How likely a clause asks for a change, and for which, to count beside one that asks for none."""
_USUAL = 0.035
"""Share of the requests for a tool that sound like a refusal, from which one more is believed."""


@dataclass(frozen=True, slots=True)
class Step:
    """A request with its reading and the material its arguments come from."""

    parse: Parse
    material: Material
    span: Span

    @property
    def low(self) -> str:
        """The words that ask, folded and masked."""
        return masked(self.material.text.low, self.material.mentions)


def stands(step: Step, hard: bool = True) -> bool:
    """Does a clause surely ask for something on its own, whatever stands beside it?"""
    parse = step.parse
    if parse.changes:
        least = _ASKED_IF.get(parse.act, 1.0)
        return parse.reading.change >= least and parse.share >= _ALIKE
    return hard and parse.share >= SURELY


def concedes(step: Step) -> bool:
    """Does a piece only say how many points are, or may be, lost?"""
    points = [p for p in parameters(step) if p.word == "points"]
    kinds = {m.kind for m in step.material.mentions}
    return (
        bool(kinds)
        and kinds <= {"fraction", "points", "metric", "count"}
        and any(p.name in step.parse.filled.args for p in points)
    )


def parameters(step: Step) -> tuple[Parameter, ...]:
    """The arguments of the tool it asks for."""
    return step.parse.tool.parameters if step.parse.tool else ()


def forbids(parse: Parse, low: str) -> bool:
    """Is a change put off in so many words, and not just worded so (``stop paging me``)?"""
    if speech.retracts(low):
        return True
    if parse.act is not Act.NEGATED:
        return False
    usual = parse.worded.get("negation", 0.0) >= _USUAL
    unsure = parse.share < SURELY or parse.reading.change < _PLAINLY
    return not usual or unsure or parse.reading.share("@negated") > _HARDLY


def idle(step: Step) -> bool:
    """A change that a piece of a message forbids, or only tells of."""
    return step.parse.act is Act.STATEMENT or forbids(step.parse, step.low)


def named(step: Step) -> bool:
    """Does a piece name what it is about?"""
    return any(m.kind == "name" for m in step.material.mentions)


def idles(step: Step) -> int:
    """How many names a request has no place for."""
    return sum(m.kind in NAMING for m in step.parse.filled.unused) if step.parse.tool else 0


def alike(one: Step, other: Step) -> bool:
    """May both be about the same thing: one of them names none, or they share a name?"""
    names = [{str(m.value) for m in s.material.mentions if m.kind == "name"} for s in (one, other)]
    return not all(names) or bool(names[0] & names[1])
