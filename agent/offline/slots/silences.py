"""Identifiers of silences: ``s-204``, ``silence id 7c2``, ``静默号是 9f2c``."""

from __future__ import annotations

from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_SILENCE = r"(?:silences?|mutes?|静默|静音|屏蔽)"
_ID = (
    r"[\"'`]?(?P<n>(?=[a-z_-]*\d)(?!\d+(?:h|m|s|d|w|min|hrs?)(?![a-z0-9]))[a-z0-9]+(?:[-_][a-z0-9]+)*)[\"'`]?"
    r"(?![\w.%-]|\s*(?:hours?|hrs?|minutes?|mins?|days?|weeks?|小时|个|分钟|天|条|次)(?![a-z]))"
)
_SIGN = r"(?:\b(?:with |by )?id\b|号码?|编号|number\b|no\.?|#|=|:|是|为)"
_PATTERNS = tuple(
    compiled(pattern)
    for pattern in (
        rf"{_SILENCE}(?:\s*{_SIGN})*\s*{_ID}",
        rf"(?<![a-z0-9])id(?: of (?:the |that |its )?{_SILENCE})?(?: is)?(?:\s*{_SIGN})*\s*{_ID}",
        rf"(?<![\w.-])(?!\d+(?![\w-])){_ID}\s*(?:这|那|的)?(?:一?[条个])?(?:的)?\s*{_SILENCE}",
        r"(?<![\w.-])(?P<n>s(?:il(?:ence)?)?[-_](?=[a-z]*\d)[a-z0-9]+)(?![\w-])",
        rf"(?<![a-z])(?:编号|号码|id|number)\s*(?:是|为|=|:|#)?\s*{_ID}",
        rf"[(]\s*{_ID}\s*[)]",
    )
)


def find(low: str, names: tuple[Span, ...]) -> Span | None:
    """The one identifier in a folded text that is a part of none of ``names``."""
    for pattern in _PATTERNS:
        for match in pattern.finditer(low):
            span = Span(*match.span("n"))
            if not any(span.overlaps(name) for name in names):
                return span
    return None
