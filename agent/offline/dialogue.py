"""Context over turns: answers to our questions, ``the other one``, ``same for …``, corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent.offline import answers, ask, declared, references, replies
from agent.offline.fill import NAMES, Material
from agent.offline.grammar import words as lexicon
from agent.offline.mention import Mention
from agent.offline.planning import Planner
from agent.offline.slots import choices
from agent.offline.speech import Act, act
from agent.offline.text import Text
from agent.offline.text import pattern as compiled
from agent.offline.turns import Past, Pending, Understanding
from agent.offline.wording import masked, stem, words
from tools.contract import Call, Json, Parameter

_MEMORY = 6
"""Turns back that ``it`` may point to."""
_OTHER = compiled(
    r"\bother(?: one)?\b|\bthe second one\b|另(?:外)?(?:一)?(?:个|边|台)|剩下(?:的)?那?个|別的那个|别的那个"
)
_AGAIN = compiled(
    r"^(?:(?:do (?:it|that) |same |try |check |run (?:it|that) )?again|once more|one more time|repeat(?: (?:it|that))?|retry|"
    r"再来一(?:次|遍)|再(?:试|查|看|跑)(?:一次|一遍|一下)?|重来(?:一次)?|重试(?:一下)?|同上)[?.! ]*$"
)
_JOINTS = frozenset(map(stem, lexicon("joints")))
_HAN_JOINTS = compiled(
    r"[那呢也对给换成改为是不应该我说的还有版本第个号算吧就和跟用要再来到点了了吗么嘛按照试下一样同样理样一下把它这做处查看副本数应设修订调过去最近内近对了啊哦呀噢错更正]+"
)


class Conversation:
    """One message in the light of the turns before it."""

    def __init__(self, planner: Planner, past: Sequence[Past]) -> None:
        self._planner = planner
        self._parser = planner.parser
        self._past = tuple(past)[-_MEMORY:]

    @property
    def known(self) -> Mapping[str, str]:
        """Names the conversation is about, by kind of argument; the newest win."""
        found: dict[str, str] = {}
        for turn in reversed(self._past):
            pending = (turn.pending.call,) if turn.pending else ()
            for call in (*pending, *reversed(turn.calls)):
                tool = self._parser.tools.get(call.tool)
                declared = {p.name: p.word for p in self._parameters(call)}
                made = {k: v for k, v in call.args.items() if k not in declared}
                for name, value in made.items():  # what its outcome brought about
                    found.setdefault(name, str(value))
                if tool and references.makes_version(tool):
                    found.setdefault("version", references.NEW_VERSION)
                for name, word in declared.items():
                    value = call.args.get(name)
                    if isinstance(value, str) and word:
                        found.setdefault(word, value)
        return found

    def follow(self, text: Text, mentions: Sequence[Mention]) -> Understanding | None:
        """The message as a continuation, or ``None`` when it stands on its own."""
        if not self._past:
            return None
        last = self._past[-1]
        if last.pending:
            return self._answered(text, mentions, last.pending)
        calls = next((t.calls for t in reversed(self._past) if t.calls), ())
        if not calls:
            return None
        if _AGAIN.match(text.low.strip()):
            return self._done(calls, text)
        lexical = self._lexical(text, mentions, calls)
        if _OTHER.search(text.low) and len(lexical) <= 1:
            return self._other(calls, text)
        if not lexical and act(masked(text.low, mentions)) is not Act.NEGATED:
            return self._replaced(calls, text, mentions)
        return None

    # ---- answers ---------------------------------------------------------------------------

    def _answered(
        self, text: Text, mentions: Sequence[Mention], pending: Pending
    ) -> Understanding | None:
        if answers.declines(text.low):
            return Understanding(reply=replies.say("negated", text.lang), lang=text.lang)
        if self._new_request(text, mentions, pending):
            return None
        if pending.ask is None:
            return self._complete(pending, {}, text) if answers.agrees(text.low) else None
        parameter = next((p for p in self._parameters(pending.call) if p.name == pending.ask), None)
        if parameter is None:
            return None
        if len(pending.options) > 1 and answers.everything(text.low):
            return self._each(pending, text)
        chosen = answers.option(text.low, pending.options, parameter.word in NAMES)
        if chosen:
            return self._complete(pending, {pending.ask: chosen}, text)
        found = self._filled(pending.call, text, mentions)
        if pending.ask not in found:
            value = answers.value(parameter, text)
            if value is None:
                return None
            found[pending.ask] = value
        return self._complete(pending, found, text)

    def _new_request(self, text: Text, mentions: Sequence[Mention], pending: Pending) -> bool:
        """Has the person gone on to something else?"""
        if pending.options and answers.only_a_place(text.low):
            return False
        parse = self._parser.parse(Material(text, tuple(mentions)))
        if parse.tool is None or parse.bare or parse.share < 0.5:
            return False
        if parse.label == pending.call.tool or parse.filled.missing or not parse.sure:
            return False
        asked = next((p for p in self._parameters(pending.call) if p.name == pending.ask), None)
        if asked and asked.word == "text" and not text.low.rstrip().endswith("?"):
            return False
        if asked and asked.word == "when" and answers.value(asked, text):
            return parse.share >= 0.95
        return parse.share >= 0.7

    def _each(self, pending: Pending, text: Text) -> Understanding:
        name = pending.ask or ""
        calls = [Call(pending.call.tool, {**pending.call.args, name: o}) for o in pending.options]
        return self._done((*pending.before, *calls, *pending.rest), text)

    def _complete(self, pending: Pending, found: Mapping[str, Json], text: Text) -> Understanding:
        call = Call(pending.call.tool, {**pending.call.args, **found})
        tool = self._parser.tools[call.tool]
        missing = tool.lacking(call.args)
        if missing:
            question, options = ask.missing(tool, missing[0], self._planner.names, text.lang)
            again = replace(pending, call=call, ask=missing[0].name, options=options)
            return Understanding(clarify=question, lang=text.lang, pending=again)
        return self._done((*pending.before, call, *pending.rest), text)

    # ---- follow-ups ------------------------------------------------------------------------

    def _replaced(
        self, calls: Sequence[Call], text: Text, mentions: Sequence[Mention]
    ) -> Understanding | None:
        """``same for sentiment``, ``no, version 3``, ``过去两小时呢``: the last calls, changed."""
        changed: list[Call] = []
        for call in calls:
            found = self._filled(call, text, mentions)
            if found:
                changed.append(Call(call.tool, {**call.args, **found}))
            elif changed or any(m.kind == "name" for m in mentions):
                continue
        if not changed and any(m.kind == "name" for m in mentions):
            named = any(p.word in NAMES for c in calls for p in self._parameters(c))
            return None if named else self._done(calls, text)
        if not changed:
            return None
        return self._planner.checked(changed, mentions, text)

    def _other(self, calls: Sequence[Call], text: Text) -> Understanding | None:
        for call in reversed(calls):
            for parameter in self._parameters(call):
                current = call.args.get(parameter.name)
                if parameter.word not in NAMES or not isinstance(current, str):
                    continue
                others = self._others(parameter, current)
                partial = {k: v for k, v in call.args.items() if k != parameter.name}
                if len(others) == 1:
                    return self._done(
                        (Call(call.tool, {**partial, parameter.name: others[0]}),), text
                    )
                tool = self._parser.tools[call.tool]
                question, _ = ask.missing(tool, parameter, self._planner.names, text.lang)
                pending = Pending(Call(call.tool, partial), parameter.name, others)
                return Understanding(clarify=question, lang=text.lang, pending=pending)
        return None

    def _others(self, parameter: Parameter, current: str) -> tuple[str, ...]:
        """What ``the other one`` may be: a namesake, the other one talked about, or one of two."""
        names = ask.candidates(parameter.word, self._planner.names)
        bare = current.rsplit("/", 1)[-1]
        namesakes = tuple(n for n in names if n != current and n.rsplit("/", 1)[-1] == bare)
        if namesakes:
            return namesakes
        said = dict.fromkeys(
            value
            for turn in reversed(self._past)
            for call in turn.calls
            for p in self._parameters(call)
            if p.word == parameter.word and isinstance(value := call.args.get(p.name), str)
        )
        talked = tuple(n for n in said if n != current)
        return talked[:1] or tuple(n for n in names if n != current)

    # ---- parts -----------------------------------------------------------------------------

    def _filled(self, call: Call, text: Text, mentions: Sequence[Mention]) -> dict[str, Json]:
        tool = self._parser.tools.get(call.tool)
        if tool is None:
            return {}
        filled = self._parser.fill(tool, Material(text, tuple(mentions)))
        return {k: v for k, v in filled.args.items() if v != call.args.get(k)}

    def _lexical(self, text: Text, mentions: Sequence[Mention], calls: Sequence[Call]) -> list[str]:
        """Words that say something beyond joining on to the turn before."""
        left: list[str] = []
        low = masked(text.low, mentions)
        for values in (declared.choices(p) for c in calls for p in self._parameters(c)):
            for span, _ in choices.find(low, values):
                low = low[: span.start] + " " * (span.end - span.start) + low[span.end :]
        for token in words(low):
            if token.isupper() or token == "?" or token in _JOINTS or token.startswith("m="):
                continue
            if token[0] > "\u2fff":
                token = _HAN_JOINTS.sub("", token)
            if token:
                left.append(token)
        return left

    def _parameters(self, call: Call) -> tuple[Parameter, ...]:
        tool = self._parser.tools.get(call.tool)
        return tool.parameters if tool else ()

    @staticmethod
    def _done(calls: Sequence[Call], text: Text) -> Understanding:
        return Understanding(tuple(calls), lang=text.lang, confidence=1.0)
