"""Aliases that change hands: ``move staging of ranker to production``, ``latest → champion``."""

from __future__ import annotations

from agent.offline.filling.sheet import Sheet
from agent.offline.mention import Mention
from agent.offline.text import Span
from agent.offline.text import pattern as compiled
from tools.contract import Parameter

_ONTO = compiled(
    r"(?:\b(?:to|into|as|be|becomes?|the new|onto)(?: (?:the|our))?|->|→|=>|[成为到至上作]|升|转|挂|打|提|标)\s*(?:了|上|为|成)?\s*$"
)
"""What stands before the alias that a version is to get."""
_MARKED = compiled(r"(?:标记?|命名)(?:为|成)\s*[\"'“「]?(?P<n>[a-z][a-z0-9]*(?:[-_][a-z0-9]+)+)")
"""An alias of one's own making."""
_NEVER_GIVEN = frozenset({"latest"})
"""It follows the newest version by itself."""


def onto(sheet: Sheet, parameter: Parameter) -> bool:
    """Enter the alias to give, where two are said: the other names the version."""
    if not any(p.word == "version" and p.required for p in sheet.form.tool.parameters):
        return False
    own = _MARKED.search(sheet.material.text.low)
    if own:
        span = Span(*own.span("n"))
        sheet.put(parameter, sheet.material.text.said(span))
        sheet.claim(span)
        return True
    said = [m for m in sheet.material.mentions if m.kind == "alias" and id(m) not in sheet.used]
    free = [m for m in said if m.value not in _NEVER_GIVEN]
    given = [m for m in free if _ONTO.search(sheet.material.text.low[: m.span.start])]
    chosen: Mention | None = None
    if len({str(m.value) for m in said}) > 1:
        chosen = given[-1] if given else free[0] if len(free) == 1 else None
    if chosen is None:
        return False
    sheet.put(parameter, str(chosen.value), chosen)
    return True
