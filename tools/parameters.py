"""How the arguments of a tool are read from its signature, or from its dataclass of arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields
from typing import Any, get_type_hints


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a tool."""

    name: str
    annotation: Any
    required: bool
    default: Any
    word: str
    """The :class:`tools.words.Word` kind, or ``""``."""
    description: str
    unless: tuple[str, ...] = ()
    """Arguments that make a required one dispensable."""


def from_signature(function: Callable[..., Any]) -> Iterator[Parameter]:
    """The arguments of a reading tool: all but its first, the world."""
    hints = get_type_hints(function, include_extras=True, localns=_late())
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        empty = parameter.default is inspect.Parameter.empty
        default = None if empty else parameter.default
        yield _parameter(parameter.name, hints[parameter.name], empty, default)


def from_fields(arguments: type[Any]) -> Iterator[Parameter]:
    """The arguments of a changing tool: the fields of its dataclass."""
    hints = get_type_hints(arguments, include_extras=True, localns=_late())
    for item in fields(arguments):
        required = item.default is MISSING
        default = None if required else item.default
        yield _parameter(item.name, hints[item.name], required, default)


def _late() -> dict[str, Any]:
    # World and Lang are imported for type checking only, so that a tool file stays light.
    return {"World": object, "Lang": str, "Finding": object}


def _parameter(name: str, annotation: Any, required: bool, default: Any) -> Parameter:
    word, description, unless = "", "", ()
    for item in _metadata(annotation):
        word = getattr(item, "kind", "") or word
        description = getattr(item, "description", None) or description
        unless = getattr(item, "unless", ()) or unless
    needed = required or bool(unless)
    return Parameter(name, annotation, needed, default, word, description, unless)


def _metadata(annotation: Any) -> Iterator[Any]:
    yield from getattr(annotation, "__metadata__", ())
    for inner in getattr(annotation, "__args__", ()):
        yield from _metadata(inner)
