"""What a tool is: a typed reading function, or a change in four parts.

A reading tool is one function ``f(world, **arguments) -> Finding``. A changing tool is a class with
``plan / apply / verify / undo`` (and ``happened``, which answers a crash). Effects are declared by
the author here and nowhere else; :mod:`agent.door` is the only caller of ``apply``.

To add a tool: write the function or the class in its room, add one line to
:mod:`tools.catalog`, and one scenario to the tests.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias, TypeVar, get_type_hints

from tools.errors import BadArguments

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

A = TypeVar("A", contravariant=True)


class Effect(StrEnum):
    """What a call may do to the world; ``destroy`` needs two people by default."""

    READ = "read"
    CHANGE = "change"
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True)
class Target:
    """One thing in the world, as it was when somebody looked.

    ``uid`` changes when the thing is recreated, ``version`` when its desired state is edited;
    neither changes when it merely reports a new status.
    """

    kind: str
    name: str
    uid: str
    version: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A pure look ahead: everything a person needs to say yes, and all that ``apply`` needs."""

    target: Target
    title: str
    """One line in the imperative: ``Roll out digits version 2 to digits (2 replicas, rolling)``."""
    diff: str
    """What changes, one ``- before`` / ``+ after`` line each."""
    blast_radius: str
    """Who feels it: replicas, share of traffic, GPU-hours."""
    undo: str
    """How it will be undone, or why it cannot be."""
    verification: str
    """What will be looked at to call it done."""
    deadline: timedelta
    """How long verification may take."""
    risk: Effect = Effect.CHANGE
    undo_on_failure: bool = False
    """A failed verification runs ``undo`` at once; the approval covers it."""
    warnings: tuple[str, ...] = ()
    gpu_hours: float = 0.0
    details: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Plain JSON for ``apply``/``verify``/``undo``/``happened``; part of the digest."""
    pins: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Arguments that were left open and what they mean now (the newest version): the proposal's
    call names them, so that it stays possible when something newer comes along."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What ``apply`` did, in one sentence, with the facts ``verify`` and ``undo`` need."""

    summary: str
    details: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What ``verify`` saw. ``ok`` is false when the change is provably not there (or harmful)."""

    ok: bool
    evidence: str
    """One sentence with the numbers seen."""
    cause: str = ""
    """When not ok: the named cause (``image cannot be pulled``, ``probe failing``, …)."""
    details: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """What came of it that a next step may need: ``{"model": "digits", "version": "2"}``."""


class Happened(StrEnum):
    """Did the effect of an action reach the world? Asked after a crash."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Call:
    """A tool with its arguments: what a planner emits and what ``undo`` answers."""

    tool: str
    args: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Irreversible:
    """Declared instead of ``undo``, with the reason a person reads on the card."""

    reason: str


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
        parameters = tuple(_from_signature(function))
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
            tuple(_from_fields(arguments)),
            change=cls(),
            arguments_type=arguments,
        )

    return declare


def _summary(name: str, doc: str | None) -> str:
    if not doc or not doc.strip():
        raise TypeError(f"{name} cannot be declared: its docstring is its description")
    return doc.strip().splitlines()[0].strip()


def _from_signature(function: Callable[..., Any]) -> Iterator[Parameter]:
    hints = get_type_hints(function, include_extras=True, localns=_late())
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        empty = parameter.default is inspect.Parameter.empty
        default = None if empty else parameter.default
        yield _parameter(parameter.name, hints[parameter.name], empty, default)


def _from_fields(arguments: type[Any]) -> Iterator[Parameter]:
    from dataclasses import MISSING

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


def as_json(value: Any) -> Json:
    """Plain JSON of a finding: dataclasses become objects, times ISO 8601, durations seconds."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_json(getattr(value, f.name)) for f in fields(value)}
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Path():
            return str(value)
        case Mapping():
            return {str(k): as_json(v) for k, v in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list() | tuple() | set() | frozenset():
            return [as_json(v) for v in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return str(value)
