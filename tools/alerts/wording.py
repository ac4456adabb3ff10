"""Small words that findings of this room share: times of day, lines."""

from __future__ import annotations

from datetime import datetime

from tools import columns
from tools.columns import WIDTH


def clock(at: datetime | None) -> str:
    """A time of day in UTC, for quoting evidence."""
    return "" if at is None else f"{at:%H:%M:%S}"


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
