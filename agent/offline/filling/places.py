"""Names known by their place only: ``the summary called weekly``, ``用 mobilenet 做 student``."""

from __future__ import annotations

from agent.offline import cues
from agent.offline.filling.sheet import Sheet
from agent.offline.grammar import words as lexicon
from agent.offline.text import Span
from agent.offline.text import pattern as compiled
from tools.contract import Parameter

_UNLISTED = frozenset({"schedule", "rule"})
"""Kinds of names that no list is kept of."""
_WRITTEN = ("deployment", "model", "job", "target", "alias", *sorted(_UNLISTED))
_PLAIN = compiled(r"(?<![\w#/-])[a-z][a-z0-9_.-]*[a-z0-9](?![\w/-])")
_NO_NAMES = lexicon("no_names")
_NAME = r"[\"'`]?(?!teacher)(?P<n>[a-z][a-z0-9]*(?:[._-]?[a-z0-9]+)+)"
_CALLED = {
    "student": (
        compiled(
            rf"(?:\bstudent|学生)(?: model| network|模型|网络)?\s*(?:named|called|=|:|叫做?|选?用|选|拿|取|换成?|给)\s*{_NAME}"
        ),
        compiled(
            rf"(?:\bstudent|学生)(?: model| network|模型|网络)?(?: is| be|\s*[是为])?\s*{_NAME}"
        ),
        compiled(
            rf"(?<![\w/.-]){_NAME}\s*(?:as|for|作为|做|当|来当|来做)(?: the| a| our)?\s*(?:student|pupil|学生)"
        ),
        compiled(rf"教\s*{_NAME}\s*(?:做|当)"),
        compiled(rf"(?:教给|传给)\s*{_NAME}"),
        compiled(
            rf"(?:当|做|为|作)(?:老师|teacher)[,， ]*(?:重新|来|去)?(?:蒸馏?|带|训练?|教)(?:出)?(?:一?个)?\s*{_NAME}"
        ),
        compiled(rf"(?:拿|用|让)\s*{_NAME}\s*给\s*[\w./-]+\s*(?:当|做)\s*学生"),
        compiled(
            rf"(?<![\w/.-]){_NAME}\s*(?:想|要)?(?:以|拿|用|认)\s*[\w./-]+\s*(?:为|当|做|作)\s*(?:老师|teacher)"
        ),
        compiled(
            rf"(?<![\w/.-]){_NAME} (?:ought to|should|shall|must|to) (?:mimic|imitate|copy)\b"
        ),
        compiled(rf"(?<![\w/.-]){_NAME}\s*学生"),
        compiled(rf"(?<![\w/.-]){_NAME}\s*(?:跟着|跟|向|照着)(?=[^,]{{1,40}}学)"),
        compiled(rf"(?:蒸馏?|训练?|练|教)(?:出来?)?(?:一?个)?(?:小的)?\s*{_NAME}\s*出来"),
        compiled(rf"蒸馏?[^,]{{1,40}}给\s*{_NAME}"),
        compiled(
            rf"\bteacher,? (?:and|to) (?:train|teach|make|get|build|grow) (?:the |an? )?{_NAME}"
        ),
        compiled(rf"\bto (?:teach|train) {_NAME}"),
        compiled(rf"(?<![\w/.-]){_NAME} (?:(?:is|as|for) )?(?:the|a|our) student\b"),
        compiled(
            rf"(?<![\w/.-]){_NAME} (?:shall|should|must|is to|will|to) (?:be taught by|learn from)"
        ),
        compiled(
            rf"(?:\binto|\bdown to|->|→|=>|到|成|教出(?:来)?(?:一?个)?)\s*(?:the |an? )?{_NAME}(?![\w/])"
        ),
        compiled(
            rf"\b(?:let|have|make|teach) {_NAME} (?:learn |study |imitate |mimic |copy )?from\b"
        ),
    ),
}
"""Optional arguments that are told apart by the word for them; after the first, any word is a name."""


def called(sheet: Sheet, parameter: Parameter) -> bool:
    """A name that stands beside the word for the argument: ``用 mobilenet 做 student``."""
    low = sheet.material.text.low
    if parameter.required:
        return False
    for place, pattern in enumerate(_CALLED.get(parameter.name, ())):
        for match in pattern.finditer(low):
            ordinary = place > 0 and match["n"] in sheet.form.words
            if ordinary or match["n"] in _NO_NAMES:
                continue
            span = Span(*match.span("n"))
            sheet.put(parameter, sheet.material.text.said(span))
            sheet.claim(span)
            return True
    return False


def identifier(sheet: Sheet, parameter: Parameter) -> None:
    """``eta_predict``: written like a metric, in the place of a name that must be there."""
    if not parameter.required or parameter.word not in _WRITTEN:
        return
    for mention in sheet.material.mentions:
        if mention.kind == "metric" and "_" in str(mention.value) and id(mention) not in sheet.used:
            said = sheet.material.text.said(mention.span)
            if _PLAIN.fullmatch(said.lower()):
                sheet.put(parameter, said, mention)
                return


def unlisted(sheet: Sheet, parameter: Parameter) -> None:
    """A name that no list is kept of, the one that is written like a name before a plain word."""
    identifier(sheet, parameter)
    if parameter.name not in sheet.done.args:
        plain(sheet, parameter)


_SAID_OF = compiled(r"(?:'s|\b(?:is|was|are|were|too|so|very|quite|be))\s+$")
_ORDER = compiled(r"\s+(?:the|that|this|these|those|my|our|all)\b")
"""What stands before a word that only describes, and after a verb: no names."""


def plain(sheet: Sheet, parameter: Parameter) -> bool:
    """A plain word in the place of a name nobody knows: ``the summary called weekly``."""
    if parameter.word not in _UNLISTED or not parameter.required:
        return False
    cue, text = sheet.form.cues[parameter.name], sheet.material.text
    best: tuple[float, Span] | None = None
    for match in _PLAIN.finditer(text.low):
        word, span = match.group(), Span(*match.span())
        taken = any(span.overlaps(m.span) for m in sheet.material.mentions)
        said_of = _SAID_OF.search(text.low[: span.start]) or _ORDER.match(text.low[span.end :])
        if taken or said_of or word in _NO_NAMES or word in sheet.form.tool.name.split("_"):
            continue
        fit = cues.fit(cue, text.low, span.start, span.end) + 0.5 * (word not in sheet.form.words)
        if fit >= 1.0 and (best is None or fit > best[0]):
            best = (fit, span)
    if best:
        sheet.put(parameter, text.said(best[1]))
        sheet.done.bare = True
    return best is not None
