"""Identifiers of samples: ``img_0093``, ``trip-20031``, ``INV-5520``, ``9f3e-22``."""

from __future__ import annotations

from collections.abc import Sequence

from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_ID = compiled(
    r"(?<![\w/.@-])(?:[a-z]+[-_](?:\d{4}-)?\d+|[a-z]+_[a-z]*\d+|[a-z]+[0-9a-f]*\d[0-9a-f]*-\d+|\d+[a-z][0-9a-z]*-\d+)"
    r"(?:\.[a-z]{2,4})?(?![\w/-]|\.\d)"
)
_CALLED = compiled(
    r"(?:samples?|rows?|records?|cases?|images?|messages?|items?|orders?|trips?|users?|customers?|applications?|id|for|on|"
    r"样本|样例|用户|订单|记录|图片|单号|编号)\s*(?:is|was|是|为)?\s*[:#]?\s*$"
)


def find(low: str, names: Sequence[Span]) -> tuple[Span, ...]:
    """The one identifier that is none of ``names``: the one called a sample, or the last."""
    found = [Span(*m.span()) for m in _ID.finditer(low)]
    free = [span for span in found if not any(span.overlaps(name) for name in names)]
    called = [span for span in free if _CALLED.search(low[: span.start])]
    return tuple((called or free)[-1:])
