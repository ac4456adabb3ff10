"""Limits said as times: latencies are measured in milliseconds, ``p95 over 2s`` is 2000."""

from __future__ import annotations

from agent.offline.slots import numbers
from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_OVER = (
    r"(?:\b(?:over|above|exceeds?|exceeding|than|beyond|below|under|tops|past|to|at|reaches|hits|"
    r"threshold(?: of| is| at)?|limit(?: of| is)?)|[<>≥≤]=?|=|超过?|超出|高[于过]|大[于过]|多于|突破|小于|过|到|低[于过]|不足|阈值(?:是|为|设为|设成|设|定)?)"
)
_LIMIT = compiled(
    rf"(?<!for )(?<!for more ){_OVER}\s*(?:(?P<half>half a second|半秒)|(?P<n>{numbers.NUMBER})\s*"
    r"(?:(?P<ms>ms|msecs?|millis(?:econds?)?|毫秒)|s|secs?|seconds?|秒)(?![a-z0-9]))"
)
_PLAIN = compiled(
    rf"(?<![\w.])(?P<n>{numbers.NUMBER})\s*(?:ms|msecs?|millis(?:econds?)?|毫秒)(?![a-z0-9])"
)


def milliseconds(low: str) -> tuple[Span, float] | None:
    """A limit on a latency, in milliseconds, and the characters that say it."""
    match = _LIMIT.search(low)
    if match is None:
        plain = _PLAIN.search(low)  # nothing but a latency is told in milliseconds
        number = numbers.value(plain["n"]) if plain else None
        return (Span(*plain.span()), number) if plain and number is not None else None
    number = 0.5 if match["half"] else numbers.value(match["n"])
    if number is None:
        return None
    return Span(*match.span()), number if match["ms"] else number * 1000
