"""Small words that findings of this room share: ages, counts, line lengths."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tools import columns

if TYPE_CHECKING:
    pass

WIDTH = 100


def clock(at: datetime | None) -> str:
    """A time of day in UTC, for quoting evidence."""
    return "" if at is None else f"{at:%H:%M:%S}"


def clip(line: str, width: int = WIDTH) -> str:
    """A line of at most ``width`` columns, cut with an ellipsis."""
    return columns.clip(line, width)


def wrap(text: str, width: int = WIDTH, indent: str = "") -> list[str]:
    """Lines of at most ``width`` columns; breaks at spaces, or anywhere in Chinese."""
    lines: list[str] = []
    current = ""
    for word in _pieces(text):
        if current and columns.columns(current + word.rstrip()) > width:
            lines.append(current.rstrip())
            current = indent
        current += word.lstrip() if current == indent else word
    if current.strip():
        lines.append(current.rstrip())
    return lines


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    current = ""
    for character in text:
        current += character
        if character == " " or columns.columns(character) == 2:
            pieces.append(current)
            current = ""
    return [*pieces, current] if current else pieces
