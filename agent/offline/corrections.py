"""What a message itself took back: ``a third... no, 30 percent``, ``for an hour, no, make it two``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from agent.offline.mention import Mention
from agent.offline.text import Span, Text
from agent.offline.text import pattern as compiled

CORRECTION = compiled(
    r"(?:^|(?<=[,.;:-] )|(?<=[,.;:-]))(?:hmm* |ah |oh |eh )?no\b(?! (?:more|less|fewer|longer|need|reason|rush|point|trouble|doubt|new)\b)[,. ]|\bno,? (?=v?\d|make|wait|sorry|i mean)"
    r"|\b(?:nope|wait|sorry|oops|pardon|(?:scratch|scrap|strike|ignore) that|i mean|i meant|make that|rather|correction|apologies|my (?:mistake|bad)|(?:\w+ )?fat fingers|typo|on second thoughts?|(?<=[,.;:-] )(?:hang|hold) (?:on|up)|oh (?:hang|hold) on|wrong (?:one|number|name))\b[,.:;! ]"
    r"|\bactually\b,? (?=(?:make|to|use|do|version|v?\d|only|the other)\b|v?\d)|[,;.-] ?actually\b,? |\.\.\.\s*no\b"
    r"|[,.;] ?(?:hmm* |well |no )?(?:v?\d+|that|it)(?:'s| is) (?:\w+ )?(?:silly|too \w+|wrong|overkill|excessive|nonsense),? (?=\S)"
    r"|啊?不对|[,;.-] ?(?:er|err|erm|uh|uhm|hmm?|ugh|or rather|better|let's say|let's make that|change that to)\b,? "
    r"|(?:[,.;]|\.\.) ?(?:哦|噢|呃|额|嗯|算了|还是|等等|等下|太\S{1,2}了)?[,. ]*(?:改成|改为|改(?=[\d一二三四五六七八九十半两]))|(?:[,.;]|\.\.) ?(?:算了|等等|等下|呃|额|嗯保险点|保险点)[,. ]*"
    r"|不好算,? ?就?按?|不是|(?:打|说|写|看|搞|弄)?错了?(?=[,. ])|错了|口误|手滑|我是说|应该是|哦不|噢不|啊不|更正|撤回撤回"
)
_BETWEEN = compiled(
    r"\W*(?:(?:make|set|take|use|do|it|that|this|to|at|just|only|rather|i|mean|meant|say|better|be|for|v|version|改成?|改为|是|到|用|就|按|应该|给)\W*)*"
)
"""Words between taking a value back and naming the new one."""
_ONTO = compiled(
    r"\W*(?:(?:make|take|use|do|it|it's|that|this|to|at|just|only|rather|i|mean|meant|say|better|be|is|for|on|onto|into|in|with|from|of|should|the|node|job|model|deployment|service|alert|rule|one|not|scale|restart|drain|cordon|uncordon|silence|mute|cancel|promote|prune|train|roll|back|改成?|改为|换成?|是|到|用|就|按|应该|给|在|那个|那台|这个|这台|先|发|重启|封锁|排空|静默|取消)\W*)*"
)
"""What may stand between taking a name back and naming the right one."""
_AND = compiled(r"\s*(?:,|and|&|vs\.?|versus|with|to|和|跟|与|对比?)\s*(?:v|version )?")
_EXCHANGED: tuple[set[str], ...] = (
    {"version", "alias"},
    {"version", "count"},
    {"alias", "count"},
    {"count", "fraction"},
    {"revision", "count"},
    {"gpu", "count"},
    {"xid", "count"},
)
"""Kinds of values one of which corrects another."""
_FARTHEST = 40
_AMOUNT = compiled(r"\d+(?=[a-z]+$)")
_NUMBERED = frozenset({"version", "revision", "gpu", "xid", "action"})


def corrected(text: Text, mentions: Sequence[Mention]) -> tuple[Text, tuple[Mention, ...]]:
    """Take out what the sentence itself took back, and put the new value in its place."""
    for match in CORRECTION.finditer(text.low):
        after = next((m for m in mentions if m.span.start >= match.end() - 1), None)
        before = [m for m in mentions if m.span.end <= match.start()]
        if after is None or not before:
            continue
        between = text.low[match.end() : after.span.start]
        if after.kind == "name" and not (len(between) < _FARTHEST and _ONTO.fullmatch(between)):
            continue
        undone = [m for m in before if _alike(m, after)]
        renewed = _renewed(text, before[-1], after, match)
        if renewed is not None:
            return _without(text, mentions, Span(match.start(), after.span.end), renewed)
        if undone:
            first = undone[-min(len(undone), _together(text, mentions, after))]
            return _without(text, mentions, Span(first.span.start, match.end()), None)
    return text, tuple(mentions)


def _without(
    text: Text, mentions: Sequence[Mention], taken: Span, renewed: Mention | None
) -> tuple[Text, tuple[Mention, ...]]:
    kept = (m for m in mentions if m.span.end <= taken.start or m.span.start >= taken.end)
    if renewed is not None:
        kept = (renewed if m.span == renewed.span else m for m in kept)
    return text.without([taken]), tuple(kept)


def _renewed(text: Text, old: Mention, new: Mention, match: re.Match[str]) -> Mention | None:
    """The old value with the new bare number: ``an hour`` and ``two`` are two hours."""
    if new.kind != "count" or new.unit or not isinstance(new.value, float):
        return None
    between = text.low[match.end() : new.span.start]
    if len(between) > _FARTHEST or not _BETWEEN.fullmatch(between) or old.kind == "name":
        return None
    number = new.value
    if old.kind == "count":
        return replace(old, value=number) if old.unit else None
    if not number.is_integer():
        return None
    if old.kind == "window" and _AMOUNT.match(str(old.value)):
        return replace(old, value=_AMOUNT.sub(str(int(number)), str(old.value)))
    if old.kind == "params" and isinstance(old.value, Mapping) and len(old.value) == 1:
        return replace(old, value=dict.fromkeys(old.value, int(number)))
    if old.kind in _NUMBERED:
        return replace(old, value=str(int(number)))
    return None


def _alike(old: Mention, new: Mention) -> bool:
    """May the one stand in the place of the other?"""
    if old.kind == new.kind == "name":
        return bool(old.means.keys() & new.means.keys())
    return old.kind == new.kind or {old.kind, new.kind} in _EXCHANGED


def _together(text: Text, mentions: Sequence[Mention], first: Mention) -> int:
    """How many values are told anew in one breath: ``4 and 6, sorry, 5 and 6``."""
    row = [m for m in mentions if m.span.start >= first.span.start]
    count = 1
    for one, other in pairwise(row):
        if not (_alike(one, other) and _AND.fullmatch(text.low[one.span.end : other.span.start])):
            break
        count += 1
    return count
