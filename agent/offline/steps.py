"""Finds the requests inside a message: one, several in order, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise, takewhile

from agent.offline import apart, aside, declared, speech
from agent.offline.fill import Material
from agent.offline.gathering import conceding, covers, gather, of_list, summarises
from agent.offline.mention import Mention
from agent.offline.parse import FAINT, SURE, Parse, Parser
from agent.offline.rows import rows
from agent.offline.segment import (
    MOST_CLAUSES,
    Clause,
    clauses,
    items,
    pieces_of,
    within,
)
from agent.offline.slots import switches
from agent.offline.speech import Act
from agent.offline.splitting import Piece, best_split
from agent.offline.step import SURELY, Step, forbids, idle, idles
from agent.offline.text import Span, Text
from agent.offline.weighing import weigh, worth_of
from tools.contract import Parameter

POSSIBLY = 0.001
"""How likely a message must make more than one request before cutting it is tried."""
_SEVERAL = 0.05
"""How likely a message makes several requests, for a list of just two."""
_ITEM = 0.8
"""How likely each item of a list must be a request of its own."""
_PERHAPS, _CERTAINLY = 0.2, 0.7
_LIKELY = 0.2
"""Share of a condition that counts where the message says that it waits."""
_ALSO = 0.003
"""Share of a change that may be bound to a condition."""
_MARKS = " ,.;:!?-"
_DETAILS = ("rule", "params", "count", "points", "factor", "fraction", "window", "alias")
"""Words of arguments that may be told after the request."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The requests of a message in order; with none, ``rest`` says what it was instead."""

    wanted: tuple[Step, ...]
    rest: Parse


