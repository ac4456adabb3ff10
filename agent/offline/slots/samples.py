"""Identifiers of samples: ``img_0093``, ``trip-20031``, ``INV-5520``, ``9f3e-22``."""

from __future__ import annotations

from collections.abc import Sequence

from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_FILE = compiled(
    r"(?<![\w/.@-])[\w./-]*\w\.(?:png|jpe?g|webp|tiff?|dcm|wav|flac|mp3|mp4|txt|csv|json|pdf|npy)(?![\w/-])"
)
_CODED = compiled(
    r"(?<![\w/.@-])(?:[a-z]{1,4}\d{3,}|(?=[a-z0-9_-]*\d)[a-z0-9]+(?:[-_][a-z0-9]+)+)(?![\w/-]|\.\w)"
)
"""An identifier only where it is called one: ``运单 YT88210``."""
_ID = compiled(
    r"(?<![\w/.@-])(?:[a-z]*id=[\w-]+|[a-z]+[-_](?:\d{4}-)?\d+|[a-z]+_[a-z]*\d+|[a-z]+[0-9a-f]*\d[0-9a-f]*-\d+|\d+[a-z][0-9a-z]*-\d+)"
    r"(?:\.[a-z]{2,4})?(?![\w/-]|\.\d)"
)
_CALLED = compiled(
    r"(?:samples?|rows?|records?|cases?|images?|messages?|items?|orders?|trips?|users?|customers?|applications?|id|for|on|"
    r"样本|样例|用户|订单|运单|工单|病例|案例|文章|作文|记录|图片|单号|编号)\s*(?:is|was|是|为)?\s*[:#]?\s*$"
)


def find(low: str, names: Sequence[Span]) -> tuple[Span, ...]:
    """The one identifier that is none of ``names``: the one called a sample, or the last."""
    found = [Span(*m.span()) for m in _ID.finditer(low)]
    files = [Span(*m.span()) for m in _FILE.finditer(low)]
    if files:
        return (files[-1],)
    codes = [Span(*m.span()) for m in _CODED.finditer(low)]
    found += [s for s in codes if _CALLED.search(low[: s.start]) and s not in found]
    free = [span for span in found if not any(span.overlaps(name) for name in names)]
    called = [span for span in free if _CALLED.search(low[: span.start])]
    return tuple((called or free)[-1:])
