"""Names as runs of letters and numbers, however they are joined: ``GPU node 5``, ``gpu-node-05``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.offline.text import Span
from agent.offline.text import pattern as compiled

PIECE = compiled(r"[a-z]+|\d+")
_PREFIX = compiled(r"\b(?:deploy|deployments?|svc|services?|pods?|nodes?|jobs?)/$")
_TAG = compiled(r"v\d|latest\b")


def pieces_of(spelling: str) -> list[str]:
    """The runs of letters and of digits, in lower case."""
    return PIECE.findall(spelling.lower()) or [spelling.lower()]


def keyed(pieces: Sequence[str]) -> str:
    """What a name is filed under: its pieces without separators and leading zeros."""
    return "".join((p.lstrip("0") or "0") if p.isdigit() else p.lower() for p in pieces)


def together(low: str, pieces: Sequence[tuple[str, Span]], i: int, j: int) -> bool:
    """Is there nothing but one separator between neighbouring pieces?"""
    return all(
        (len(gap := low[pieces[k][1].end : pieces[k + 1][1].start]) <= 1 and gap in "-_ ./:")
        or not gap
        for k in range(i, j - 1)
    )


def whole(low: str, start: int, end: int) -> bool:
    """Is it a word of its own, not a part of a longer identifier?"""
    before = low[start - 1] if start else " "
    after = low[end] if end < len(low) else " "
    beyond = low[end + 1] if end + 1 < len(low) else " "
    if before == "/" and _PREFIX.search(low[:start]):
        before = " "
    if before.isascii() and (before.isalnum() or before in "-_/"):
        return False
    if after.isascii() and after.isalnum():
        return False
    if after == ":":
        return not (beyond.isdigit() or _TAG.match(low[end + 1 :]))
    return not (after in "-_/.@" and beyond.isascii() and beyond.isalnum())


def apart(low: str, pieces: Sequence[tuple[str, Span]], means: Mapping[str, Sequence[str]]) -> bool:
    """``staging ranker``: a namespace said as a word of its own, which may also be an alias."""
    spaces = {name.split("/")[0] for names in means.values() for name in names if "/" in name}
    written = low[pieces[0][1].start : pieces[-1][1].end]
    return " " in written and written.split(" ")[0] in spaces and "/" not in written
