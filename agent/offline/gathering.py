"""What each further clause of a message does to the requests before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.offline import speech
from agent.offline.fill import NAMES, Filled, Material
from agent.offline.parse import SURE, Parser
from agent.offline.step import THINGS, Fill, Step, concedes, idle, named, parameters
from agent.offline.wording import words
from tools.contract import Effect, Json, Tool

_LISTED = 0.9
"""How likely a change is of what was just listed, where it fits."""
_OF_LIST = 0.002
"""Share from which a request about what was just listed is that one."""
_PARTS = {
    "status_summary": frozenset(
        (
            "list_alerts",
            "list_actions",
            "list_jobs",
            "list_deployments",
            "check_drift",
            "gpu_status",
        )
    ),
    "deployment_status": frozenset(("metric_query",)),
}
"""What an answer holds anyway, when it is only named beside the request for it."""
_BRIEF = 6
"""Words of a clause that only names something."""
_ABOUT = NAMES | {"metric", "version", "alias", "sample", "gpu", "xid", "action"}
"""Words of arguments that say what a call is about."""


def gather(fill: Fill, steps: Sequence[Step], firm: Sequence[Step]) -> list[Step]:
    """The requests that clauses make together; ``firm`` are those that surely stand alone."""
    found: list[Step] = []
    for step in steps:
        found = _with(fill, found, _asked_beside(step, firm))
    return found


def _with(fill: Fill, found: list[Step], step: Step) -> list[Step]:
    asks = step.parse.tool is not None and not speech.fragment(step.low)
    asks = asks and not (step.parse.changes and idle(step))
    if not found:
        return [step] if asks else []
    *before, last = found
    if last.parse.changes and takes_back(step):
        return before
    if covers(found[0], step):
        return found
    if likewise(last, step) and (further := again(fill, last, step)):
        return [*found, further]
    if recounts(last, step):
        return [*before, step]
    if joins(last, step):
        return [*before, merged(last, step)]
    if asks and not step.parse.bare:
        return [*found, step]
    further = again(fill, last, step)
    return [*found, further] if further else found


def _asked_beside(step: Step, firm: Sequence[Step]) -> Step:
    """A request that only a remark beside it makes idle, without the remark."""
    if not (step.parse.changes and idle(step)):
        return step
    return next((s for s in firm if s.span.within(step.span) and _same(s, step)), step)


def takes_back(step: Step) -> bool:
    """``restart it? no, leave it``: only forbids, and names nothing else to be left alone."""
    others = named(step) or speech.others(step.low)
    return step.parse.tool is None and speech.retracts(step.low) and not others


def covers(first: Step, step: Step) -> bool:
    """Does a clause only name a part of the answer to the first request: ``…, alerts, jobs``?"""
    asks = speech.orders(step.low) and step.parse.label != "metric_query"
    if asks or step.parse.label not in _PARTS.get(first.parse.label, ()):
        return False
    args = {name for name in step.parse.filled.args if name not in ("query", "window", "gpu")}
    return not args and not named(step) and len(words(step.low)) <= _BRIEF


def summarises(step: Step) -> bool:
    """Does it ask for an answer with many parts: ``summarise the week: alerts, jobs``?"""
    return step.parse.label in _PARTS and step.parse.share >= SURE


def likewise(last: Step, step: Step) -> bool:
    """``and mast-1 too``, ``error_rate 也画一张``: what was asked before, for another thing."""
    same = step.parse.label == last.parse.label or step.parse.share < SURE
    return speech.same_again(step.low) or (same and speech.likewise(step.low))


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


def recounts(last: Step, step: Step) -> bool:
    """``现在 4 个副本顶不住,加到 10 个``: the first count only tells how things are."""
    before, after = last.parse.filled.args, step.parse.filled.args
    if step.parse.label != last.parse.label or not speech.declares(last.low):
        return False
    counts = {p.name for p in parameters(step) if p.word == "count"}
    return bool(counts & before.keys() & after.keys()) and all(
        before.get(name, value) == value for name, value in after.items() if name not in counts
    )


def joins(last: Step, step: Step) -> bool:
    """Does the same request go on, with another detail or once more?"""
    if step.parse.label != last.parse.label:
        return False
    before, after = last.parse.filled.args, step.parse.filled.args
    return all(_goes_with(before.get(name, value), value) for name, value in after.items())


def _goes_with(one: Json, other: Json) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return all(one.get(key, value) == value for key, value in other.items())
    return one == other


def merged(last: Step, step: Step) -> Step:
    """Two clauses of one request as one."""
    before, after = last.parse.filled, step.parse.filled
    missing = tuple(p for p in before.missing if p.name not in after.args)
    args = {**before.args, **after.args}
    for name, value in before.args.items():
        told = args[name]
        if isinstance(value, dict) and isinstance(told, dict):
            args[name] = {**value, **told}
    filled = replace(before, args=args, missing=missing)
    return replace(last, parse=replace(last.parse, filled=filled))


def _same(one: Step, other: Step) -> bool:
    """The same request, the first of them not only told of."""
    return one.parse.label == other.parse.label and not idle(one)


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


def of_list(parser: Parser, last: Step, step: Step) -> Step:
    """``list the schedules, then remove the one called night-recap``: it is one of these."""
    kinds = {kind for kind in NAMES if kind in last.parse.label}
    if last.parse.changes or not step.parse.changes or not kinds:
        return step
    if _names(step, kinds):
        told = max(step.parse.share, _LISTED)
        return replace(step, parse=replace(step.parse, share=told, solid=told))
    if any(m.known for m in step.material.mentions if m.kind == "name"):
        return step
    for label, share in step.parse.reading.shares:
        tool = parser.tools.get(label)
        if (
            tool
            and share >= _OF_LIST
            and _required(tool) & kinds
            and tool.effect is not Effect.READ
        ):
            filled = parser.fill(tool, step.material)
            return replace(step, parse=replace(step.parse, label=label, tool=tool, filled=filled))
    return step


def _required(tool: Tool) -> set[str]:
    return {p.word for p in tool.parameters if p.required}


def _names(step: Step, kinds: set[str]) -> bool:
    return step.parse.tool is not None and bool(_required(step.parse.tool) & kinds)
