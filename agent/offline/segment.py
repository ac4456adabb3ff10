"""Splits a message into clauses at punctuation and at words that join requests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.offline import speech
from agent.offline.mention import Mention
from agent.offline.text import Span, Text
from agent.offline.text import pattern as compiled

_HARD = compiled(
    r"[;\n]+|\s*&&\s*|(?:^|(?<=[\s,;:\u4e00-\u9fff\"]))\(?[1-9](?:[).]\s+|\)(?=[a-z\u4e00-\u9fff]))|(?<!incl)(?<!e\.g)(?<!i\.e)(?<!etc)(?<!\bvs)(?<!approx)(?<!\bno)[.!?]+(?=\s|$)|(?<=[\u4e00-\u9fff])[.!?]+|(?<!\d)[.!?]+(?=[\u4e00-\u9fff])|\s(?:-|--)\s"
    r"|(?:,\s*)?\b(?:and then|then|after that|afterwards|and after that|followed by|and also|also|as well as|plus|next|finally|and finally)\b,?"
    r"|[,]?\s*(?:然后再?|(?<=[, ])接着再?|之后再?(?!.*(?:吗|么|[?]|怎么|为什么|是否|多少|没有?$))|(?<=[%成完])后,?(?=\s*[a-z\u4e00-\u9fff])|随后|紧接着|(?<=[,;])\s*完后|(?<=[,; ])(?:完了|完事了?|弄完|搞完|搞定|做完)(?:之?后|以后)?,?\s*再?(?=\S)|顺便再?|顺带|(?<=[, ])最后再?|并且|并(?=[^行发且不])|同时|以及|另外|还有(?=把|查|看|给)|(?<=[,\u4e00-\u9fff\w])(?<!要)(?<!用)(?<!别)(?<!不)(?<!先)(?<!能)(?<!可以)(?<!又)(?<!一)(?<!勿)\s*再(?!次|说|见|试|来|也|训|跑|起|启|让|重|接|给))"
)
_INCLUDING = compiled(
    r",?\s*(?:\b(?:including|incl\.?|covering)\b|包括|包含|涵盖|(?<=,)\s*(?:[外附]?带上?|附上)(?=[\u4e00-\u9fffa-z ]))(?:[^;.\n!?]|(?<=[\da-z])\.(?=[\da-z]))*"
)
"""What belongs to a thing asked for is no list of requests: ``, including alerts and jobs``."""
_MARKED = compiled(r"(?:^|[\s,;:.])\(?[1-9][).]\s*$")
_ITEM = compiled(r"[2-9](?:[).]\s|\)$)")
_FIRST_ITEM = compiled(r"(?:^|[\s,;:])\(?1(?:[).]\s|\))")
"""Marks of the items of a numbered list, which begins with 1."""
_SOFT = compiled(
    r",(?!\d{3})|\s[&+/]\s|(?<!\bahead )(?<!\btry )(?<!\bcome )(?<!\boff )\band\b|\bbut\b|\bso\b(?= )|\s(?=without (?:push|deploy|promot|restart|roll|touch|retrain|delet|remov|export|scal|drain)\w*ing\b)|(?<=[\u4e00-\u9fff\w ])[和跟与](?=[\u4e00-\u9fff\w ])"
)
_FIRST = compiled(
    r"^\s*(?:first(?:ly)?|second(?:ly)?|next|finally|then|and|also|so|but|plus|首先|其次|最后|先|再|并|然后)[\s,]+"
)


_LOOSE = compiled(
    r"[,;:.!?]+(?=\s|$|[\u4e00-\u9fff])|\s+(?:and|n|&|\+|plus|then|also)\s+|(?<=[\u4e00-\u9fff])\s+|\s+(?=[\u4e00-\u9fff])"
    r"|(?<=[\u4e00-\u9fff\s])(?:和|跟|与|及|再|并|又)(?=[\u4e00-\u9fff\s])"
    r"|\s+(?=(?:scale|restart|(?:un)?cordon|drain|roll|promote|(?:un)?silence|prune|quanti[sz]e|export|cancel|pause|resume|check|show|compare|list)\s)"
)
"""Places where a message that surely makes several requests may be cut."""


_SHORT = 4
"""Words of an item of a row of two, ``models, jobs``; longer ones may explain each other."""
_GAP = compiled(r"(?<=[\u4e00-\u9fff\d%])\s+|\s+(?=[\u4e00-\u9fff])")
_LISTING = compiled(
    r"\s*(?:[+&、]|(?<=\s)/(?=\s)|\?(?=\s+(?:and |also |any )?[a-z]+)|(?<=\w)，?加上?(?=[\u4e00-\u9fffa-z ])|(?<=[\u4e00-\u9fffa-z ])[和跟及](?=[\u4e00-\u9fffa-z ])|以及|,?\s+(?:plus|and|n)\s+(?:the |also )?)\s*"
)
"""What stands between the items of a list."""
_ROW = compiled(rf"{_LISTING.pattern}|\s*,\s*(?:and |then )?(?:the )?")
"""The same in a row of three or more: ``alerts, nodes and jobs``."""
_FULL_STOP = compiled(
    r"[.!?]+(?=\s|$)|(?<=[\u4e00-\u9fff])[.!?]+|(?<!\d)[.!?]+(?=[\u4e00-\u9fff])|[;\n]+"
)
_LEAD = compiled(r"[^,:;]{1,60}(?::\s+|(?<=[\u4e00-\u9fff]):\s*)(?=\S)")
"""``things to check before I leave:``"""


MOST_CLAUSES = 5
"""Clauses that are told apart; what follows stays with the last of them."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a message, and whether a strong joint (``then``, a full stop) precedes it."""

    span: Span
    hard: bool
    joint: str = ""
    """The word or mark before it."""

    @property
    def item(self) -> bool:
        """Is it an item of a numbered list?"""
        return bool(_MARKED.search(self.joint))


