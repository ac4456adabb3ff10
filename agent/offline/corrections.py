"""What a message itself took back: ``a third... no, 30 percent``, ``for an hour, no, make it two``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent.offline.mention import Mention
from agent.offline.text import Span, Text
from agent.offline.text import pattern as compiled

CORRECTION = compiled(
    r"(?:^|(?<=[,.;:-] )|(?<=[,.;:-]))no\b[, ]|\bno,? (?=v?\d|make|wait|sorry|i mean)|\b(?:nope|wait|sorry|oops|pardon|scratch that|i mean|i meant|make that|rather|correction)\b[, ]|\bactually\b,? (?=(?:make|to|use|do|version|v?\d|the other)\b|v?\d)|[,;.-] ?actually\b,? |\.\.\.\s*no\b|啊?不对|[,;.-] ?(?:er|err|erm|uh|uhm|hmm|or rather|better|let's say|let's make that|change that to)\b,? |(?:[,.;]|\.\.) ?(?:哦|噢|呃|额|嗯|算了|还是|等等|等下)?[,. ]*(?:改成|改为)|(?:[,.;]|\.\.) ?(?:算了|等等|等下|呃|额)[,. ]*|不好算,? ?就?按?|不是|错了|我是说|应该是|哦不|噢不|更正"
)
_BETWEEN = compiled(
    r"\W*(?:(?:make|set|take|use|do|it|that|this|to|at|just|only|rather|i|mean|meant|say|better|be|for|v|version|改成?|改为|是|到|用|就|按|应该|给)\W*)*"
)
"""Words between taking a value back and naming the new one."""
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
        undone = [m for m in before if _kind(m) == _kind(after)]
        renewed = _renewed(text, before[-1], after, match)
        if renewed is not None:
            return _without(text, mentions, Span(match.start(), after.span.end), renewed)
        if undone:
            return _without(text, mentions, Span(undone[-1].span.start, match.end()), None)
    return text, tuple(mentions)


def _without(
    text: Text, mentions: Sequence[Mention], taken: Span, renewed: Mention | None
) -> tuple[Text, tuple[Mention, ...]]:
    blank = " " * (taken.end - taken.start)
    kept = (m for m in mentions if m.span.end <= taken.start or m.span.start >= taken.end)
    if renewed is not None:
        kept = (renewed if m.span == renewed.span else m for m in kept)
    raw = text.raw[: taken.start] + blank + text.raw[taken.end :]
    low = text.low[: taken.start] + blank + text.low[taken.end :]
    return replace(text, raw=raw, low=low), tuple(kept)


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


def _kind(mention: Mention) -> str:
    return "/".join(sorted(mention.means)) if mention.kind == "name" else mention.kind
