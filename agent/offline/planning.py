"""From clauses to an ordered plan of calls, or to the question that must come first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent.offline import ask, references, replies, speech
from agent.offline.cores import Step, excused
from agent.offline.features import masked
from agent.offline.fill import NAMES
from agent.offline.mentions import Mention
from agent.offline.names import Names
from agent.offline.parse import FAINT, Parse, Parser
from agent.offline.speech import Act
from agent.offline.steps import Finder
from agent.offline.text import Lang, Text
from agent.offline.text import pattern as compiled
from agent.offline.turns import Pending, Understanding
from tools.contract import Call, Effect, Json

_POSSESSED = compiled(r"\b(?:the|my|a|an|our|his|her|your|their) (?P<noun>[a-z]{3,})\b")


class Planner:
    """Plans one message."""

    def __init__(self, parser: Parser, names: Names) -> None:
        self.parser = parser
        self.names = names
        self._finder = Finder(parser)

    def plan(
        self, text: Text, mentions: Sequence[Mention], known: Mapping[str, str]
    ) -> Understanding:
        """Understand a message on its own; ``known`` are names from earlier turns, by kind."""
        text, mentions = references.corrected(text, mentions)
        found = self._finder.find(text, mentions)
        if not found.wanted:
            return self._nothing(found.rest, text.lang, mentions)
        return self._settle(found.wanted, text, known)

    def _settle(self, steps: Sequence[Step], text: Text, known: Mapping[str, str]) -> Understanding:
        calls: list[Call] = []
        doubts: list[tuple[int, Understanding]] = []
        for step in steps:
            args = self._arguments(step, calls, known)
            call = Call(step.parse.label, args)
            doubt = self._doubt(step, call, text)
            if doubt:
                doubts.append((len(calls), doubt))
            calls += (call, *self._each(step, call))
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

    def checked(
        self, calls: Sequence[Call], mentions: Sequence[Mention], text: Text
    ) -> Understanding:
        """Calls made over from earlier ones; asks where a name is ambiguous."""
        for number, call in enumerate(calls):
            tool = self.parser.tools[call.tool]
            for mention in mentions:
                options = next((o for o in mention.means.values() if len(o) > 1), ())
                said = text.said(mention.span)
                name = next((p.name for p in tool.parameters if call.args.get(p.name) == said), "")
                if options and name and tool.effect is not Effect.READ:
                    partial = Call(call.tool, {k: v for k, v in call.args.items() if k != name})
                    pending = Pending(
                        partial, name, options, tuple(calls[number + 1 :]), tuple(calls[:number])
                    )
                    return self._question(
                        ask.ambiguous(said, options, text.lang), pending, text.lang
                    )
        return Understanding(tuple(calls), lang=text.lang, confidence=1.0)

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
            pointed = parameter.word == "version" and references.points(low)
            if value is None and (parameter.word in NAMES or pointed):
                value = references.recalled(parameter, known)
            if value is not None:
                args[parameter.name] = value
        if (
            known
            and references.points(low)
            and not any(p.word in NAMES and p.name in args for p in tool.parameters)
        ):
            optional = next(
                (p for p in tool.parameters if p.word in NAMES and not p.required), None
            )
            value = references.recalled(optional, known) if optional else None
            if optional and value:
                args[optional.name] = value
        return args

    def _doubt(self, step: Step, call: Call, text: Text) -> Understanding | None:
        """What must be asked before this call may be made."""
        parse, lang = step.parse, text.lang
        tool = parse.tool
        assert tool is not None
        low = step.core
        tool_waits = any(
            p.word in ("when", "text", "window") and p.required for p in tool.parameters
        )
        serves = any(p.word in ("deployment", "node") for p in tool.parameters)
        later = speech.later(text.low) or (serves and speech.tonight(low))
        if parse.changes and speech.either(low) and not tool_waits and not later:
            return self._either(step, call, lang)
        condition = parse.act is Act.CONDITION or speech.conditional(text.low)
        waits = condition and not speech.conditional(parse.phrase)
        if parse.changes and (waits or (later and not tool_waits)):
            return self._question(ask.conditional(call, lang), Pending(call), lang)
        for name, options in parse.filled.ambiguous.items():
            if parse.changes:
                said = str(call.args.get(name, ""))
                partial = Call(call.tool, {k: v for k, v in call.args.items() if k != name})
                return self._question(
                    ask.ambiguous(said, options, lang), Pending(partial, name, options), lang
                )
        if self._elsewhere(step):
            return Understanding(reply=replies.say("scope", lang), lang=lang)
        open_ = [
            p for p in tool.parameters if p in parse.filled.missing and p.name not in call.args
        ]
        if open_ and (parse.sure or parse.changes):
            question, options = ask.missing(tool, open_[0], self.names, lang)
            return self._question(question, Pending(call, open_[0].name, options), lang)
        if open_:
            return Understanding(reply=replies.say("nothing", lang), lang=lang)
        if parse.changes and (
            (parse.act is not Act.REQUEST and not excused(parse) and parse.act is not Act.CONDITION)
            or not parse.sure
        ):
            if parse.similarity < 0.3:
                named = [str(m.value) for m in step.material.mentions if m.kind == "name"]
                return self._question(ask.unclear(named, lang), None, lang)
            return self._question(ask.confirm(call, lang), Pending(call), lang)
        return None

    @staticmethod
    def _each(step: Step, call: Call) -> list[Call]:
        """The same call for every further name of a list."""
        return [
            Call(call.tool, {**call.args, name: value})
            for name, values in step.parse.filled.also.items()
            for value in values
        ]

    def _either(self, step: Step, call: Call, lang: Lang) -> Understanding:
        """``restart ranker or sentiment``: which of them?"""
        names = [str(m.value) for m in step.material.mentions if m.kind == "name"]
        name = next((k for k, v in call.args.items() if v in names), "")
        partial = Call(call.tool, {k: v for k, v in call.args.items() if k != name})
        pending = Pending(partial, name, tuple(names)) if name else None
        return self._question(ask.ambiguous(call.tool, names, lang), pending, lang)

    def _elsewhere(self, step: Step) -> bool:
        """A change to a thing that is none of ours: ``roll back the carpet``, ``my phone``."""
        parse = step.parse
        if not parse.changes or not any(p.word in NAMES for p in parse.filled.missing):
            return False
        low = masked(step.material.text.low, step.material.mentions)
        return any(m["noun"] not in self.parser.words for m in _POSSESSED.finditer(low))

    @staticmethod
    def _question(question: str, pending: Pending | None, lang: Lang) -> Understanding:
        return Understanding(clarify=question, lang=lang, pending=pending)

    def _nothing(self, parse: Parse, lang: Lang, mentions: Sequence[Mention]) -> Understanding:
        """Why no call was made."""
        if parse.act is Act.NEGATED:
            return Understanding(reply=replies.say("negated", lang), lang=lang)
        named = [str(m.value) for m in mentions if m.kind == "name" and m.known]
        if (
            parse.tool is None
            and parse.similarity >= FAINT
            and not (parse.label == "scope" and named)
        ):
            return Understanding(reply=replies.say(parse.label, lang), lang=lang)
        if parse.act is Act.GENERAL:
            return Understanding(reply=replies.say("explain", lang), lang=lang)
        if parse.act is Act.STATEMENT:
            return Understanding(reply=replies.say("statement", lang), lang=lang)
        if parse.act is Act.QUESTION and parse.changes:
            return Understanding(reply=replies.say("explain", lang), lang=lang)
        if (
            named
            and parse.act is Act.REQUEST
            and any(speech.declares(t) for t in (" ".join(parse.tokens),))
        ):
            return Understanding(reply=replies.say("statement", lang), lang=lang)
        if named:
            return self._question(ask.unclear(named, lang), None, lang)
        return Understanding(reply=replies.say("nothing", lang), lang=lang)
