"""What the planner is derived from: tools with their example phrases and typed arguments."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args, get_origin

from tools.contract import Parameter, Phrases, Tool


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


def digest(item: Label) -> str:
    """Changes when the phrases or the arguments of a tool do."""
    told = repr((item.phrases, [(p.name, p.word, p.required) for p in item.parameters]))
    return hashlib.sha256(told.encode()).hexdigest()[:12]
