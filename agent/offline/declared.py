"""What the planner is derived from: tools with their example phrases and typed arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args, get_origin

from agent.offline.features import hole
from agent.offline.text import fold
from tools.contract import Parameter, Phrases, Tool

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Label:
    """Something a request can mean: a tool, or a reply that needs none."""

    name: str
    phrases: Phrases
    parameters: tuple[Parameter, ...] = ()


def label(tool: Tool) -> Label:
    """A tool as a label."""
    return Label(tool.name, tool.phrases, tool.parameters)


def choices(parameter: Parameter) -> tuple[str, ...]:
    """The values of a closed argument, or nothing."""
    return _choices(parameter.annotation)


@cache
def _choices(annotation: object) -> tuple[str, ...]:
    if get_origin(annotation) is Literal:
        return tuple(str(v) for v in get_args(annotation))
    for inner in get_args(annotation):
        try:
            found = _choices(inner)
        except TypeError:  # metadata that cannot be hashed is no Literal
            continue
        if found:
            return found
    return ()


def holes(parameters: tuple[Parameter, ...]) -> dict[str, str]:
    """What each argument leaves in a phrase: a typed hole, or nothing for a closed one."""
    return {p.name: " " if choices(p) else f" {hole(p.word)} " for p in parameters}


def template(phrase: str, put: Mapping[str, str]) -> str:
    """An example phrase with typed holes, folded like a request."""
    pieces = _SLOT.split(phrase)
    pieces[::2] = [fold(piece) for piece in pieces[::2]]
    pieces[1::2] = [put.get(name, " NAME ") for name in pieces[1::2]]
    return "".join(pieces)
