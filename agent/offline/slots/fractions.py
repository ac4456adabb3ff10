"""Shares: ``40 %``, ``half``, ``two fifths``, ``a quarter``, ``0.35``, ``四成``, ``三分之一``, ``百分之六十``."""

from __future__ import annotations

from collections.abc import Iterator

from agent.offline.slots import numbers
from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_N = numbers.NUMBER
_PERCENT = compiled(rf"(?<![\w.])(?P<n>{_N})\s*(?:%|percent\b|per cent\b|pct\b|个百分比)")
_HAN_PERCENT = compiled(
    rf"百分之\s*(?P<n>\d+(?:\.\d+)?|{numbers.HAN})(?:点(?P<tenths>[一二三四五六七八九]))?"
)
_TENTHS = compiled(
    r"(?P<n>\d+(?:\.\d+)?|[一二三四五六七八九两])成(?P<half>半|[一二三四五六七八九])?"
)
_PARTS = compiled(rf"(?P<d>\d+|{numbers.HAN})分之(?P<n>\d+|{numbers.HAN})")
_DECIMAL = compiled(r"(?<![\w.:-])0?\.\d+(?![\w%])")
_RATIO = compiled(r"(?<![\w./])(?P<n>[1-9])\s*/\s*(?P<d>[2-9]|10)(?![\w/])")
_WORDS: tuple[tuple[str, float], ...] = (
    (r"\bhalf an? (?:percent|per cent)\b|\bhalf an? %", 0.005),
    (
        r"\b(?:a |one )?half\b(?! past\b| an? hour| hour| a day| a dozen|[ -](?:a )?(?:point|pts?\b|percent|%))"
        r"|(?<!剩)一半(?!都是|的?(?:请求|流量|用户|时间))|[对减砍剪折拦腰]半(?!个)|(?<![一二三四五六七八九十个])半(?=权重|参数|的|$)",
        0.5,
    ),
    (r"\b(?:quarter|fourth) of\b(?! an? hour)", 0.25),
)
_ORDINAL = compiled(
    r"\b(?P<n>an?|one|two|three|four|five|six|seven|eight|nine)[ -]"
    r"(?P<d>third|quarter|fourth|fifth|sixth|seventh|eighth|ninth|tenth)s?\b(?! of an hour| hour|[ -](?:replica|version|revision|one|time)\b)"
)
"""``two fifths``."""
_PARTS_OF_ONE = {"quarter": 4.0}
_WORD_PATTERNS = tuple((compiled(p), v) for p, v in _WORDS)


def find(low: str) -> Iterator[tuple[Span, float]]:
    """Every share in a folded text, between 0 and 1 (``150 %`` is 1.5)."""
    yield from _percents(low)
    for match in _TENTHS.finditer(low):
        number = numbers.value(match["n"])
        half = 0.5 if match["half"] == "半" else (numbers.value(match["half"] or "零") or 0) / 10
        if number is not None:
            yield Span(*match.span()), round((number + half) / 10, 6)
    for pattern in (_PARTS, _RATIO):
        for match in pattern.finditer(low):
            top, bottom = numbers.value(match["n"]), numbers.value(match["d"])
            if top and bottom:
                yield Span(*match.span()), round(top / bottom, 4)
    yield from ordinals(low)
    for span in decimals(low):
        yield span, float(low[span.start : span.end])
    for pattern, number in _WORD_PATTERNS:
        for match in pattern.finditer(low):
            yield Span(*match.span()), round(number, 4)


def decimals(low: str) -> Iterator[Span]:
    """Shares as decimals below one: ``0.55``."""
    return (Span(*match.span()) for match in _DECIMAL.finditer(low))


def ordinals(low: str) -> Iterator[tuple[Span, float]]:
    """Parts of one in words: ``two fifths``."""
    for match in _ORDINAL.finditer(low):
        part = _PARTS_OF_ONE.get(match["d"]) or numbers.ORDINALS[match["d"]]
        top = 1.0 if match["n"] in ("a", "an") else numbers.value(match["n"]) or 1.0
        yield Span(*match.span()), round(top / part, 4)


def _percents(low: str) -> Iterator[tuple[Span, float]]:
    for pattern in (_PERCENT, _HAN_PERCENT):
        for match in pattern.finditer(low):
            number = numbers.value(match["n"])
            tenths = numbers.value(match.groupdict().get("tenths") or "零") or 0
            if number is not None:
                yield Span(*match.span()), round((number + tenths / 10) / 100, 6)
