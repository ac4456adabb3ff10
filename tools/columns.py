"""Widths in terminal columns: a wide (Chinese) character takes two. Pure; loads nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import east_asian_width

WIDTH = 100
"""Columns of a finding."""


def columns(text: str) -> int:
    """How many terminal columns ``text`` takes."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def prefix(text: str, width: int) -> int:
    """How many leading characters of ``text`` fit into ``width`` columns."""
    used = 0
    for number, character in enumerate(text):
        used += 2 if east_asian_width(character) in "WF" else 1
        if used > width:
            return number
    return len(text)


def clip(line: str, width: int = WIDTH) -> str:
    """``line`` if it fits into ``width`` columns, else as much as fits with an ellipsis."""
    return line if columns(line) <= width else line[: prefix(line, width - 1)] + "…"


def wrap(line: str, width: int, indent: str) -> Iterator[str]:
    """Rows of ``line``, broken at spaces where there are any; no character is dropped.

    Every row but the first begins with ``indent``.
    """
    while columns(line) > width:
        fits = max(1, prefix(line, width))
        space = line.rfind(" ", width // 2, fits + 1)
        fits = space + 1 if space > 0 else fits
        yield line[:fits]
        line = indent + line[fits:]
    yield line


def fit(text: str, width: int) -> str:
    """``text`` with lines longer than ``width`` broken at spaces, continued with an indent."""
    rows: list[str] = []
    for line in text.split("\n"):
        lead = line[: len(line) - len(line.lstrip(" "))]
        rows += [row.rstrip() for row in wrap(line, width, lead + "  ")]
    return "\n".join(rows)
