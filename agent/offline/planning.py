"""From clauses to an ordered plan of calls, or to the question that must come first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent.offline import apart, aside, ask, corrections, references, replies, sharing, speech
from agent.offline.addressee import elsewhere
from agent.offline.consent import Verdict, may_be_apart, verdict
from agent.offline.fill import NAMES
from agent.offline.mention import Mention
from agent.offline.names import Names
from agent.offline.parse import FAINT, Parse, Parser
from agent.offline.segment import clauses
from agent.offline.speech import Act
from agent.offline.step import Step
from agent.offline.steps import Finder
from agent.offline.text import Lang, Text
from agent.offline.turns import Pending, Understanding
from tools.contract import Call, Effect, Json, Parameter

_TIMED = ("when", "text", "window")
"""Words of arguments of tools that a time in the request may belong to."""


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
        text, mentions = corrections.corrected(text, mentions)
        text, mentions = aside.courteous(text, mentions)
        found = self._finder.find(text, mentions)
        if elsewhere(self.parser.lexicon.strange, text, found.wanted):
            return Understanding(reply=replies.say(Verdict.NOTE, text.lang), lang=text.lang)
        if not found.wanted:
            return self._nothing(found.rest, text.lang, mentions)
        return self._settle(found.wanted, text, mentions, known)

    def _settle(
        self,
        steps: Sequence[Step],
        text: Text,
        mentions: Sequence[Mention],
        known: Mapping[str, str],
    ) -> Understanding:
        calls: list[Call] = []
        doubts: list[tuple[int, Understanding]] = []
        for step in steps:
            args = self._arguments(step, calls, known)
            if calls and step.parse.tool:
                before = text.low[: step.span.start]
                tools = self.parser.tools
                args |= references.carried(step.low, before, step.parse.tool, args, calls, tools)
            args |= sharing.repeated(args, calls)
            call = Call(step.parse.label, args)
            if call in calls:
                continue
            doubt = self._doubt(step, call, text)
            if doubt:
                doubts.append((len(calls), doubt))
            calls += (call, *self._each(step, call))
        confidence = min(s.parse.share for s in steps)
        if not doubts:
            told = sharing.shared(text.low, mentions, calls, self.parser.tools)
            return Understanding(told, lang=text.lang, confidence=round(confidence, 3))
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
                if options and name and said not in options and tool.effect is not Effect.READ:
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
        low = step.low
        for parameter in step.parse.filled.missing:
            value = references.earlier(parameter, calls, self.parser.tools)
            pointed = parameter.word == "version" and references.points(low)
            named = parameter.word in NAMES and not (known and self._unknown(step))
            if value is None and (named or pointed):
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

    def _unknown(self, step: Step) -> str:
        """A name said in a request that nothing has: context must not stand in for it."""
        text, mentions = step.material.text, step.material.mentions
        return references.unknown(text.low, mentions, self.parser.lexicon.strange)

    def _doubt(self, step: Step, call: Call, text: Text) -> Understanding | None:
        """What must be asked before this call may be made."""
        if not step.parse.changes:
            open_ = self._ambiguous(step, call, text.lang)
            return open_ or self._incomplete(step, call, text.lang)
        lang = text.lang
        timed = any(p.word in _TIMED and p.required for p in _parameters(step))
        choice = self._either(step, call, lang) if speech.either(step.low) and not timed else None
        if choice:
            return choice
        judged = self._judged(step, text.low, timed)
        if judged is Verdict.WAIT:
            return self._question(ask.conditional(call, lang), Pending(call), lang)
        if judged in (Verdict.EXPLAIN, Verdict.NOTE):
            return Understanding(reply=replies.say(judged, lang), lang=lang)
        open_ = self._ambiguous(step, call, lang) or self._incomplete(step, call, lang)
        if open_ or judged is Verdict.PROPOSE:
            return open_
        if step.parse.share < FAINT or step.parse.bare:
            named = [str(m.value) for m in step.material.mentions if m.kind == "name"]
            return self._question(ask.unclear(named, lang), None, lang)
        return self._question(ask.confirm(call, lang), Pending(call), lang)

    def _judged(self, step: Step, low: str, timed: bool) -> Verdict:
        """The verdict on a change, by the clause or the sentence that surely asks for it alone.

        ``low`` is the whole message: an afterthought anywhere in it puts the change off.
        """
        judged = verdict(step.parse, step.low, timed)
        pieces = (low[c.span.start : c.span.end] for c in clauses(low, ()))
        if not timed and any(map(speech.afterthought, pieces)):
            return Verdict.ASK if judged is Verdict.PROPOSE else judged
        if judged is Verdict.PROPOSE:
            return judged
        read = self._finder.read
        beside = apart.clause(read, step) if may_be_apart(step.parse, step.low) else None
        alone = None if step.parse.awaited else apart.sentence(read, step)
        for part in (beside, alone):
            if part and verdict(part.parse, part.low, timed) is Verdict.PROPOSE:
                return Verdict.PROPOSE
        return judged

    def _ambiguous(self, step: Step, call: Call, lang: Lang) -> Understanding | None:
        for name, options in step.parse.filled.ambiguous.items():
            said = str(call.args.get(name, ""))
            partial = Call(call.tool, {k: v for k, v in call.args.items() if k != name})
            return self._question(
                ask.ambiguous(said, options, lang), Pending(partial, name, options), lang
            )
        return None

    def _incomplete(self, step: Step, call: Call, lang: Lang) -> Understanding | None:
        parse = step.parse
        open_ = [
            p for p in _parameters(step) if p in parse.filled.missing and p.name not in call.args
        ]
        if open_ and parse.tool and (parse.sure or parse.changes):
            unknown = self._unknown(step) if open_[0].word in NAMES else ""
            question, options = ask.missing(
                parse.tool, open_[0], self.names, lang, step.material.text.low, unknown
            )
            return self._question(question, Pending(call, open_[0].name, options), lang)
        if open_:
            return Understanding(reply=replies.say("nothing", lang), lang=lang)
        return None

    @staticmethod
    def _each(step: Step, call: Call) -> list[Call]:
        """The same call for every further name of a list."""
        return [
            Call(call.tool, {**call.args, name: value})
            for name, values in step.parse.filled.also.items()
            for value in values
        ]

    def _either(self, step: Step, call: Call, lang: Lang) -> Understanding | None:
        """``restart ranker or sentiment``: which of them? Nothing when there is no choice."""
        said = [m for m in step.material.mentions if not isinstance(m.value, Mapping)]
        kinds = [m.kind for m in said]
        kind = next((k for k in ("name", *kinds) if kinds.count(k) > 1), None)
        if kind is None:
            return None
        options = [step.material.text.said(m.core) for m in said if m.kind == kind]
        names = [str(m.value) for m in said if m.kind == kind] if kind == "name" else options
        name = next((k for k, v in call.args.items() if str(v) in names), "")
        partial = Call(call.tool, {k: v for k, v in call.args.items() if k != name})
        pending = Pending(partial, name, tuple(names)) if name else None
        return self._question(ask.ambiguous(call.tool, names, lang), pending, lang)

    @staticmethod
    def _question(question: str, pending: Pending | None, lang: Lang) -> Understanding:
        return Understanding(clarify=question, lang=lang, pending=pending)

    def _nothing(self, parse: Parse, lang: Lang, mentions: Sequence[Mention]) -> Understanding:
        """Why no call was made."""
        named = [str(m.value) for m in mentions if m.kind == "name" and m.known]
        if parse.act is Act.NEGATED and parse.changes:
            return Understanding(reply=replies.say("negated", lang), lang=lang)
        if parse.label in ("@unclear", "@conditional") or (named and parse.tool):
            return self._question(ask.unclear(named, lang), None, lang)
        if parse.tool:
            return Understanding(reply=replies.say("nothing", lang), lang=lang)
        return Understanding(reply=replies.say(parse.label.lstrip("@"), lang), lang=lang)


def _parameters(step: Step) -> tuple[Parameter, ...]:
    return step.parse.tool.parameters if step.parse.tool else ()
