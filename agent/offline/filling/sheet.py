"""What one filling works on: the request, the tool's cues, what is found and what is used up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from agent.offline import cues
from agent.offline.mention import Mention
from agent.offline.text import Span, Text
from tools.contract import Json, Parameter, Tool

NAMES = frozenset(
    [
        "deployment",
        "model",
        "node",
        "job",
        "alert",
        "target",
        "channel",
        "image",
        "rule",
        "schedule",
        "person",
    ]
)
"""Words of arguments that take a name."""
_PRECEDENCE = {
    "silence": 0,
    "path": 0,
    "sample": 1,
    "rule": 1,
    "alias": 2,
    "points": 3,
    "factor": 3,
}
"""Words, or names, of arguments that are looked for before all others, because their shape tells them apart."""


@dataclass(frozen=True, slots=True)
class Material:
    """What an argument may be taken from: the clause itself, and what stands around it."""

    text: Text
    mentions: tuple[Mention, ...]
    around: tuple[Mention, ...] = ()
    """Mentions of other clauses, the likeliest first."""


@dataclass(slots=True)
class Filled:
    """The arguments found, and what is still open."""

    args: dict[str, Json] = field(default_factory=dict[str, Json])
    missing: tuple[Parameter, ...] = ()
    ambiguous: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    unused: tuple[Mention, ...] = ()
    bare: bool = False
    """A name was taken from its place only."""
    loose: bool = False
    """What is ambiguous was said by some of its words only."""
    strange: int = 0
    """Arguments whose name nobody lists although all of their kind are listed."""
    also: dict[str, tuple[Json, ...]] = field(default_factory=dict[str, tuple[Json, ...]])
    """Further values of an argument: the call is to be made for each."""


@dataclass(frozen=True)
class Form:
    """A tool as it is filled in: its arguments in the order they are looked for."""

    tool: Tool
    cues: Mapping[str, cues.Cue]
    words: frozenset[str]
    """Ordinary words of requests."""
    doubled: frozenset[str]
    """Optional arguments of a kind that another argument has too: they need a sign."""
    pair: frozenset[str]
    """``alert`` and ``target``, of which one is needed."""
    order: tuple[Parameter, ...]

    @staticmethod
    def of(tool: Tool, placed: Mapping[str, cues.Cue], words: frozenset[str]) -> Form:
        """Work out the order: doubles by their sign first, then aliases, then required ones."""
        kinds = [p.word for p in tool.parameters]
        doubled = frozenset(
            p.name for p in tool.parameters if not p.required and kinds.count(p.word) > 1
        )
        pair = [p.name for p in tool.parameters if p.word in ("alert", "target") and not p.required]
        order = sorted(
            tool.parameters,
            key=lambda p: (
                p.name not in doubled,
                _PRECEDENCE.get(p.word or p.name, len(_PRECEDENCE)),
                not p.required,
            ),
        )
        cued = {p.name: placed.get(p.name, cues.NONE) for p in tool.parameters}
        double = frozenset(pair if len(pair) > 1 else ())
        return Form(tool, cued, words, doubled, double, tuple(order))


@dataclass
class Sheet:
    """One filling of a form."""

    form: Form
    material: Material
    done: Filled = field(default_factory=Filled)
    used: set[int] = field(default_factory=set[int])

    def fit(self, parameter: Parameter, mention: Mention) -> float:
        """How well the place of a mention suits an argument, 0..2."""
        cue = self.form.cues[parameter.name]
        span = mention.span
        return cues.fit(cue, self.material.text.low, span.start, span.end)

    def within_reach(self, parameter: Parameter) -> Iterator[tuple[bool, int, Mention]]:
        """Unused mentions with whether they are the clause's own, and their order."""
        for order, mention in enumerate(self.material.mentions):
            if id(mention) not in self.used:
                yield True, order, mention
        paired = parameter.name in self.form.pair
        if paired and self.form.pair & self.done.args.keys():
            return
        if (
            parameter.required or paired or parameter.word == "alert"
        ) and parameter.name not in self.form.doubled:
            for order, mention in enumerate(self.material.around):
                if id(mention) not in self.used:
                    yield False, order, mention

    def put(self, parameter: Parameter, value: Json, mention: Mention | None = None) -> None:
        """Enter a value, and use its mention up."""
        self.done.args[parameter.name] = value
        if mention is not None:
            self.used.add(id(mention))

    def claim(self, span: Span) -> None:
        """Use up every mention that the words of an argument cover."""
        self.used.update(id(m) for m in self.material.mentions if m.span.overlaps(span))

    def without_names(self) -> str:
        """The folded clause with known names and quotations blanked."""
        return self._without(lambda m: m.kind == "quoted" or (m.kind == "name" and m.known))

    def unquoted(self) -> str:
        """The folded clause with all names, versions and quotations blanked."""
        return self._without(lambda m: m.kind in ("quoted", "name", "version", "path"))

    def _without(self, unwanted: Callable[[Mention], bool]) -> str:
        low = self.material.text.low
        for mention in filter(unwanted, self.material.mentions):
            start, end = mention.span.start, mention.span.end
            low = low[:start] + " " * (end - start) + low[end:]
        return low
