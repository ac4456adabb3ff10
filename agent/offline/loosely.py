"""Listed names said loosely: ``warden`` for ``warden-guard``, ``the red team run``, ``70b chat``.

A word that no request uses and that is a piece of a listed name stands for that name. Its
neighbours help to tell names apart, and so do rare words and numbers elsewhere in the message.
Names that explain the words equally well are all meant: then one has to be asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.offline.pieces import PIECE, pieces_of
from agent.offline.slots import numbers
from agent.offline.text import Span
from agent.offline.text import pattern as compiled

KINDS = ("deployment", "model", "job")
"""Kinds whose names people shorten; nodes and alerts are told by their shape."""
_UNIT = compiled(r"(?<![a-z0-9/@#_.:'-])[a-z0-9]+(?:-[a-z0-9]+)*(?![a-z0-9/@#_:]|[.-][a-z0-9])")
_ONE = compiled(r" ones?(?![\w-])")
"""``the quill one``: no number."""
_VERSION = compiled(r"v\d+")
_SPOKEN = compiled(rf"(?:{numbers.ENGLISH})")
_BEGINS, _ENDING, _RARE = 4, 5, 3
"""Letters from which a beginning stands for a word, that it may lack, that a rare word has."""
_MOST = 80
"""Words of a request; what is longer is pasted, and says names in full."""
_SIZED = 3
"""Pieces that must fit where only a size is said: ``7``, ``b`` and one more."""


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    span: Span
    rare: bool
    """No word of requests, or a number with a letter: it may be what a name is known by."""
    sized: bool = False
    unit: int = 0
    """The run of characters that it is written in: all of ``quill-fim`` must fit, or none."""


@dataclass(frozen=True, slots=True)
class _Match:
    """How a name explains the words around one of them."""

    run: tuple[int, int]
    """First and last word of the stretch."""
    score: int
    """Pieces of the name that are said."""
    name: str
    kind: str


def find(
    low: str, names: Mapping[str, Sequence[str]], known: frozenset[str]
) -> Iterator[tuple[Span, dict[str, tuple[str, ...]]]]:
    """Stretches that say a listed name loosely: kind → the names that fit best.

    ``known`` are words of requests; they never stand for a name on their own.
    """
    said = _words(low, known)
    if len(said) > _MOST:
        return
    listed = [
        (kind, name, pieces_of(_tail(name))) for kind in KINDS for name in names.get(kind, ())
    ]
    whole = {piece for _, _, pieces in listed for piece in pieces} - known
    last = -1
    for i, word in enumerate(said):
        if i <= last or not (word.rare or _joined(said, i) in whole):
            continue
        matches = [
            m for kind, name, pieces in listed if (m := _match(low, said, i, kind, name, pieces))
        ]
        if matches:
            best = max(m.score for m in matches)
            fit = [m for m in matches if m.score == best]
            first, last = min(m.run[0] for m in fit), max(m.run[1] for m in fit)
            means = {k: tuple(m.name for m in fit if m.kind == k) for k in KINDS}
            one = _ONE.match(low, said[last].span.end)
            yield (
                Span(said[first].span.start, one.end() if one else said[last].span.end),
                {k: found for k, found in means.items() if found},
            )


def ranked(low: str, names: Sequence[str]) -> tuple[str, ...]:
    """The names with the most pieces said first; else in the order given."""
    said = set(PIECE.findall(low))
    return tuple(sorted(names, key=lambda name: -len(said.intersection(pieces_of(name)))))


def _words(low: str, known: frozenset[str]) -> list[_Word]:
    found: list[_Word] = []
    for order, unit in enumerate(_UNIT.finditer(low)):
        parts = list(PIECE.finditer(low, unit.start(), unit.end()))
        whole = len(parts) == 1
        if _VERSION.fullmatch(unit.group()):
            continue
        for part in parts:
            text, span = part.group(), Span(*part.span())
            value = numbers.whole(text) if _SPOKEN.fullmatch(text) else None
            plain = text in known or text.removesuffix("s") in known
            rare = whole and len(text) >= _RARE and text.isalpha() and not plain
            rare = rare or (not whole and text.isalpha() and text not in known)
            shown = text if value is None else str(value)
            found.append(_Word(shown, span, rare, unit=order))
    return [_sized(low, found, i) for i in range(len(found))]


def _sized(low: str, said: Sequence[_Word], i: int) -> _Word:
    """``70b`` and ``seventy b``: a number with the letter that belongs to it."""
    word = said[i]
    pairs = [(a, a + 1) for a in (i - 1, i) if a >= 0 and a + 1 < len(said)]
    sized = any(
        said[a].text.isdigit()
        and re.fullmatch(r"[bmkx]", said[b].text)
        and _near(low, said[a], said[b])
        for a, b in pairs
    )
    return replace(word, rare=word.rare or sized, sized=sized)


def _match(
    low: str, said: Sequence[_Word], at: int, kind: str, name: str, pieces: Sequence[str]
) -> _Match | None:
    hits = _hits(said, pieces)
    torn = {word.unit for i, word in enumerate(said) if i not in hits}
    hits = {i: piece for i, piece in hits.items() if said[i].unit not in torn}
    if at not in hits:
        return None
    first = last = at
    while first - 1 in hits and said[first - 1].rare and _near(low, said[first - 1], said[first]):
        first -= 1
    while last + 1 in hits and _near(low, said[last], said[last + 1]):
        last += 1
    run = range(first, last + 1)
    counted = {hits[k] for k in hits if k in run or said[k].rare}
    plain = [hits[k] for k in run if not said[k].sized]
    if not plain and len(counted) < _SIZED:
        return None
    telling = any(len(pieces[p]) >= _BEGINS for p in plain) and 0 in counted
    if not telling and len(counted) < 2:
        return None
    return _Match((first, last), len(counted), name, kind)


def _hits(said: Sequence[_Word], pieces: Sequence[str]) -> dict[int, int]:
    """Word → the piece of the name that it says; every piece is said once."""
    hits: dict[int, int] = {}
    open_ = set(range(len(pieces)))
    for exact in (True, False):
        for i, word in enumerate(said):
            if i in hits:
                continue
            pair = _joined(said, i)
            for p in sorted(open_):
                if exact and pair and pair == pieces[p] and i + 1 not in hits:
                    hits[i] = hits[i + 1] = p
                elif _says(word.text, pieces[p], exact):
                    hits[i] = p
                else:
                    continue
                open_.discard(p)
                break
    return hits


def _says(word: str, piece: str, exact: bool) -> bool:
    if exact or not (word.isalpha() and piece.isalpha()):
        same = word.isdigit() and piece.isdigit() and int(word) == int(piece)
        return word == piece or same
    if min(len(word), len(piece)) < _BEGINS or len(word) > len(piece) + _ENDING:
        return False  # a longer word is an inflected one
    return word.startswith(piece) or piece.startswith(word)


def _joined(said: Sequence[_Word], i: int) -> str:
    """A word and the next as one: ``red team``."""
    if i + 1 >= len(said) or not (said[i].text.isalpha() and said[i + 1].text.isalpha()):
        return ""
    near = said[i + 1].span.start - said[i].span.end == 1
    return said[i].text + said[i + 1].text if near else ""


def _near(low: str, one: _Word, other: _Word) -> bool:
    gap = low[one.span.end : other.span.start]
    return gap in ("", " ", "-", "_")


def _tail(name: str) -> str:
    return name.rsplit("/", 1)[-1]
