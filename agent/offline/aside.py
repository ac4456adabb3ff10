"""What a message forbids, spares or takes back: set aside, so that the rest says what is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from agent.offline import speech
from agent.offline.apart import Read
from agent.offline.mention import Mention
from agent.offline.parse import SURE
from agent.offline.refusal import Refusal, refusal, refuses
from agent.offline.segment import Clause, gaps, pieces_of
from agent.offline.speech import Act
from agent.offline.step import SURELY, Step, forbids, stands
from agent.offline.text import Span, Text, pattern
from agent.offline.wording import words

_SAME = 0.01
"""How likely ``stop`` alone is the deed that a clause before it gave the reason for."""
_STOPS = pattern(r"\b(?:cancel|stop|kill|abort|pause|unschedule|remove|drop|end)|[停撤关删]|取消")
"""A clause that asks for an end itself: ``stop`` after it takes it back."""
_NO = 4
"""Letters of a word such as ``no``, ``nope``, ``别``."""


@dataclass(frozen=True, slots=True)
class Rest:
    """A message without its refusals."""

    text: Text
    mentions: tuple[Mention, ...]
    refusals: tuple[Refusal, ...]
    refusing: bool
    """Does the message as a whole seem to do nothing but refuse?"""

    def allowed(self, steps: Sequence[Step]) -> tuple[Step, ...]:
        """The steps that no refusal covers, without the names that are spared.

        Beside what forbids something only steps that surely ask for something count.
        """
        spared = frozenset(t for r in self.refusals if r.spares for t in r.things)
        kept = [
            _sparing(s, spared) for s in steps if _surely(s) and (not self.refusing or _asks(s))
        ]
        return tuple(s for s in kept if not any(r.covers(s) for r in self.refusals))


def set_aside(read: Read, text: Text, mentions: Sequence[Mention]) -> Rest | None:
    """Part the refusals of a message from the rest; nothing where there are none."""
    pieces = [
        p for piece in pieces_of(text, mentions) for p in _parted(read, text, mentions, piece)
    ]
    refusals = _refusals(read, text, mentions, pieces)
    out = [r.span for r in refusals]
    if not out:
        return None
    kept = (replace(m, aside=True) if any(m.span.within(s) for s in out) else m for m in mentions)
    spared = [r.span for r in refusals if r.spares]
    named = tuple(m for m in kept if not any(m.span.within(span) for span in spared))
    whole = read(text, mentions, Span(0, len(text.low))).parse
    refusing = whole.label == "@negated" and whole.share >= SURELY
    return Rest(text.without(out), named, tuple(refusals), refusing)


def _parted(read: Read, text: Text, mentions: Sequence[Mention], piece: Clause) -> Iterator[Clause]:
    """Chinese may leave out the comma before a refusal: ``量化 NAME 但别上线``.

    Only where what stands before it asks by itself: in ``NAME 别重启`` it says what not to restart.
    """
    start = piece.span.start
    cuts = [c for c in gaps(text.low, mentions) if start < c.start and c.end < piece.span.end]
    for cut, after in zip_longest(cuts, cuts[1:]):
        end = after.start if after else piece.span.end
        first, second = Span(start, cut.start), Span(cut.end, end)
        if not speech.negated(text.low[cut.end : end]):
            continue
        step = read(text, mentions, second)
        if not (speech.negated(step.low) and words(step.low)) or speech.forbids_all(step.low):
            continue
        if stands(read(text, mentions, first)):
            yield replace(piece, span=first)
            yield Clause(second, True)
            start = min(end + 1, piece.span.end) if after else end
    if start < piece.span.end:
        yield replace(piece, span=Span(start, piece.span.end))


def _refusals(
    read: Read, text: Text, mentions: Sequence[Mention], pieces: Sequence[Clause]
) -> list[Refusal]:
    whole = read(text, mentions, Span(0, len(text.low)))
    sure = whole.parse.share >= SURELY
    plain = sure and not (whole.parse.changes and forbids(whole.parse, whole.low))
    found: list[Refusal] = []  # where a message is plain as a whole, most negations are part of it
    for number, piece in enumerate(pieces if len(pieces) > 1 else ()):
        step = read(text, mentions, piece.span)
        before = Span(pieces[0].span.start, piece.span.start)
        if number and _takes_back(read, text, mentions, before, step):
            found = [Refusal(Span(before.start, piece.span.end), all_before=True)]
        elif not number and speech.forbids_all(step.low):
            found.append(Refusal(step.span, everything=True))
        elif refuses(step) or (found and _goes_on(piece, step, found[-1])):
            told = refusal(read, text, mentions, step)
            if told.all_before and number and _asked(read(text, mentions, before)):
                told = replace(told, span=Span(before.start, piece.span.end))
            if whole.parse.certain and told.all_before and not speech.retracts(step.low):
                continue  # "cancel it. He swore it was converging. It's not."
            if not plain or told.spares or (number and told.all_before):
                found.append(told)
    return [r for r in found if r.forbids and not (r.all_before and not _before(r, pieces))]


def _before(refusal: Refusal, pieces: Sequence[Clause]) -> bool:
    """Does anything stand before what takes back all before it? Else it governs what follows."""
    return pieces[0].span.start < refusal.span.start or pieces[0].span.end < refusal.span.end


def courteous(text: Text, mentions: Sequence[Mention]) -> tuple[Text, tuple[Mention, ...]]:
    """A message without phrases that bind nothing: ``when you get a sec``, ``方便的话``."""
    quoted = [m.span for m in mentions if m.kind == "quoted"]
    spans = [
        span
        for span in speech.courtesies(text.low)
        if span.end - span.start < len(text.low) and not any(span.overlaps(q) for q in quoted)
    ]
    kept = tuple(m for m in mentions if not any(m.span.overlaps(span) for span in spans))
    return (text.without(spans), kept) if spans else (text, kept)


def _takes_back(
    read: Read, text: Text, mentions: Sequence[Mention], before: Span, step: Step
) -> bool:
    """Nothing but a word that takes back all that was said; some do so only with a change.

    ``no`` does at the end of a sentence, before a comma it only corrects a value; ``wait`` does
    before a look.
    """
    if speech.dismisses(step.low):
        return True
    asked = read(text, mentions, before)
    if not _asked(asked):
        return False
    rest = Span(step.span.end, len(text.low))
    if speech.waits(step.low):
        look = read(text, mentions, rest).parse
        return look.tool is not None and not look.changes
    if speech.aborts(step.low):
        same = step.parse.reading.share(asked.parse.label)
        meant = same >= _SAME and not _STOPS.search(asked.low)  # "nobody reads it, stop"
        return stands(asked) and not meant
    comma = text.low[rest.start :].lstrip(" ").startswith(",")
    return speech.stops(step.low) and not (comma and len(step.low.strip()) <= _NO)


def _asked(before: Step) -> bool:
    return before.parse.changes and before.parse.share >= SURE


def _goes_on(piece: Clause, step: Step, last: Refusal) -> bool:
    """``don't restart ranker and sentiment``: is a clause still governed by the refusal before it?"""
    if piece.span.start - last.span.end > len(piece.joint) + 2:
        return False
    if step.parse.bare or speech.likewise(step.low):
        return bool(last.things)
    return last.forbids and step.parse.changes and speech.joins(piece.joint)


def _surely(step: Step) -> bool:
    if step.parse.changes:
        asked = step.parse.reading.change >= SURELY
        return asked and (not step.parse.filled.missing or stands(step))
    return step.parse.share >= SURELY and not speech.declares(step.low)


def _asks(step: Step) -> bool:
    """Does it ask in so many words?"""
    asked = step.parse.changes or step.parse.act is Act.QUESTION
    return asked or speech.orders(step.low) or speech.looks(step.low)


def _sparing(step: Step, spared: frozenset[str]) -> Step:
    """A step for several names without those that are to be left alone."""
    filled = step.parse.filled
    if not spared or not filled.also or not step.parse.changes:
        return step
    args, also = dict(filled.args), dict[str, tuple[object, ...]]()
    for name, values in filled.also.items():
        left = [v for v in (args[name], *values) if str(v) not in spared]
        if left:
            args[name], also[name] = left[0], tuple(left[1:])
    told = replace(filled, args=args, also={n: v for n, v in also.items() if v})
    return replace(step, parse=replace(step.parse, filled=told))
