"""Names of alert rules and of scheduled summaries: what stands beside the word for them.

No list of them is at hand, so ``rule disk-90``, ``delete "disk-90"`` and ``名 mem_hot`` are told by
their place and their shape. A name that is listed as a rule is taken from the list instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.offline.filling.sheet import Sheet
from agent.offline.grammar import words as lexicon
from agent.offline.text import Span
from agent.offline.text import pattern as compiled
from tools.contract import Parameter

_NAME = r"[\"'`“‘「]?(?P<n>[a-z][a-z0-9]*(?:[._-]?[a-z0-9]+)+)(?![\w/-])"
_NO_NAMES = lexicon("no_names")
_CALLED = compiled(
    rf"(?:(?<![\w-])(?:called|named|name(?: it| of)?(?: (?:can|shall|should|may|will|would|has to|is to) be)?|call (?:it|the rule|this))|叫做?|(?:取|起|命)?名(?:字|称)?(?:为|叫|是)?|名就叫)"
    rf"\s*(?:is |就?[叫是为]|=|:|,)?\s*{_NAME}"
)
"""What is expressly given as the name: any word."""
_BESIDE = {
    "rule": (
        rf"\b(?:rules?|alerts?|alarm) (?:called |named |no\. )?{_NAME}",
        rf"规则(?:名[为叫]?)?\s*[:,]?\s*{_NAME}",
        rf"(?<![\w/.-]){_NAME}[\"'`”’」]?\s*(?:这|那|的)?[个条]?\s*(?:alert |alarm |告警|报警)?(?:\brules?\b|规则)",
    ),
    "schedule": (
        rf"\b(?:summary|summaries|schedules?|digest|report) (?:called |named )?{_NAME}",
        rf"(?:定时|汇总|摘要|日报|周报|总结)(?:任务)?\s*[:,]?\s*{_NAME}",
        rf"(?<![\w/.-]){_NAME}[\"'`”’」]?\s*(?:这|那|的)?[个条份]?\s*(?:\b(?:summary|schedule|digest)\b|定时|汇总|摘要|日报|周报|总结)",
    ),
}
"""What stands beside the word for the thing: only what is written like a name."""
_PLACES = {word: tuple(map(compiled, found)) for word, found in _BESIDE.items()}
_SHAPED = re.compile(r".*[a-zA-Z0-9][._-][a-zA-Z0-9]|.*[a-z][A-Z]|.*[a-zA-Z]\d")
_COMPARED = compiled(
    r"[\"'`]?\s*(?:[<>=]|(?:is |goes |stays )?(?:above|over|below|under|at)\b|超过|高于|低于|大于|小于)"
)
_COMMON = compiled(r".*-(?:up|in|out|off|level|worthy|wide|based)|\w+-of-\w+|peer-\w+|\w+-outlier")


def labelled(sheet: Sheet, parameter: Parameter) -> bool:
    """Enter the name of a rule or of a scheduled summary, where its place or its quotes show it."""
    if parameter.word not in _PLACES or _listed(sheet, parameter):
        return False
    span = next(_candidates(sheet, parameter), None)
    if span is None:
        return False
    sheet.put(parameter, sheet.material.text.said(span))
    sheet.claim(span)
    return True


def _listed(sheet: Sheet, parameter: Parameter) -> bool:
    return any(parameter.word in m.means and m.known for m in sheet.material.mentions)


def _candidates(sheet: Sheet, parameter: Parameter) -> Iterator[Span]:
    """Where a name may stand, the surest place first."""
    text = sheet.material.text
    for match in _CALLED.finditer(text.low):
        if match["n"] not in _NO_NAMES:
            yield Span(*match.span("n"))
    for mention in sheet.material.mentions:
        inner = Span(mention.span.start + 1, mention.span.end - 1)
        shaped = parameter.required or re.fullmatch(r"[A-Za-z][\w.-]*", text.said(inner))
        if mention.kind == "quoted" and shaped:
            yield inner
    for pattern in _PLACES[parameter.word]:  # the words beside it may be hyphenated, too
        for match in pattern.finditer(text.low):
            span = Span(*match.span("n"))
            if (
                _SHAPED.match(text.said(span))
                and not _COMMON.fullmatch(match["n"])
                and _free(sheet, parameter, span)
            ):
                yield span


def _free(sheet: Sheet, parameter: Parameter, span: Span) -> bool:
    """Is it no metric that the rule watches, and no thing of the fleet but an alert?"""
    low = sheet.material.text.low
    if parameter.required:
        return True
    if _COMPARED.match(low[span.end :]):
        return False
    for mention in sheet.material.mentions:
        if mention.span.overlaps(span):
            if mention.kind == "name" and mention.known and "alert" not in mention.means:
                return False
            if mention.kind == "metric":
                return sum(m.kind == "metric" for m in sheet.material.mentions) > 1
    return True
