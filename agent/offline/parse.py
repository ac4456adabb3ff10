"""Reads one clause: which tool, how sure, with which arguments, and what kind of sentence it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.offline import cues, declared, examples, speech
from agent.offline.features import example, features, view
from agent.offline.fill import NAMES, Filled, Filler, Material
from agent.offline.grammar import words as lexicon
from agent.offline.intent import Model, Reading
from agent.offline.lexicon import Lexicon
from agent.offline.nearest import Nearest
from agent.offline.speech import Act
from agent.offline.text import fold
from agent.offline.text import pattern as compiled
from agent.offline.weights import Weights, shipped
from agent.offline.wording import MEASURE, masked, words
from tools.contract import Effect, Tool

_CANDIDATES = 5
_FAINTEST = 0.01
"""Share below which a label is not looked at."""
_UNUSED: dict[str, float] = {
    "name": 0.8,
    "metric": 0.6,
    "fraction": 0.6,
    "version": 0.4,
    "revision": 0.5,
    "xid": 1.5,
    "action": 1.5,
    "gpu": 1.0,
    "params": 0.8,
    "sample": 0.5,
}
"""What a piece of the request that a tool has no place for speaks against it, in nats."""
_MISSING, _MISSING_CHANGE = 1.5, 0.8
"""Against a tool for each argument that it lacks; a change may rather ask for it."""
_MISFIT = 0.8
"""A name is given, but of a kind the tool has no place for while it needs another."""
_STRANGE = 4.5
"""A name that nobody lists is taken for one of a kind of which the fleet lists all."""
_SURELY, _HARDLY, _HARDLY_ASKED = 0.7, 0.3, 0.65
"""How likely a change is asked for when only changes count, and when none does; in a question."""
_PLAINLY = 0.9
"""Share of a reading that stands although a change seems to be asked for."""
_FUNCTION = lexicon("function")
_ARROW = compiled(r"->|=>|→|转正")
"""Says what is wanted although it is no word of its own."""
SURE = 0.5
"""Share from which a clause counts as this request."""
_CERTAINLY, _CERTAIN_SHARE = 0.985, 0.95
"""How likely a change is asked for, and this one, to outweigh words that sound like a report."""
FAINT = 0.12
"""Share below which it means nothing we know."""


@dataclass(frozen=True, slots=True)
class Parse:
    """The best reading of a clause."""

    label: str
    tool: Tool | None
    act: Act
    share: float
    """How likely this is what is meant, 0..1."""
    filled: Filled
    reading: Reading
    solid: float = 0.0
    """The share before readings were left out because a change is asked for, or none: 0..1."""
    worded: Mapping[str, float] = field(default_factory=dict[str, float])
    """Rule of grammar → share of this tool's requests that are worded so."""
    awaited: bool = False
    """Is it bound to a condition, or to a time to come?"""
    watched: bool = False
    """Is it a rule for a metric, asked for as ``tell me when``?"""
    bare: bool = False
    """Nothing but names and values: no word says what is wanted."""

    @property
    def changes(self) -> bool:
        """Does the tool change something?"""
        return self.tool is not None and self.tool.effect is not Effect.READ

    @property
    def certain(self) -> bool:
        """Is this change surely asked for, although it is told like a report?"""
        asked = self.reading.change >= _CERTAINLY and self.solid >= _CERTAIN_SHARE
        return self.changes and asked and self.share >= _CERTAIN_SHARE

    @property
    def sure(self) -> bool:
        """Likely enough to act on."""
        return self.share >= SURE


