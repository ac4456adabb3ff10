"""A clause that only refuses: which deed it forbids, or what it wants left alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.offline import speech
from agent.offline.apart import Read
from agent.offline.mention import Mention
from agent.offline.slots import choices, switches
from agent.offline.speech import Act
from agent.offline.step import THINGS, Step, forbids
from agent.offline.text import Span, Text, pattern
from agent.offline.wording import words

_ELSEWHERE = pattern(r"(?<![\w-])[a-z][a-z0-9-]*\s*(?:那边|这边|里|上)?的?\s*(?:别|不要|不用|先别)")
"""A place beside the refusal, ``fab12 的别动``: it is not about what was asked for before."""
_BRIEF = 4
"""Words of a clause that only forbids, ``don't do it``, and says nothing else."""
_SURE, _APART = 0.7, 0.35
"""How likely a clause asks for a deed, without its negation, to forbid just that one; or how much
likelier than for any other."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A clause that wants something not to be done."""

    span: Span
    deed: str | None = None
    """The tool it forbids, where it names the deed."""
    things: frozenset[str] = frozenset()
    """What is to be left alone."""
    spares: bool = False
    """Are these only to be left as they are?"""
    all_before: bool = False
    """Does it name neither, and so mean whatever was asked for before?"""
    everything: bool = False
    """Does it open the message, and so govern all of it?"""

    @property
    def forbids(self) -> bool:
        """Does it say anything of what is asked?"""
        return bool(self.deed or self.things or self.all_before or self.everything)

    def covers(self, step: Step) -> bool:
        """Does it forbid what a step asks for?"""
        if not step.parse.changes or (self.deed and self.deed != step.parse.label):
            return False
        if self.everything:
            return True
        if self.things:
            return any(str(value) in self.things for value in step.parse.filled.args.values())
        return self.deed is not None or (self.all_before and self._follows(step))

    def _follows(self, step: Step) -> bool:
        """Does it come after all that a step names?"""
        ends = [step.span.start + m.span.end for m in step.material.mentions]
        return step.span.start < self.span.start and max(ends, default=0) <= self.span.end


def refuses(step: Step) -> bool:
    """Is a clause there only to forbid, or to spare something it names?"""
    low = step.material.text.low
    if switches.find("enabled", low) is False or choices.negative(low, speech.negations(low)):
        return False
    if speech.spares(step.low) or speech.retracts(step.low):
        return True
    if speech.states_not(step.low):
        return False
    if step.parse.changes:
        return forbids(step.parse, step.low)
    return step.parse.act is Act.NEGATED


def refusal(read: Read, text: Text, mentions: Sequence[Mention], step: Step) -> Refusal:
    """What a clause forbids: the deed is what it would ask for without its negation.

    A deed that is not clear forbids nothing here; the whole message is read as it stands then.
    """
    things = frozenset(_things(step))
    if speech.spares(step.low):
        return Refusal(step.span, None, things, spares=True)
    start = step.span.start
    negators = [
        Span(start + s.start, start + s.end) for s in speech.negations(step.material.text.low)
    ]
    asked = read(text.without(negators), mentions, step.span)
    (label, share), (_, second) = asked.parse.reading.shares[:2]
    likely = share >= _SURE or share - second >= _APART
    if likely and not label.startswith("@") and not asked.parse.bare:
        return Refusal(step.span, label, things)
    brief = len(words(step.low)) <= _BRIEF
    alone = asked.parse.bare or (brief and speech.retracts(step.low))
    alone = alone and not _ELSEWHERE.search(step.low)
    return Refusal(step.span, all_before=not things and alone)


def _things(step: Step) -> Iterator[str]:
    """All that a clause may name, by any of its names."""
    for mention in step.material.mentions:
        for one in (mention, *mention.also):
            if one.kind in THINGS:
                yield str(one.value)
                yield from (option for options in one.means.values() for option in options)
            elif isinstance(one.value, float) and not one.unit:
                yield f"{one.value:g}"
    yield from choices.named(step.material.text.low)
