"""A request as the planner reads it: folded one character to one, so that offsets stay valid."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from agent.offline.traditional import CHARACTERS

Lang = Literal["en", "zh"]

HAN = "\u4e00-\u9fff"
_FOLD = {
    **{0xFF01 + i: chr(0x21 + i) for i in range(94)},
    **CHARACTERS,
    **dict(
        zip(
            map(ord, "\u3000\u00a0\u2018\u2019\u201c\u201d\u300c\u300d\u300e\u300f\u00ab\u00bb"),
            '  \'\'""""""""',
            strict=True,
        )
    ),
    **dict(zip(map(ord, "\u2013\u2014\u2011\u3001\u3002\u2026\u00b0"), "-,-,.. ", strict=True)),
    **dict.fromkeys((0x200B, 0x200C, 0x200D, 0xFEFF, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E), " "),
}
_HAN = re.compile(f"[{HAN}]")
_LATIN = re.compile(r"(?<![\w-])[A-Za-z]{2,}(?![\w-])")
_TOKEN = re.compile(rf"[a-z0-9]+(?:'[a-z]+)?|[{HAN}]+|[^\sa-z0-9{HAN}]")


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of characters."""

    start: int
    end: int

    def overlaps(self, other: Span) -> bool:
        """Do the two share a character?"""
        return self.start < other.end and other.start < self.end

    def within(self, other: Span) -> bool:
        """Does ``other`` cover this one?"""
        return other.start <= self.start and self.end <= other.end


@dataclass(frozen=True, slots=True)
class Text:
    """``raw`` as written, ``low`` folded to lower case, simplified characters, plain ASCII marks.

    Both have the same length; a span in one is the same span in the other.
    """

    raw: str
    low: str = field(default="")
    lang: Lang = "en"

    def said(self, span: Span) -> str:
        """The words as written."""
        return self.raw[span.start : span.end]

    def without(self, spans: Iterable[Span]) -> Text:
        """With some stretches blanked, so that all other spans stay valid."""
        raw, low = self.raw, self.low
        for span in spans:
            gap = " " * (span.end - span.start)
            raw = raw[: span.start] + gap + raw[span.end :]
            low = low[: span.start] + gap + low[span.end :]
        return Text(raw, low, self.lang)

    def part(self, span: Span) -> Text:
        """A piece of it, in the same language."""
        return Text(self.raw[span.start : span.end], self.low[span.start : span.end], self.lang)


class _Pattern:
    """A pattern that is compiled when it is first used: one request needs few of them."""

    __slots__ = ("_flags", "_ready", "_source")

    def __init__(self, source: str, flags: int) -> None:
        self._source, self._flags = source, flags
        self._ready: re.Pattern[str] | None = None

    def __getattr__(self, name: str) -> Any:
        if self._ready is None:
            self._ready = re.compile(self._source, self._flags)
        return getattr(self._ready, name)


def lazily(source: str, flags: int = 0) -> re.Pattern[str]:
    """A pattern that is compiled at its first use."""
    return cast("re.Pattern[str]", _Pattern(source, flags))


def pattern(source: str) -> re.Pattern[str]:
    """A pattern in which only ASCII makes words, so that ``\\b`` stands between ``下`` and ``GPU``."""
    return lazily(source, re.ASCII)


def read(raw: str) -> Text:
    """Fold a request."""
    clean = "".join(c if c.isprintable() else " " for c in raw)
    return Text(clean, fold(clean), language(clean))


def fold(raw: str) -> str:
    """Lower case, simplified, plain marks; always as long as ``raw``."""
    plain = raw.translate(_FOLD)
    low = plain.lower()
    if len(low) == len(plain):
        return low
    return "".join(one if len(one := c.lower()) == 1 else c for c in plain)


def language(raw: str) -> Lang:
    """The language to answer in: Chinese as soon as the sentence is built with it."""
    han = len(_HAN.findall(raw))
    if not han:
        return "en"
    latin = len(_LATIN.findall(re.sub(r"[\"'“”‘’「」].*?[\"'“”‘’「」]", " ", raw)))
    return "zh" if han >= latin else "en"


def tokens(low: str) -> list[str]:
    """Words, runs of Han characters and marks of a folded text."""
    return _TOKEN.findall(low)
