"""One request of a message, and how well it stands on its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from agent.offline import speech
from agent.offline.fill import NAMES, Filled, Material
from agent.offline.parse import SURE, Parse
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
_ABOUT = NAMES | {"metric", "version", "alias", "sample", "gpu", "xid", "action"}
"""Words of arguments that say what a call is about."""
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
    points = [p for p in _parameters(step) if p.word == "points"]
    kinds = {m.kind for m in step.material.mentions}
    return (
        bool(kinds)
        and kinds <= {"fraction", "points"}
        and any(p.name in step.parse.filled.args for p in points)
    )


def _parameters(step: Step) -> tuple[Parameter, ...]:
    return step.parse.tool.parameters if step.parse.tool else ()


def joins(last: Step, step: Step) -> bool:
    """Does the same request go on, with another detail or once more?"""
    before, after = last.parse.filled.args, step.parse.filled.args
    return all(before.get(name, value) == value for name, value in after.items())


def recounts(last: Step, step: Step) -> bool:
    """``现在 4 个副本顶不住,加到 10 个``: the first count only tells how things are."""
    before, after = last.parse.filled.args, step.parse.filled.args
    if step.parse.label != last.parse.label or not speech.declares(last.low):
        return False
    counts = {p.name for p in _parameters(step) if p.word == "count"}
    return bool(counts & before.keys() & after.keys()) and all(
        before.get(name, value) == value for name, value in after.items() if name not in counts
    )


def same(one: Step, other: Step) -> bool:
    """The same request, the first of them not only told of."""
    return one.parse.label == other.parse.label and not idle(one)


def merged(last: Step, step: Step) -> Step:
    """Two clauses of one request as one."""
    before, after = last.parse.filled, step.parse.filled
    missing = tuple(p for p in before.missing if p.name not in after.args)
    filled = replace(before, args={**before.args, **after.args}, missing=missing)
    return replace(last, parse=replace(last.parse, filled=filled))


def forbids(parse: Parse, low: str) -> bool:
    """Is a change put off in so many words, and not just worded so (``stop paging me``)?"""
    if speech.retracts(low):
        return True
    if parse.act is not Act.NEGATED:
        return False
    usual = parse.worded.get("negation", 0.0) >= _USUAL
    return not usual or parse.share < SURELY or parse.reading.share("@negated") > _HARDLY


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


def conceding(fill: Fill, whole: Material, steps: Sequence[Step]) -> Sequence[Step]:
    """Requests, without what only says how much one may lose: that is read into its change."""
    told = next((s for s in steps[1:] if len(steps) <= 3 and concedes(s)), None)
    rest = [s for s in steps if s is not told and s.parse.tool and s.parse.changes]
    if told is None or not rest or rest[0].parse.tool is None:
        return steps
    if not any(p.word == "points" for p in rest[0].parse.tool.parameters):
        return steps
    filled = fill(rest[0].parse.tool, whole)
    return [replace(rest[0], parse=replace(rest[0].parse, filled=filled))]


def likewise(last: Step, step: Step) -> bool:
    """``and mast-1 too``, ``error_rate 也画一张``: what was asked before, for another thing."""
    same = step.parse.label == last.parse.label or step.parse.share < SURE
    return same and speech.likewise(step.low)


def again(fill: Fill, last: Step, step: Step) -> Step | None:
    """``scale ranker to 6 and sentiment to four``, ``error_rate too``: the same tool once more."""
    tool = last.parse.tool
    things = [m for m in step.material.mentions if m.kind in THINGS]
    if tool is None or not things or speech.negated(step.low):
        return None
    if not all(m.known or not m.listed for m in things if m.kind == "name"):
        return None
    alone = Material(step.material.text, step.material.mentions)
    filled = fill(tool, alone)
    given = [p.name for p in tool.parameters if p.word in _ABOUT and p.name in filled.args]
    before = last.parse.filled.args
    if not given or any(m.kind in THINGS for m in filled.unused):
        return None
    if not all(n in before and filled.args[n] != before[n] for n in given):
        return None
    both = Filled({**before, **filled.args}, (), filled.ambiguous)
    both.missing = tuple(p for p in last.parse.filled.missing if p.name not in both.args)
    return Step(replace(last.parse, filled=both), alone, step.span)
