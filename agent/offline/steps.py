"""Finds the requests inside a message: which clauses ask, which only tell, which add details."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.offline import speech
from agent.offline.cores import (
    SOFTLY,
    Step,
    acts,
    answered,
    detail,
    excused,
    forbids,
    holds,
    is_core,
    own_name,
    wanted,
)
from agent.offline.features import masked
from agent.offline.fill import NAMES, Filled, Material
from agent.offline.mentions import Mention
from agent.offline.parse import FAINT, SURE, Parse, Parser, mentions_within
from agent.offline.segment import clauses
from agent.offline.speech import Act
from agent.offline.text import Span, Text


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
        """The requests a message makes."""
        whole = Material(text, tuple(mentions))
        full = Step(
            self._parser.parse(whole),
            whole,
            Span(0, len(text.low)),
            core=masked(text.low, mentions),
        )
        if full.parse.act is Act.HEDGED and full.parse.similarity < SOFTLY:
            change = self._parser.parse(whole, changes=True)
            if change.sure or (change.similarity >= 0.35 and change.anchor >= 0.3):
                full = replace(full, parse=change)
                return Steps((full,), change)
        pieces = [
            c
            for c in clauses(text.low, mentions)
            if not speech.assents(text.low[c.span.start : c.span.end])
        ]
        atoms = [
            replace(self._step(text, mentions, c.span, c.hard), joint=c.joint.strip())
            for c in pieces
        ]
        like = next((s for s in atoms if s.parse.label == full.parse.label), None)
        full = replace(full, core=like.core) if like else full
        if any(s.parse.act is Act.CONDITION for s in (*atoms, full)):
            conditional = self._conditional(text, mentions, full)
            if conditional:
                return Steps((conditional,), full.parse)
        if len(atoms) < 2:
            alone = atoms[0] if atoms else full
            return Steps(
                (full,) if wanted(full) else (), full.parse if wanted(full) else alone.parse
            )
        return self._several(text, mentions, atoms, full)

    def _several(
        self, text: Text, mentions: Sequence[Mention], atoms: Sequence[Step], full: Step
    ) -> Steps:
        cores = self._cores(atoms, full)
        forbidden = [s for s in atoms if forbids(s.parse)]
        if not cores:
            if forbidden and not excused(full.parse):
                return Steps((), forbidden[0].parse)
            told = next((s for s in atoms if s.parse.act is Act.STATEMENT), None)
            if told and full.parse.similarity < SURE:
                return Steps((), told.parse)
            return Steps((full,) if wanted(full) else (), full.parse)
        if (
            atoms[0].parse.bare
            and not atoms[0].hard
            and full.parse.similarity >= SURE
            and wanted(full)
        ):
            return Steps((full,), full.parse)
        steps = self._merged(text, mentions, atoms, cores)
        if len(steps) == 1 and steps[0].parse.filled.missing and wanted(full) and not forbidden:
            fewer = len(full.parse.filled.missing) < len(steps[0].parse.filled.missing)
            if fewer and (full.parse.sure or not full.parse.changes):
                return Steps((full,), full.parse)
        if len(steps) == 1 and not forbidden and steps[0].parse.tool and not own_name(steps[0]):
            steps = [self._widened(text, mentions, steps[0], 0, len(text.low))]
        if not forbidden and self._whole_wins(full, steps):
            return Steps((full,), full.parse)
        return Steps(tuple(steps), full.parse)

    @staticmethod
    def _whole_wins(full: Step, steps: Sequence[Step]) -> bool:
        """Is the message better read as one request?"""
        if not wanted(full):
            return False
        labels = {s.parse.label for s in steps}
        best = max(s.parse.similarity for s in steps)
        if len(steps) == 1:
            return full.parse.label not in labels and full.parse.similarity > best + 0.05
        if any(s.hard for s in steps[1:]):
            return False
        least = min(s.parse.similarity for s in steps)
        if full.parse.act is Act.STATEMENT or (least >= 0.6 and full.parse.similarity < 0.9):
            return False
        return full.parse.similarity > max(least, 0.6)

    # ---- which clauses count ---------------------------------------------------------------

    def _cores(self, atoms: Sequence[Step], full: Step) -> list[Step]:
        cores = [
            s
            for i, s in enumerate(atoms)
            if is_core(s, first=i == 0) and not (i and self._carried(atoms[:i], s, full))
        ]
        if len(cores) > 1:
            asking = [s for i, s in enumerate(cores) if not self._tells(s, cores[i + 1 :])]
            cores = asking or cores
        cores = [s for i, s in enumerate(cores) if not answered(s, cores[i + 1 : i + 2])]
        cores = [
            s for i, s in enumerate(cores) if i == 0 or s.hard or not s.parse.changes or holds(s)
        ]
        told = any(s.parse.act is Act.STATEMENT for s in atoms)
        if told:
            cores = [s for s in cores if own_name(s) or s.parse.similarity >= 0.6]
        if full.parse.act is Act.GENERAL and len(atoms) > 1 and not any(s.hard for s in atoms[1:]):
            cores = [
                s
                for s in cores
                if s.parse.similarity >= 0.6
                and (own_name(s) or not s.parse.changes)
                and not s.parse.filled.missing
            ]
            cores = (
                cores
                if len(cores) != 1 or cores[0].parse.similarity > full.parse.similarity
                else []
            )
        return cores

    @staticmethod
    def _carried(before: Sequence[Step], step: Step, full: Step) -> bool:
        """Does a ``do not …`` or ``did you …?`` before it reach over this clause too?"""
        if step.hard or not step.parse.changes:
            return False
        last = before[-1].parse
        if forbids(last):
            return step.joint in ("and", "or") or (
                last.label == step.parse.label and not own_name(step)
            )
        asked = full.parse.act in (Act.QUESTION, Act.GENERAL) and "?" in full.material.text.low[-2:]
        return asked and before[0].parse.act in (Act.QUESTION, Act.GENERAL)

    @staticmethod
    def _tells(step: Step, following: Sequence[Step]) -> bool:
        """Does the clause only say how things are, or why something is asked?"""
        parse = step.parse
        low = masked(step.material.text.low, step.material.mentions)
        if parse.act is Act.QUESTION:
            return False
        if parse.tool and any(p.word == "text" and p.required for p in parse.tool.parameters):
            return False
        if parse.changes:
            lost = any(p.word in NAMES for p in parse.filled.missing)
            return speech.declares(low) or (lost and parse.similarity < 0.6)
        ordered = any(s.parse.changes for s in following) and not speech.orders(low)
        return speech.declares(low) or (ordered and parse.similarity < 0.75)

    def _conditional(self, text: Text, mentions: Sequence[Mention], full: Step) -> Step | None:
        """A request bound to a condition, judged by its main clause."""
        span = speech.main_clause(text.low) or (0, len(text.low))
        if span:
            main = self._step(text, mentions, Span(*span), True)
            parse = main.parse
            if (
                not parse.changes
                and full.parse.act is Act.CONDITION
                and not speech.looks(main.material.text.low)
            ):
                main = replace(main, parse=self._parser.parse(main.material, changes=True))
                parse = main.parse
            if acts(parse) and not speech.conditional(parse.phrase):
                return replace(main, parse=replace(parse, act=Act.CONDITION))
        negated = full.parse.act is Act.NEGATED
        if full.parse.tool and full.parse.similarity >= FAINT and not negated:
            return (
                replace(full, parse=replace(full.parse, act=Act.CONDITION))
                if full.parse.changes
                else None
            )
        return None

    # ---- from clauses to steps -------------------------------------------------------------

    def _step(self, text: Text, mentions: Sequence[Mention], span: Span, hard: bool) -> Step:
        own = mentions_within(mentions, span.start, span.end)
        before = [m for m in mentions if m.span.end <= span.start]
        after = [m for m in mentions if m.span.start >= span.end]
        material = Material(text.part(span), own, (*reversed(before), *after))
        return Step(
            self._parser.parse(material), material, span, hard, masked(material.text.low, own)
        )

    def _merged(
        self, text: Text, mentions: Sequence[Mention], atoms: Sequence[Step], cores: Sequence[Step]
    ) -> list[Step]:
        """Details join the request beside them; a new name alone repeats the request before it."""
        steps: list[Step] = []
        lead: int | None = None
        for atom in atoms:
            if atom in cores:
                if steps and (self._swallows(steps[-1], atom) or self._same(steps[-1], atom)):
                    steps[-1] = self._widened(
                        text, mentions, steps[-1], steps[-1].span.start, atom.span.end
                    )
                    continue
                start = atom.span.start if lead is None else lead
                steps.append(self._widened(text, mentions, atom, start, atom.span.end))
                lead = None
            elif not detail(atom):
                lead = None
            elif steps and (again := self._again(steps[-1], atom)):
                steps.append(again)
            elif steps:
                steps[-1] = self._widened(
                    text, mentions, steps[-1], steps[-1].span.start, atom.span.end
                )
            elif lead is None:
                lead = atom.span.start
        return steps

    def _widened(
        self, text: Text, mentions: Sequence[Mention], step: Step, start: int, end: int
    ) -> Step:
        """The same reading with arguments from a wider stretch of the text."""
        if (start, end) == (step.span.start, step.span.end) or step.parse.tool is None:
            return step
        wide = self._material(text, mentions, Span(start, end))
        filled = self._parser.fill(step.parse.tool, wide)
        return replace(
            step, parse=replace(step.parse, filled=filled), material=wide, span=Span(start, end)
        )

    @staticmethod
    def _material(text: Text, mentions: Sequence[Mention], span: Span) -> Material:
        own = mentions_within(mentions, span.start, span.end)
        before = [m for m in mentions if m.span.end <= span.start]
        after = [m for m in mentions if m.span.start >= span.end]
        return Material(text.part(span), own, (*reversed(before), *after))

    @staticmethod
    def _swallows(last: Step, atom: Step) -> bool:
        """Free text goes on until a strong joint."""
        tool = last.parse.tool
        texts = [p for p in tool.parameters if p.word == "text" and p.required] if tool else []
        return bool(texts) and not atom.hard

    def _same(self, last: Step, atom: Step) -> bool:
        """The same request once more, or with another detail."""
        if last.parse.label != atom.parse.label or last.parse.tool is None:
            return False
        own = self._parser.fill(
            last.parse.tool, Material(atom.material.text, atom.material.mentions)
        )
        if own.bare:
            return True
        before = last.parse.filled.args
        return all(k not in before or before[k] == v for k, v in own.args.items())

    def _again(self, last: Step, atom: Step) -> Step | None:
        """``scale ranker to 6 and sentiment to four``: the same tool for the next name."""
        tool = last.parse.tool
        if tool is None or not own_name(atom):
            return None
        alone = Material(atom.material.text, atom.material.mentions)
        filled = self._parser.fill(tool, alone)
        named = [p.name for p in tool.parameters if p.word in NAMES and p.name in filled.args]
        before = last.parse.filled.args
        if not named or any(m.kind == "name" for m in filled.unused):
            return None
        if not all(n in before and filled.args[n] != before[n] for n in named):
            return None
        merged = Filled({**before, **filled.args}, (), filled.ambiguous)
        merged.missing = tuple(p for p in last.parse.filled.missing if p.name not in merged.args)
        return Step(replace(last.parse, filled=merged), alone, atom.span)