class Parser:
    """Everything derived from the catalogue and the weights, built once."""

    def __init__(self, tools: Sequence[Tool], weights: Weights | None = None) -> None:
        self.tools: Mapping[str, Tool] = {tool.name: tool for tool in tools}
        learnt = weights or shipped()
        labels = [declared.label(tool) for tool in tools]
        values = {v.lower() for t in tools for p in t.parameters for v in declared.choices(p)}
        novel = [item for item in labels if item.name not in learnt.labels]
        spoken = {
            w for item in novel for p in _phrases(item) for w in fold(p).split() if w.isalpha()
        }
        self.lexicon = Lexicon(learnt.vocabulary, values | spoken)
        nearest = Nearest(
            learnt,
            {
                item.name: [features(example(p, item.parameters)) for p in _phrases(item)]
                for item in novel
            },
        )
        self._novel = frozenset(item.name for item in novel)
        self._worded = learnt.worded
        self._model = Model(learnt, self.tools, nearest)
        self._changing = frozenset(t.name for t in tools if t.effect is not Effect.READ)
        changed = [
            item for item in labels if learnt.declared.get(item.name) != declared.digest(item)
        ]
        placed = {**learnt.cues, **cues.collect(changed)}
        self._watcher = next((t for t in tools if _watches(t)), None)
        self._fillers = {
            tool.name: Filler(tool, placed.get(tool.name, {}), self.lexicon.words) for tool in tools
        }

    def fill(self, tool: Tool, material: Material) -> Filled:
        """The arguments of one tool."""
        return self._fillers[tool.name].fill(material)

    def parse(self, material: Material, changes: bool = False) -> Parse:
        """Judge, fill, judge again; with ``changes`` only among the changing tools."""
        low = masked(material.text.low, material.mentions)
        reading = self._model.read(view(material.text.low, material.mentions))
        act = speech.act(low)
        kept = self._kept(reading, changes, act)
        sum_kept = sum(share for _, share in kept) or 1.0
        likely = [(label, share / sum_kept) for label, share in kept[:_CANDIDATES]]
        judged = [self._judge(label, share, material) for label, share in likely]
        total = sum(weight for weight, _, _ in judged) or 1.0
        known = sum(share for _, share in likely)
        weight, label, filled = max(judged, key=lambda j: j[0])
        tool = self.tools.get(label)
        if tool and any(p.word == "text" and p.name in filled.args for p in tool.parameters):
            act = speech.act(_before_text(low))
        share = known * weight / total
        worded = {name: tools.get(label, 0.0) for name, tools in self._worded.items()}
        solid = share * min(1.0, sum_kept)
        return Parse(
            label,
            tool,
            act,
            share,
            filled,
            reading,
            solid,
            worded,
            bare=_bare(low) and not _ARROW.search(material.text.low),
        )

    def watch(self, material: Material) -> Parse | None:
        """``tell me when p95 goes above 400 ms``: the rule that would tell it, if it is complete."""
        low = masked(material.text.low, material.mentions)
        if self._watcher is None or not speech.watches(material.text.low) or speech.negated(low):
            return None
        filled = self.fill(self._watcher, material)
        if filled.missing or filled.ambiguous:
            return None
        reading = self._model.read(view(material.text.low, material.mentions))
        name = self._watcher.name
        return Parse(name, self._watcher, Act.REQUEST, 1.0, filled, reading, 1.0, watched=True)

    def _kept(self, reading: Reading, changes: bool, act: Act) -> Sequence[tuple[str, float]]:
        """The labels to look at: only changes where one is surely asked for, none where hardly."""
        if changes:
            return [s for s in reading.shares if s[0] in self._changing][:2]
        kept = reading.shares
        hardly = _HARDLY_ASKED if act is Act.QUESTION else _HARDLY
        if reading.change >= _SURELY or reading.change < hardly:
            asked = reading.change >= _SURELY
            told = not asked or reading.best in self._changing
            if told or (reading.shares[0][1] < _PLAINLY and not reading.best.startswith("@")):
                kept = tuple(
                    s for s in kept if s[0] in self._novel or (s[0] in self._changing) is asked
                )
        return kept

    def _judge(self, label: str, share: float, material: Material) -> tuple[float, str, Filled]:
        tool = self.tools.get(label)
        if label == "@explain":  # a code is asked about itself, not about codes in general
            coded = sum(m.kind == "xid" for m in material.mentions)
            return share * math.exp(-_UNUSED["xid"] * coded), label, Filled()
        if tool is None or share < _FAINTEST:
            return share, label, Filled()
        filled = self.fill(tool, material)
        lacking = _MISSING_CHANGE if label in self._changing else _MISSING
        against = lacking * len(filled.missing) + _unused(filled) + _STRANGE * filled.strange
        return share * math.exp(-against), label, filled


def _watches(tool: Tool) -> bool:
    """Does it make a rule: a metric, a number, a change?"""
    return tool.effect is not Effect.READ and {"metric", "number"} <= {
        p.word for p in tool.parameters
    }


def _phrases(item: declared.Label) -> tuple[str, ...]:
    return examples.every(item.name, item.phrases)


def _bare(low: str) -> bool:
    tokens = words(low)
    return not any(
        not t.isupper() and t not in _FUNCTION and not t.startswith(MEASURE) for t in tokens
    )


def _before_text(low: str) -> str:
    """A request to pass on words is judged without those words."""
    head = low[: low.index("NAME") + 4] if "NAME" in low else low
    return head if len(head.split()) > 1 or not head.isascii() else f"tell {head}"


def _unused(filled: Filled) -> float:
    """How much of what was said the tool has no place for."""
    loss = 0.0
    measured = "query" in filled.args or "metric" in filled.args
    for mention in filled.unused:
        loss += 0.1 if mention.kind == "name" and measured else _UNUSED.get(mention.kind, 0.0)
        if mention.kind == "name" and any(p.word in NAMES for p in filled.missing):
            loss += _MISFIT
    return loss
