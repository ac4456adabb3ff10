"""Limits said in seconds: latencies are measured in milliseconds, ``p95 over 2s`` is 2000."""

from __future__ import annotations

from agent.offline.slots import numbers
from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_SECONDS = compiled(
    rf"(?<!for )(?<!for more )(?:\b(?:over|above|exceeds?|exceeding|than|beyond|below|under|tops|to|at|reaches)|[<>]=?|超过?|高于|大于|过|到|低于)\s*"
    rf"(?:(?P<half>half a second|半秒)|(?P<n>{numbers.NUMBER})\s*(?:s|secs?|seconds?|秒)(?![a-z0-9]))"
)


def milliseconds(low: str) -> tuple[Span, float] | None:
    """A limit in seconds, in milliseconds, and the characters that say it."""
    match = _SECONDS.search(low)
    number = 0.5 if match and match["half"] else numbers.value(match["n"]) if match else None
    return (Span(*match.span()), number * 1000) if match and number is not None else None