class Finder:
    """Finds the steps of one message after another."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser

    def find(self, text: Text, mentions: Sequence[Mention]) -> Steps:
        """The requests a message makes, without what it forbids or takes back."""
        rest = aside.set_aside(self.read, text, mentions)
        if rest is None:
            return self._find(text, mentions)
        if rest.text.low.strip(_MARKS):
            found = self._find(rest.text, rest.mentions)
            wanted = rest.allowed(found.wanted)
            if wanted:
                return Steps(wanted, found.rest)
        whole = self.read(text, mentions, Span(0, len(text.low)))
        return Steps((), replace(whole.parse, act=Act.NEGATED))

    def _find(self, text: Text, mentions: Sequence[Mention]) -> Steps:
        whole = self.read(text, mentions, Span(0, len(text.low)))
        pieces = pieces_of(text, mentions)
        if len(pieces) > 1 and speech.dismisses(text.part(pieces[-1].span).low):
            return Steps((), replace(whole.parse, act=Act.NEGATED))
        apart = len(pieces) > 1 and whole.parse.reading.several >= _PERHAPS
        watch = None if apart else self._parser.watch(whole.material)
        if watch:
            return Steps((replace(whole, parse=watch),), watch)
        listed = self._listed(text, mentions, whole)
        if listed:
            return Steps(tuple(listed), whole.parse)
        another = self._another(text, mentions, pieces, whole)
        if whole.parse.share >= SURELY and not idle(whole) and not another:
            steps = rows(self._parser.fill, whole)
            if steps:
                return Steps(tuple(steps), whole.parse)
        several = whole.parse.reading.several
        if several >= POSSIBLY and not speech.awaits(text.low):
            # A list of names already makes several requests of one.
            unexplained = several >= _CERTAINLY and not whole.parse.filled.also
            loose = len(pieces) < 2 and (unexplained or idles(whole) > 0)
            parts = pieces_of(text, mentions, loose=True) if loose else pieces
            steps = self._several(text, mentions, parts, whole) if len(parts) > 1 else []
            if len(steps) > 1:
                return Steps(tuple(steps), whole.parse)
        return self._single(text, mentions, whole, pieces)

    def _another(
        self, text: Text, mentions: Sequence[Mention], pieces: Sequence[Clause], whole: Step
    ) -> bool:
        """Does the last clause surely ask for something else: ``…, then list the deployments``?"""
        if len(pieces) < 3 or whole.parse.reading.several < _CERTAINLY:
            return False
        last = self.read(text, mentions, pieces[-1].span)
        return worth_of(last).firm and last.parse.label != whole.parse.label

    # ---- one request -----------------------------------------------------------------------

    def _single(
        self, text: Text, mentions: Sequence[Mention], whole: Step, pieces: Sequence[Clause]
    ) -> Steps:
        parse = whole.parse
        waits = speech.awaits(text.low) and parse.reading.share("@conditional") >= _LIKELY
        if parse.label == "@conditional" or (waits and not parse.changes):
            now = apart.presently(self.read, text, mentions, pieces)
            if now:
                return Steps((now,), parse)
            waiting = self._conditional(text, mentions, whole)
            return Steps((waiting,) if waiting else (), parse)
        if parse.tool is None:
            asked = self._beside(whole, pieces)
            return Steps((asked,) if asked else (), parse)
        if parse.share < SURE:
            asked = self._beside(whole, pieces)
            if asked or parse.share < FAINT:
                return Steps((asked,) if asked else (), parse)
        if parse.changes and forbids(parse, whole.low):
            allowed = apart.unforbidden(self.read, whole, pieces)
            negated = replace(parse, act=Act.NEGATED)
            return Steps((self._whole(whole, allowed),) if allowed else (), negated)
        return Steps((whole,), parse)

    def _beside(self, whole: Step, pieces: Sequence[Clause]) -> Step | None:
        found = apart.beside(self.read, whole, pieces)
        return self._whole(whole, found) if found else None

    def _whole(self, whole: Step, step: Step) -> Step:
        """One clause of a message, with the details that follow it."""
        text, mentions = whole.material.text, whole.material.mentions
        return self._completed(text, mentions, step, len(text.low))

    def _conditional(self, text: Text, mentions: Sequence[Mention], whole: Step) -> Step | None:
        """A change bound to a condition or a time, judged by its main clause."""
        span = speech.main_clause(text.low)
        main = self.read(text, mentions, Span(*span)) if span else whole
        if not main.parse.changes:
            main = replace(main, parse=self._parser.parse(main.material, changes=True))
        if not main.parse.changes or main.parse.reading.share(main.parse.label) < _ALSO:
            return None
        return replace(main, parse=replace(main.parse, awaited=True))

    # ---- several requests ------------------------------------------------------------------

    def _listed(self, text: Text, mentions: Sequence[Mention], whole: Step) -> list[Step]:
        """The items of a plain list of things to look at, each of which is surely one."""
        spans = items(text.low, mentions)
        if not 2 <= len(spans) <= MOST_CLAUSES:
            return []
        colon = text.low.find(":", 0, spans[0].end)
        if colon > 0 and summarises(self.read(text, mentions, Span(0, colon))):
            return []
        steps = [self.read(text, mentions, span) for span in spans]
        if any(covers(steps[0], step) for step in steps[1:]):
            return []
        labels = {s.parse.label for s in steps if s.parse.tool and not s.parse.changes}
        if len(labels) < len(steps) or whole.parse.label not in labels:
            return []
        if len(spans) == 2 and whole.parse.reading.several < _SEVERAL:
            return []
        if any(s.parse.bare or s.parse.filled.missing for s in steps):
            return []
        return steps if all(s.parse.solid >= _ITEM for s in steps) else []

    def _several(
        self, text: Text, mentions: Sequence[Mention], pieces: Sequence[Clause], whole: Step
    ) -> list[Step]:
        @cache
        def joined(first: int, last: int) -> Step:
            return self.read(text, mentions, Span(pieces[first].span.start, pieces[last].span.end))

        alone = [joined(n, n) for n in range(len(pieces))]
        firm = [step for step in alone if worth_of(step).firm]

        def worth(step: Step) -> Piece:
            within = {s.parse.label for s in firm if s.span.within(step.span)}
            return weigh(step, whole, len(within) > 1)

        split = numbered_items(pieces, alone) or best_split(
            len(pieces), joined, worth, whole.parse.reading.several
        )
        split = conceding(self._parser.fill, whole.material, split)
        found = gather(self._parser.fill, split, firm)
        found = [*found[:1], *(of_list(self._parser, *pair) for pair in pairwise(found))]
        ends = [*(s.span.start for s in found[1:]), len(text.low)][: len(found)]
        return [self._completed(text, mentions, s, e) for s, e in zip(found, ends, strict=True)]

    def _completed(self, text: Text, mentions: Sequence[Mention], step: Step, end: int) -> Step:
        """Details told after the request itself: ``prune it by 40 %. Magnitude will do``."""
        tool, own = step.parse.tool, step.parse.filled
        told = [c.span for c in clauses(text.low, mentions) if step.span.end <= c.span.start < end]
        told = list(takewhile(lambda c: _tells(text.low[c.start : c.end]), told))
        if tool is None or not told:
            return step
        span = Span(step.span.start, told[-1].end)
        wide = self._parser.fill(tool, Material(text.part(span), within(mentions, span)))
        detailed = {p.name for p in tool.parameters if _detail(p)}
        more = {k: v for k, v in wide.args.items() if k in detailed and k not in own.args}
        if not more:
            return step
        missing = tuple(p for p in own.missing if p.name not in more)
        filled = replace(own, args={**own.args, **more}, missing=missing)
        return replace(step, parse=replace(step.parse, filled=filled))

    def read(self, text: Text, mentions: Sequence[Mention], span: Span) -> Step:
        """A stretch of a message as one request."""
        own = within(mentions, span)
        before = [
            m for m in mentions if m.span.end <= span.start or (m.aside and m.span.within(span))
        ]
        after = [m for m in mentions if m.span.start >= span.end]
        around = sorted((*reversed(before), *after), key=lambda m: m.aside)
        material = Material(text.part(span), own, tuple(around))
        return Step(self._parser.parse(material), material, span)


def numbered_items(pieces: Sequence[Clause], alone: Sequence[Step]) -> list[Step]:
    """The items of ``1) … 2) …``, each a request of its own; nothing where there are none."""
    first = next((n for n, piece in enumerate(pieces) if piece.item), len(pieces))
    marked = all(piece.item for piece in pieces[first:])
    asks = all(step.parse.tool and not step.parse.bare for step in alone[first:])
    return list(alone[first:]) if first <= 1 and len(pieces) - first > 1 and marked and asks else []


def _tells(clause: str) -> bool:
    """Is it no refusal of what was asked, other than ``but leave it disabled``?"""
    return not speech.negated(clause) or switches.find("enabled", clause) is False


def _detail(parameter: Parameter) -> bool:
    told = parameter.word in _DETAILS or parameter.name in switches.NAMES
    return told or bool(declared.choices(parameter))
