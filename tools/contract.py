"""What a tool is: a typed reading function, or a change in four parts.

A reading tool is one function ``f(world, **arguments) -> Finding``. A changing tool is a class with
``plan / apply / verify / undo`` (and ``happened``, which answers a crash); the values that these
hand on are in :mod:`tools.plan`. Effects are declared by the author here and nowhere else, and
``apply`` is called behind :mod:`agent.door` only.

To add a tool: write the function or the class in its room, add one line to
:mod:`tools.catalog`, and one scenario to the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from tools.errors import BadArguments
from tools.parameters import Parameter, from_fields, from_signature
from tools.plan import (
    Call,
    Effect,
    Happened,
    Irreversible,
    Json,
    Outcome,
    Plan,
    PlanWords,
    Target,
    Verdict,
    as_json,
)

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World

__all__ = [
    "Act",
    "Call",
    "Change",
    "Effect",
    "Finding",
    "Happened",
    "Irreversible",
    "Json",
    "Outcome",
    "Parameter",
    "Phrases",
    "Plan",
    "PlanWords",
    "Target",
    "Tool",
    "Verdict",
    "as_json",
    "changing",
    "reading",
]
A = TypeVar("A", contravariant=True)


class Act(Protocol):
    """What a running change is given: its identity, a place to report, and the wish to stop."""

    @property
    def id(self) -> str:
        """Globally unique; the effect must carry it (annotation, label, environment, name)."""
        ...

    def progress(
        self, text: str, fraction: float | None = None, eta: timedelta | None = None
    ) -> None:
        """Report where it stands; cheap, may be called often."""
        ...

    def check(self) -> None:
        """Raise :class:`tools.errors.Cancelled` if a person asked to stop or time ran out."""
        ...


class Finding(Protocol):
    """What a reading tool returns: a frozen dataclass that can say itself.

    ``say`` answers the question in its first line, with numbers, units and times.
    """

    def say(self, lang: Lang) -> str:
        """The finding in words, English or Chinese; lines ≤ 100 characters."""
        ...


@dataclass(frozen=True, slots=True)
class Phrases:
    """Example requests, beside the tool they mean. ``{argument}`` marks where one goes."""

    en: tuple[str, ...]
    zh: tuple[str, ...]


class Change(Protocol[A]):
    """A change in four parts, plus the question a crash leaves behind."""

    effect: ClassVar[Effect]
    phrases: ClassVar[Phrases]

    def plan(self, world: World, args: A) -> Plan:
        """Look, never touch. Raises ``ToolError`` for nonsense; nobody is asked about it."""
        ...

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Make it so. Convergent, and idempotent under the same ``act.id``."""
        ...

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """Poll the world until the change is there or ``plan.deadline`` passes. Only looks."""
        ...

    undo: Any
    """``undo(world, plan, outcome) -> Call``, or an :class:`Irreversible`."""

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Ask the world whether the effect of ``action_id`` took place."""
        ...


@dataclass(frozen=True)
class Tool:
    """A tool as the catalogue holds it."""

    name: str
    summary: str
    """First line of the docstring: the description a model and ``steward tools`` see."""
    effect: Effect
    phrases: Phrases
    parameters: tuple[Parameter, ...]
    read: Callable[..., Finding] | None = None
    change: Change[Any] | None = None
    arguments_type: type[Any] | None = None
    seconds: float | None = None
    """How long a look may take, where it is longer than usual: it loads or measures models."""

    def lacking(self, given: Mapping[str, Any]) -> list[Parameter]:
        """The required arguments that are not ``given`` and that nothing given stands in for."""
        there = {name for name, value in given.items() if value is not None}
        return [
            p
            for p in self.parameters
            if p.required and p.name not in there and not there.intersection(p.unless)
        ]

    def arguments(self, raw: Mapping[str, Any]) -> dict[str, Json]:
        """Validate and normalise ``raw``: defaults filled in, JSON values only.

        Raises:
            BadArguments: an unknown, missing or impossible value; names it and what is accepted.
        """
        from tools.schema import validate

        return validate(self, raw)

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments."""
        from tools.schema import schema

        return schema(self)

    def bind(self, arguments: Mapping[str, Json]) -> Any:
        """The argument object a :class:`Change` receives, from validated arguments."""
        if self.arguments_type is None:
            raise BadArguments(f"{self.name} takes keyword arguments")
        return self.arguments_type(**arguments)


def reading(
    phrases: Phrases, *, seconds: float | None = None
) -> Callable[[Callable[..., Finding]], Tool]:
    """Declare a reading tool: ``f(world, **typed arguments) -> Finding``, named by the function.

    ``seconds`` is how long it may take where that is longer than a look usually takes.
    """

    def declare(function: Callable[..., Finding]) -> Tool:
        summary = _summary(function.__name__, function.__doc__)
        parameters = tuple(from_signature(function))
        name = function.__name__
        return Tool(name, summary, Effect.READ, phrases, parameters, function, seconds=seconds)

    return declare


def changing(arguments: type[Any]) -> Callable[[type[Any]], Tool]:
    """Declare a changing tool from a class and its frozen dataclass of arguments.

    The tool's name is the class name in snake case. A class without ``verify``, or without
    ``undo``-or-:class:`Irreversible`, or without ``happened``, is a ``TypeError``.
    """

    def declare(cls: type[Any]) -> Tool:
        name = "".join(f"_{c.lower()}" if c.isupper() else c for c in cls.__name__).lstrip("_")
        for part in ("plan", "apply", "verify", "happened"):
            if not callable(getattr(cls, part, None)):
                raise TypeError(f"{name} cannot be declared: it has no {part}()")
        undo = getattr(cls, "undo", None)
        if not callable(undo) and not (isinstance(undo, Irreversible) and undo.reason.strip()):
            raise TypeError(f"{name} cannot be declared: it needs undo() or Irreversible(reason)")
        effect: Effect | None = getattr(cls, "effect", None)
        if effect is None or effect is Effect.READ:
            raise TypeError(f"{name} cannot be declared: effect must be CHANGE or DESTROY")
        if not is_dataclass(arguments):
            raise TypeError(f"{name} cannot be declared: its arguments must be a dataclass")
        return Tool(
            name,
            _summary(name, cls.__doc__),
            effect,
            cls.phrases,
            tuple(from_fields(arguments)),
            change=cls(),
            arguments_type=arguments,
        )

    return declare


def _summary(name: str, doc: str | None) -> str:
    if not doc or not doc.strip():
        raise TypeError(f"{name} cannot be declared: its docstring is its description")
    return doc.strip().splitlines()[0].strip()
