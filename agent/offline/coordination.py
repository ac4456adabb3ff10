"""Lists of names and of numbers: one mention that stands for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from agent.offline.mention import Mention
from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_JOINT = compiled(
    r"\s*(?:,|、|&|\+|,?\s*\band\b|,?\s*\bas well as\b|和|与|跟|以及|还有|及)\s*(?:on |of |for |in )?"
)
_NUMBERED = ("xid", "gpu", "action", "sample")
_OF_ONE_KIND = frozenset({"node", "alert"})
"""Kinds that share no request with a second name of another kind."""
_ALL_OF = compiled(r"\s*(?:都|全|一起|一并|both\b|两[台个张]|[三四五]台)")
"""After the last of names that only stand side by side."""

_SPARED = compiled(
    r"\s*(?:就|先|暂时|暂|可以|都)*(?:不用|不要|不必|不动|不管|别(?!的)|勿|除外|跳过|留着|等等|算了|不发(?!布)|不推)"
    r"|(?:'s)? (?:can wait|stays?|not|is(?:n't)?|must|should|mustn't|shouldn't|doesn't|keeps?|remains?|excluded|excepted|later)\b"
    r"|\s*(?:要|得|必须|还是|让它|给我)?(?:留着?|保留|不动|不变|照旧|照常|继续)"
)
"""After a name that is to be left alone, and so is no item of the list before it."""


def coordinated(low: str, mentions: Sequence[Mention]) -> list[Mention]:
    """Names (or metrics) joined by ``and`` or a comma become one mention that stands for all of them."""
    joined: list[Mention] = []
    for mention, after in zip_longest(mentions, mentions[1:]):
        last = joined[-1] if joined else None
        if last and _list_goes_on(low, last, mention, after):
            span = Span(last.span.start, mention.span.end)
            joined[-1] = replace(last, span=span, core=span, also=(*last.also, mention))
        else:
            joined.append(mention)
    return joined


def _list_goes_on(low: str, last: Mention, mention: Mention, after: Mention | None) -> bool:
    if (
        last.kind not in ("name", "metric", *_NUMBERED)
        or mention.kind != last.kind
        or last.value == mention.value
    ):
        return False
    if last.kind == "name" and not set(last.means) & set(mention.means):
        return False
    if last.guessed != mention.guessed:
        return False
    if mention.kind == "action" and not low[mention.span.start : mention.span.end].isdigit():
        return False
    between = low[last.span.end : mention.span.start]
    if _SPARED.match(low[mention.span.end :]):
        return False
    if between.isspace():
        return last.kind in _NUMBERED or _side_by_side(low, last, mention, after)
    return bool(_JOINT.fullmatch(between))


def _side_by_side(low: str, last: Mention, mention: Mention, after: Mention | None) -> bool:
    """Are names a list although nothing joins them: ``cordon a-1 a-2``, ``a b c: restart them``?"""
    if not (last.kind == "name" and last.known and mention.known):
        return False
    if last.also or _ALL_OF.match(low[mention.span.end :]):
        return True
    if set(last.means) | set(mention.means) <= _OF_ONE_KIND:
        return True
    if after is None or after.kind != "name" or not after.known:
        return False
    return low[mention.span.end : after.span.start].isspace()
