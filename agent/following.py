"""What follows from an outcome: the next step of a plan, with what the step before brought about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from agent.conversations import Line
from agent.events import Action
from tools.contract import Call, Json


def held_after(lines: Sequence[Line], action: int) -> list[Call]:
    """Steps of a plan that wait for an action."""
    for line in reversed(lines):
        if line.facts.get("after") == action:
            held = cast("Sequence[Mapping[str, Json]]", line.facts.get("held", []))
            return [Call(str(h["tool"]), cast("dict[str, Json]", h["args"])) for h in held]
    return []


def came_of(action: Action) -> dict[str, Json]:
    """What an action brought about, for whatever follows from it."""
    outcome: Mapping[str, Json] = action.outcome.details if action.outcome else {}
    return {**outcome, **(action.verdict.details if action.verdict else {})}


def fill(call: Call, action: Action, accepted: Sequence[str]) -> Call:
    """``call`` with arguments it lacks taken from the outcome before it (``it`` of a plan)."""
    facts = came_of(action)
    shared = ("model", "version", "deployment", "job", "image")
    known = {k: facts[k] for k in shared if k in facts and k in accepted}
    return Call(call.tool, {**known, **call.args})
