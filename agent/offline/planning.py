"""From clauses to an ordered plan of calls, or to the question that must come first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from agent.offline import ask, references, replies, speech
from agent.offline.features import masked
from agent.offline.fill import NAMES, Filled, Material
from agent.offline.mentions import Mention
from agent.offline.names import Names
from agent.offline.parse import FAINT, SURE, Parse, Parser, mentions_within
from agent.offline.segment import clauses
from agent.offline.speech import Act
from agent.offline.text import Lang, Span, Text
from agent.offline.turns import Pending, Understanding
from tools.contract import Call, Effect, Json, Tool

_ASKING = (Act.REQUEST, Act.QUESTION)


@dataclass(frozen=True, slots=True)
class Step:
    """A clause with its reading and the material its arguments come from."""

    parse: Parse
    material: Material
    span: Span


class Planner:
    """Plans one message."""

    def __init__(self, parser: Parser, names: Names) -> None:
        self.parser = parser
        self.names = names

    def plan(
        self, text: Text, mentions: Sequence[Mention], known: Mapping[str, str]
    ) -> Understanding:
        """Understand a message on its own; ``known`` are names from earlier turns, by kind."""
        mentions = references.corrected(text.low, mentions)
        steps, spare = self._steps(text, mentions)
        if not steps:
            return self._nothing(spare, text.lang, mentions)
        return self._settle(steps, text, known)

    # ---- clauses -------------------------------------------------------------------------

    def _steps(self, text: Text, mentions: Sequence[Mention]) -> tuple[list[Step], Parse]:
        whole = Material(text, tuple(mentions))
        full = Step(self.parser.parse(whole), whole, Span(0, len(text.low)))
        spans = clauses(text.low, mentions)
        if len(spans) < 2:
            return ([full] if self._wanted(full) else []), full.parse
        atoms = [self._step(text, mentions, span) for span in spans]
        cores = [s for s in atoms if self._core(s)]
        forbidden = any(self._forbids(s) for s in atoms)
        conditions = any(s.parse.act is Act.CONDITION for s in (*atoms, full))
        if self._whole_wins(full, cores, forbidden, conditions):
            return ([full] if self._wanted(full) else []), full.parse
        if not cores:
            return [], next((s.parse for s in atoms if self._forbids(s)), full.parse)
        return self._merge(text, mentions, atoms, cores, full), full.parse

    def _whole_wins(
        self, full: Step, cores: Sequence[Step], forbidden: bool, conditions: bool
    ) -> bool:
        if conditions and full.parse.tool and full.parse.similarity >= FAINT:
            return True
        if forbidden:
            return not cores and self._excused(full.parse)
        if not cores:
            return True
        if len(cores) == 1:
            core = cores[0].parse
            same = core.label == full.parse.label
            return (same or full.parse.similarity > core.similarity + 0.05) and self._wanted(full)
        best = max(s.parse.similarity for s in cores)
        labels = {s.parse.label for s in cores}
        if len(labels) == 1 and len({str(s.parse.filled.args) for s in cores}) == 1:
            return True
        return full.parse.similarity > best - 0.02 and not _plainly_two(cores)

    def _step(self, text: Text, mentions: Sequence[Mention], span: Span) -> Step:
        own = mentions_within(mentions, span.start, span.end)
        before = [m for m in mentions if m.span.end <= span.start]
        after = [m for m in mentions if m.span.start >= span.end]
        material = Material(text.part(span), own, (*reversed(before), *after))
        return Step(self.parser.parse(material), material, span)

    def _core(self, step: Step) -> bool:
        """Is the clause a request or a question of its own?"""
        parse = step.parse
        if parse.tool is None or not parse.sure:
            return False
        if parse.act is Act.NEGATED:
            return self._excused(parse)
        if parse.changes:
            return parse.act in (Act.REQUEST, Act.HEDGED)
        return parse.act in (*_ASKING, Act.HEDGED)

    def _forbids(self, step: Step) -> bool:
        return step.parse.act is Act.NEGATED and not self._excused(step.parse)

    @staticmethod
    def _excused(parse: Parse) -> bool:
        """Does the nearest declared phrase forbid in the same way (``do not notify about …``)?"""
        return speech.negated(parse.phrase) and parse.similarity >= SURE

    def _merge(
        self,
        text: Text,
        mentions: Sequence[Mention],
        atoms: Sequence[Step],
        cores: Sequence[Step],
        full: Step,
    ) -> list[Step]:
        """Cores become steps; fragments that only name things repeat the step before them."""
        steps: list[Step] = []
        for atom in atoms:
            if atom in cores:
                steps.append(self._refilled(atom, steps))
            elif steps and (again := self._again(steps[-1], atom)):
                steps.append(again)
        return steps

    def _refilled(self, atom: Step, steps: Sequence[Step]) -> Step:
        return atom

    def _again(self, last: Step, atom: Step) -> Step | None:
        """``scale ranker to 6 and sentiment to four``: the same tool for the next name."""
        tool = last.parse.tool
        lexical = [t for t in atom.parse.tokens if not t.isupper()]
        if tool is None or len(lexical) > 2 or atom.parse.act is not Act.REQUEST:
            return None
        if not any(m.kind == "name" for m in atom.material.mentions):
            return None
        alone = Material(atom.material.text, atom.material.mentions)
        filled = self.parser.fill(tool, alone)
        named = [p.name for p in tool.parameters if p.word in NAMES and p.name in filled.args]
        if not named or any(m.kind == "name" for m in filled.unused):
            return None
        if all(filled.args[n] == last.parse.filled.args.get(n) for n in named):
            return None
        inherited = {k: v for k, v in last.parse.filled.args.items() if k not in filled.args}
        merged = Filled({**inherited, **filled.args}, (), filled.ambiguous)
        merged.missing = tuple(p for p in last.parse.filled.missing if p.name not in merged.args)
        return Step(replace(last.parse, filled=merged), alone, atom.span)

    # ---- from readings to calls ----------------------------------------------------------

    def _wanted(self, step: Step) -> bool:
        """Should this reading become a call (or a question about it) at all?"""
        parse = step.parse
        if parse.tool is None or parse.similarity < FAINT:
            return False
        if parse.act is Act.NEGATED:
            return self._excused(parse)
        if parse.act is Act.GENERAL:
            return not parse.changes and parse.similarity >= 0.5
        if parse.changes:
            return parse.act in (Act.REQUEST, Act.CONDITION, Act.HEDGED) or (
                parse.act is Act.QUESTION and parse.similarity >= SURE
            )
        return parse.act is not Act.STATEMENT or parse.sure

    def _settle(self, steps: Sequence[Step], text: Text, known: Mapping[str, str]) -> Understanding:
        calls: list[Call] = []
        doubts: list[tuple[int, Understanding]] = []
        for number, step in enumerate(steps):
            args = self._arguments(step, calls, known)
            call = Call(step.parse.label, args)
            doubt = self._doubt(step, call, text)
            if doubt:
                doubts.append((number, doubt))
            calls.append(call)
        confidence = min(s.parse.similarity for s in steps)
        if not doubts:
            return Understanding(tuple(calls), lang=text.lang, confidence=round(confidence, 3))
        number, doubt = doubts[0]
        pending = doubt.pending
        if pending:
            pending = replace(
                pending, before=tuple(calls[:number]), rest=tuple(calls[number + 1 :])
            )
        return replace(doubt, confidence=round(confidence, 3), pending=pending)

    def _arguments(
        self, step: Step, calls: Sequence[Call], known: Mapping[str, str]
    ) -> dict[str, Json]:
        """Arguments, completed by what earlier steps and earlier turns named."""
        args = dict(step.parse.filled.args)
        tool = step.parse.tool
        assert tool is not None
        low = masked(step.material.text.low, step.material.mentions)
        for parameter in step.parse.filled.missing:
            value = references.earlier(parameter, calls, self.parser.tools)
            if value is None and parameter.word in NAMES:
                value = references.recalled(parameter, low, known)
            if value is not None:
                args[parameter.name] = value
        return args

    def _doubt(self, step: Step, call: Call, text: Text) -> Understanding | None:
        """What must be asked before this call may be made."""
        parse, lang = step.parse, text.lang
        tool = parse.tool
        assert tool is not None
        if parse.changes and parse.act is Act.CONDITION and not speech.conditional(parse.phrase):
            return self._question(ask.conditional(call, lang), Pending(call), lang)
        for name, options in parse.filled.ambiguous.items():
            if parse.changes:
                said = str(call.args.get(name, ""))
                partial = Call(call.tool, {k: v for k, v in call.args.items() if k != name})
                return self._question(
                    ask.ambiguous(said, options, lang), Pending(partial, name, options), lang
                )
        open_ = [p for p in tool.parameters if p in parse.filled.missing and p.name not in call.args]
        if open_ and (parse.sure or parse.changes):
            question, options = ask.missing(tool, open_[0], self.names, lang)
            return self._question(question, Pending(call, open_[0].name, options), lang)
        if open_:
            return self._question(ask.unclear((), lang), None, lang)
        if parse.changes and (parse.act is not Act.REQUEST and not self._excused(parse) and not (parse.act is Act.CONDITION) or not parse.sure):
            if parse.similarity < 0.3:
                named = [str(m.value) for m in step.material.mentions if m.kind == "name"]
                return self._question(ask.unclear(named, lang), None, lang)
            return self._question(ask.confirm(call, lang), Pending(call), lang)
        return None

    @staticmethod
    def _question(question: str, pending: Pending | None, lang: Lang) -> Understanding:
        return Understanding(clarify=question, lang=lang, pending=pending)

    def _nothing(self, parse: Parse, lang: Lang, mentions: Sequence[Mention]) -> Understanding:
        """Why no call was made."""
        if parse.act is Act.NEGATED:
            return Understanding(reply=replies.say("negated", lang), lang=lang)
        if parse.tool is None and parse.similarity >= FAINT:
            return Understanding(reply=replies.say(parse.label, lang), lang=lang)
        if parse.act is Act.GENERAL:
            return Understanding(reply=replies.say("explain", lang), lang=lang)
        if parse.act is Act.STATEMENT:
            return Understanding(reply=replies.say("statement", lang), lang=lang)
        if parse.act is Act.QUESTION and parse.changes:
            return Understanding(reply=replies.say("explain", lang), lang=lang)
        named = [str(m.value) for m in mentions if m.kind == "name" and m.known]
        if named:
            return self._question(ask.unclear(named, lang), None, lang)
        return Understanding(reply=replies.say("nothing", lang), lang=lang)


def _plainly_two(cores: Sequence[Step]) -> bool:
    """Different tools, each sure of itself with its own arguments."""
    labels = {s.parse.label for s in cores}
    return len(labels) > 1 and all(s.parse.similarity >= 0.55 for s in cores)


def reads(tool: Tool) -> bool:
    """Does the tool only look?"""
    return tool.effect is Effect.READ
