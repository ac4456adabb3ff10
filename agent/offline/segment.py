"""Splits a message into clauses at punctuation and at words that join requests."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.offline.mentions import Mention
from agent.offline.text import Span

_HARD = re.compile(
    r"[;\n]+|[.!?]+(?=\s|$)|(?<=[\u4e00-\u9fff])[.!?]+|\s(?:-|--)\s"
    r"|(?:,\s*)?\b(?:and then|then|after that|afterwards|and after that|followed by|and also|also|as well as|plus|next|finally|and finally)\b,?"
    r"|[,]?\s*(?:然后再?|接着再?|之后再?|随后|紧接着|顺便再?|顺带|最后再?|并且|并(?=[^行发且不])|同时|以及|另外|还有(?=把|查|看|给)|(?<=[,\u4e00-\u9fff\w])\s*再(?!次|说|见|试|来|也|训|跑|起|启|让|重|接|给))"
)
_SOFT = re.compile(r",(?!\d{3})|\s&\s|\band\b|\bbut\b|\bso\b(?= )|(?<=[\u4e00-\u9fff\w ])[和跟与](?=[\u4e00-\u9fff\w ])|(?<=\w) ?: (?=\w)")
_FIRST = re.compile(r"^\s*(?:first(?:ly)?|second(?:ly)?|next|finally|then|and|also|so|but|plus|首先|其次|最后|先|再|并|然后)[\s,]+")


def clauses(low: str, mentions: Sequence[Mention], soft: bool = True) -> list[Span]:
    """The clauses of a folded text; never cuts through a mention."""
    cuts: list[tuple[int, int]] = []
    for pattern in (_HARD, _SOFT) if soft else (_HARD,):
        for match in pattern.finditer(low):
            span = Span(*match.span())
            if match.group() and not any(span.overlaps(m.span) for m in mentions):
                cuts.append(match.span())
    spans: list[Span] = []
    at = 0
    for start, end in sorted(cuts):
        if start < at:
            at = max(at, end)
            continue
        spans.append(Span(at, start))
        at = end
    spans.append(Span(at, len(low)))
    keep = [s for s in (_trim(low, s) for s in spans) if s.end - s.start > 0]
    return keep


def _trim(low: str, span: Span) -> Span:
    start, end = span.start, span.end
    lead = _FIRST.match(low[start:end])
    if lead:
        start += lead.end()
    while start < end and low[start] in " ,.;:":
        start += 1
    while end > start and low[end - 1] in " ,;:":
        end -= 1
    return Span(start, end)
