"""A request as the intent model sees it: words and characters, with names and numbers as holes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

from agent.offline.mention import Mention
from agent.offline.text import HAN, fold
from agent.offline.text import pattern as compiled
from agent.offline.traditional import TERMS
from tools.contract import Parameter

_NAMES: tuple[tuple[str, str], ...] = (
    ("job", "J"),
    ("node", "G"),
    ("alert", "A"),
    ("channel", "C"),
    ("image", "I"),
    ("deployment", "D"),
    ("model", "D"),
)
"""Kind of a name → its hole. A request calls deployments and models by the same names."""
_VALUES = {
    "fraction": "P",
    "quoted": "Q",
    "sample": "S",
    "count": "H",
    "version": "H",
    "revision": "H",
    "gpu": "H",
    "xid": "H",
    "action": "H",
}
"""Kinds of values whose place matters and whose wording does not. Others keep their words."""
_WORDS_OF_VALUES = {
    "fraction": "P",
    "count": "H",
    "number": "H",
    "version": "H",
    "revision": "H",
    "gpu": "H",
    "xid": "H",
    "action": "H",
    "sample": "S",
    "text": "Q",
    "window": "2h",
    "metric": "error_rate",
    "alias": "production",
    "target": "D",
}
"""Word of a parameter → what a request has in its place."""
_SLOT = re.compile(r"\{(\w+)\}")
_TOKEN = compiled(rf"[A-Z]|[a-z0-9]+(?:'[a-z]+)?|[{HAN}]|[?:]")
_SPACES = re.compile(r"\s+")
_WORDS = 3
_SHORTEST, _LONGEST = 3, 5
_APART = (2, 3)
"""Words that stand two or three places apart make a pair, too: ``stop … alerts``."""


@dataclass(frozen=True, slots=True)
class View:
    """One request, or a piece of one."""

    text: str
    """Folded; a capital letter stands for each hole."""
    marks: frozenset[str]
    """What kinds of things are in it."""


def view(low: str, mentions: Sequence[Mention]) -> View:
    """Put holes into a folded text."""
    pieces: list[str] = []
    marks: set[str] = set()
    at = 0
    for mention in sorted(mentions, key=lambda m: m.core.start):
        marks.update(_marks(mention))
        letter = _hole(mention, low)
        if letter is None or mention.core.start < at:
            continue
        pieces += [low[at : mention.core.start], f" {letter} "]
        at = mention.core.end
    text = "".join((*pieces, low[at:]))
    for spoken, plain in TERMS:
        if spoken in text:
            text = text.replace(spoken, plain)
    return View(_SPACES.sub(" ", text).strip(" .,!;"), frozenset(marks))


def example(phrase: str, parameters: Sequence[Parameter]) -> View:
    """An example phrase as a request with names and values in its places would look."""
    words = {p.name: p.word for p in parameters}
    letters = dict(_NAMES) | _WORDS_OF_VALUES
    pieces = _SLOT.split(phrase)
    pieces[::2] = [fold(piece) for piece in pieces[::2]]
    pieces[1::2] = [f" {letters.get(words.get(name, ''), 'N')} " for name in pieces[1::2]]
    marks = frozenset(f"k={words[name]}" for name in _SLOT.findall(phrase) if name in words)
    return View(_SPACES.sub(" ", "".join(pieces)).strip(" .,!;"), marks)


def features(seen: View) -> set[int]:
    """Hashes of word and character sequences.

    Pieces of Chinese and pieces around holes may be short; plain Latin ones need three characters.
    """
    names: set[str] = set(seen.marks)
    words = ["^", *_TOKEN.findall(seen.text), "$"]
    for size in range(1, _WORDS + 1):
        names.update("=" + " ".join(words[i : i + size]) for i in range(len(words) - size + 1))
    for apart in _APART:
        pairs = zip(words, words[apart:], strict=False)
        names.update(f"~{apart}{one} {other}" for one, other in pairs)
    text = f"^{seen.text}$"
    names.update(_pieces(text))
    return {crc32(name.encode()) for name in names}


def _pieces(text: str) -> Iterable[str]:
    short = [c > "\u2fff" or c.isupper() for c in text]
    for at in range(len(text)):
        for size in range(1, _LONGEST + 1):
            if at + size > len(text):
                break
            if size >= _SHORTEST or any(short[at : at + size]):
                yield text[at : at + size]


def _marks(mention: Mention) -> Iterable[str]:
    if mention.kind != "name":
        return (
            (f"k={mention.kind}", f"m={mention.value}")
            if mention.kind == "metric"
            else (f"k={mention.kind}",)
        )
    kinds = mention.means if mention.known or len(mention.means) == 1 else ("unlisted",)
    return (*(f"k={kind}" for kind in kinds), *(("k=several",) if mention.also else ()))


def _hole(mention: Mention, low: str) -> str | None:
    if mention.kind != "name":
        return _VALUES.get(mention.kind)
    said = low[mention.core.start : mention.core.end]
    if not mention.known and said.isalpha():
        return None  # perhaps only a word that nobody taught us
    if not mention.known and len(mention.means) > 1:
        return "D"
    return next((hole for kind, hole in _NAMES if kind in mention.means), "N")