def clauses(low: str, mentions: Sequence[Mention], loose: bool = False) -> list[Clause]:
    """The clauses of a folded text; never cuts through a mention, nor between two numbers.

    ``loose`` cuts wherever a request could end, for want of a better joint.
    """
    cuts: list[tuple[int, int, bool]] = []
    numbered = bool(_FIRST_ITEM.search(low))
    included = _included(low, mentions)
    for pattern in (_HARD, _SOFT, _LOOSE) if loose else (_HARD, _SOFT):
        for match in pattern.finditer(low):
            span = Span(*match.span())
            if not numbered and _ITEM.search(
                match.group()
            ):  # "in rack 4. Drain it" ends a sentence
                span = Span(match.end() - 2, match.end())
            listed = pattern is not _HARD and any(span.overlaps(i) for i in included)
            if match.group() and not listed and _may_cut(span, mentions):
                cuts.append((span.start, span.end, pattern is _HARD))
    found: list[Clause] = []
    at, hard, joint = 0, True, ""
    for start, end, strong in sorted(cuts):
        if start < at:
            at, hard, joint = max(at, end), hard or strong, joint + low[start:end]
            continue
        piece = _trim(low, Span(at, start))
        if piece.end > piece.start:
            found.append(Clause(piece, hard, joint))
            hard, joint = False, ""
        at, hard, joint = end, hard or strong, joint + low[start:end]
    piece = _trim(low, Span(at, len(low)))
    return [*found, Clause(piece, hard, joint)] if piece.end > piece.start else found


def _included(low: str, mentions: Sequence[Mention]) -> list[Span]:
    """What only says what is to be in an answer; a thing that is named is asked for itself."""
    named = [m.span for m in mentions if m.kind == "name"]
    found = (Span(*match.span()) for match in _INCLUDING.finditer(low))
    return [span for span in found if not any(span.overlaps(n) for n in named)]


def gaps(low: str, mentions: Sequence[Mention]) -> list[Span]:
    """Spaces beside Chinese characters, where a clause may end without a mark."""
    found = (Span(*match.span()) for match in _GAP.finditer(low))
    return [gap for gap in found if not any(gap.overlaps(m.span) for m in mentions)]


def items(low: str, mentions: Sequence[Mention]) -> list[Span]:
    """The items of a message that is one list: ``gpu status + processes``; one when it is none."""
    row = [s for s in _parted(low, mentions, _ROW) if not speech.assents(low[s.start : s.end])]
    announced = bool(row) and row[0].start > 0
    short = all(len(low[s.start : s.end].split()) <= _SHORT for s in row)
    return row if len(row) > 2 - (announced or short) else _parted(low, mentions, _LISTING)


def sentences(low: str, mentions: Sequence[Mention]) -> list[Span]:
    """The sentences of a message."""
    return [span for span in _parted(low, mentions, _FULL_STOP) if span.end > span.start]


def _parted(low: str, mentions: Sequence[Mention], between: re.Pattern[str]) -> list[Span]:
    found: list[Span] = []
    lead = _LEAD.match(low)
    at = lead.end() if lead and not any(m.span.start < lead.end() for m in mentions) else 0
    at = at or (1 if low.startswith(("把", "将")) else 0)
    for match in between.finditer(low, at):
        if _may_cut(Span(*match.span()), mentions) and match.start() > at:
            found.append(_trim(low, Span(at, match.start())))
            at = match.end()
    return [*found, _trim(low, Span(at, len(low)))]


def _may_cut(cut: Span, mentions: Sequence[Mention]) -> bool:
    marks = [m for m in mentions if m.kind == "count" and m.span.within(cut)]  # "1) … 2) …"
    if any(cut.overlaps(m.span) for m in mentions if m not in marks):
        return False
    numbers = ("count", "version", "alias", "revision")
    left = any(m.kind in numbers and 0 <= cut.start - m.span.end <= 1 for m in mentions)
    right = any(m.kind in numbers and 0 <= m.span.start - cut.end <= 1 for m in mentions)
    return not (left and right)


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


def pieces_of(text: Text, mentions: Sequence[Mention], loose: bool = False) -> list[Clause]:
    """The clauses that say something; of many, the last ones stay together."""
    found = [
        c
        for c in clauses(text.low, mentions, loose)
        if not speech.assents(text.low[c.span.start : c.span.end])
    ]
    if len(found) <= MOST_CLAUSES:
        return found
    last = found[MOST_CLAUSES - 1]
    return [
        *found[: MOST_CLAUSES - 1],
        replace(last, span=Span(last.span.start, found[-1].span.end)),
    ]


def within(mentions: Sequence[Mention], span: Span) -> tuple[Mention, ...]:
    """Those inside a range that are not set aside, with offsets relative to it."""
    return tuple(
        replace(m, span=_moved(m.span, span.start), core=_moved(m.core, span.start))
        for m in mentions
        if m.span.within(span) and not m.aside
    )


def _moved(span: Span, by: int) -> Span:
    return Span(span.start - by, span.end - by)
