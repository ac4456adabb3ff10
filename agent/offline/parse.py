"""Reads one clause: which tool, how sure, with which arguments, and what kind of sentence it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.offline import declared, replies, speech
from agent.offline.features import MEASURE, ORDINARY, masked, stem, words
from agent.offline.fill import NAMES, Filled, Filler, Material
from agent.offline.grammar import words as lexicon
from agent.offline.index import obtain
from agent.offline.intent import Guess, Scorer
from agent.offline.mentions import Mention
from agent.offline.speech import Act
from agent.offline.spelling import Speller
from agent.offline.text import Text
from tools.contract import Effect, Tool

_CANDIDATES = 10
_UNUSED: dict[str, float] = {
    "name": 2.0,
    "metric": 1.6,
    "window": 0.5,
    "fraction": 1.6,
    "count": 0.6,
    "version": 0.9,
    "revision": 1.2,
    "xid": 3.0,
    "action": 3.0,
    "gpu": 2.5,
    "alias": 0.4,
    "params": 1.5,
    "sample": 1.2,
    "quoted": 0.8,
}
_SIMILAR = 3.0
_TELLING = 1.0
_EXACT = 2.0
"""For a request that is one of the phrases, word for word."""
_MISSING = 0.9
_MISFIT = 2.0
"""A name is given, but of a kind the tool has no place for while it needs another."""
_FOUND = 0.35
_WRONG_ACT = 2.5
_FUNCTION = lexicon("function")
SURE = 0.42
"""Similarity from which a clause counts as this request."""
FAINT = 0.24
"""Similarity below which it means nothing we know."""


@dataclass(frozen=True, slots=True)
class Parse:
    """The best reading of a clause."""

    label: str
    tool: Tool | None
    act: Act
    score: float
    similarity: float
    filled: Filled
    margin: float
    """Distance to the second best reading, in nats."""
    phrase: str = ""
    tokens: tuple[str, ...] = ()
    second: str = ""
    anchor: float = 0.0
    foreign: bool = False
    refuses: bool = False
    """Does the clause put something off altogether?"""

    @property
    def changes(self) -> bool:
        """Does the tool change something?"""
        return self.tool is not None and self.tool.effect is not Effect.READ

    @property
    def sure(self) -> bool:
        """Similar enough to a declared phrase to act on."""
        if self.changes and self.anchor < 0.3 and self.foreign and self.similarity < 0.6:
            return self.passes_on
        complete = (
            self.changes and not self.filled.missing and not self.foreign and self.margin >= 1.0
        )
        return (
            self.similarity >= SURE
            or (self.similarity >= 0.33 and self.margin >= 1.5)
            or (self.similarity >= 0.3 and complete)
        )

    @property
    def passes_on(self) -> bool:
        """Words for somebody else, whatever they are, with the one they are for."""
        if self.tool is None or self.similarity < 0.3:
            return False
        needed = [p for p in self.tool.parameters if p.required]
        texts = any(p.word == "text" for p in needed)
        return texts and any(p.word in NAMES for p in needed) and not self.filled.missing

    @property
    def bare(self) -> bool:
        """Nothing but holes: no word says what is wanted."""
        return not any(
            not t.isupper() and t not in _FUNCTION and not t.startswith(MEASURE)
            for t in self.tokens
        )


class Parser:
    """Everything derived from the catalogue, built once."""

    def __init__(self, tools: Sequence[Tool], cache: Path | None = None) -> None:
        self.tools: Mapping[str, Tool] = {tool.name: tool for tool in tools}
        index = obtain([*(declared.label(tool) for tool in tools), *replies.LABELS], cache)
        self.scorer = Scorer(index)
        self.speller = Speller(index.vocabulary)
        self._changing = {t.name for t in tools if t.effect is not Effect.READ}
        values = {v.lower() for t in tools for p in t.parameters for v in declared.choices(p)}
        self.words = frozenset({*index.vocabulary, *values})
        self._stems = frozenset(map(stem, self.words))
        self._fillers = {
            tool.name: Filler(tool, index.cues.get(tool.name, {}), self.words) for tool in tools
        }

    def fill(self, tool: Tool, material: Material) -> Filled:
        """The arguments of one tool."""
        return self._fillers[tool.name].fill(material)

    def strange(self, word: str) -> bool:
        """No word of any phrase, in no form and with no typing error."""
        return (
            word not in self.words
            and word not in ORDINARY
            and stem(word) not in self._stems
            and self.speller.correct(word) == word
        )

    def parse(self, material: Material, changes: bool = False) -> Parse:
        """Score, fill, judge; with ``changes`` only among the changing tools."""
        low = masked(material.text.low, material.mentions)
        tokens = words(low, self.speller)
        act = speech.act(low)
        ranked = self.scorer.rank(tokens)
        if changes:
            ranked = [g for g in ranked if g.label in self._changing]
        judged = sorted(
            (self._judge(guess, act, material) for guess in ranked[:_CANDIDATES]),
            key=lambda j: -j[0],
        )
        score, guess, filled = judged[0]
        second = judged[1] if len(judged) > 1 else judged[0]
        tool = self.tools.get(guess.label)
        if act is Act.CONDITION and speech.conditional(guess.phrase):
            act = speech.act(low, conditions=False)
        if tool and any(p.word == "text" and p.name in filled.args for p in tool.parameters):
            act = speech.act(_before_text(low))
        return Parse(
            guess.label,
            tool,
            act,
            score,
            guess.similarity,
            filled,
            score - second[0],
            guess.phrase,
            tuple(tokens),
            second[1].label,
            guess.anchor,
            guess.foreign,
            speech.refuses(low),
        )

    def _judge(self, guess: Guess, act: Act, material: Material) -> tuple[float, Guess, Filled]:
        tool = self.tools.get(guess.label)
        if tool is None:
            unused = 0.3 * sum(_UNUSED.get(m.kind, 0.0) for m in material.mentions)
            helpful = 1.0 if guess.label == "explain" and act is Act.GENERAL else 0.0
            score = guess.score + _SIMILAR * guess.similarity + _TELLING * guess.anchor
            return score - unused + helpful, guess, Filled()
        filled = self.fill(tool, material)
        score = guess.score + _SIMILAR * guess.similarity + _TELLING * guess.anchor
        score += _EXACT * (guess.similarity > 0.97)
        score -= _MISSING * len(filled.missing) * (
            1.5 if tool.effect is Effect.READ else 1.0
        ) + 0.4 * len(filled.ambiguous)
        score += _FOUND * len(filled.args)
        score -= _unused(filled)
        if tool.effect is not Effect.READ and act in (Act.QUESTION, Act.GENERAL):
            score -= _WRONG_ACT
        return score, guess, filled


def _before_text(low: str) -> str:
    """A request to pass on words is judged without those words."""
    head = low[: low.index("NAME") + 4] if "NAME" in low else low
    return head if len(head.split()) > 1 or not head.isascii() else f"tell {head}"


def _unused(filled: Filled) -> float:
    """How much of what was said the tool has no place for."""
    loss = 0.0
    measured = "query" in filled.args or "metric" in filled.args
    for mention in filled.unused:
        loss += 0.3 if mention.kind == "name" and measured else _UNUSED.get(mention.kind, 0.0)
        if mention.kind == "name" and any(p.word in NAMES for p in filled.missing):
            loss += _MISFIT
    return loss


def mentions_within(mentions: Sequence[Mention], start: int, end: int) -> tuple[Mention, ...]:
    """Those inside a range, with offsets relative to it."""
    from dataclasses import replace

    from agent.offline.text import Span

    return tuple(
        replace(
            m,
            span=Span(m.span.start - start, m.span.end - start),
            core=Span(m.core.start - start, m.core.end - start),
        )
        for m in mentions
        if m.span.start >= start and m.span.end <= end
    )


def material(text: Text, mentions: Sequence[Mention]) -> Material:
    """The whole request as one clause."""
    return Material(text, tuple(mentions))
