"""Small words that findings of this room share: ages, counts, line lengths."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tools import columns

if TYPE_CHECKING:
    from tools.words import Lang

WIDTH = 100


def plural(count: int, noun: str) -> str:
    """``1 alert``, ``2 alerts``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def span(length: timedelta, lang: Lang) -> str:
    """A length of time in its two largest units."""
    total = max(0, int(length.total_seconds()))
    units = (("d", "天", 86400), ("h", "小时", 3600), ("min", "分钟", 60), ("s", "秒", 1))
    parts: list[str] = []
    for en, zh, size in units:
        if total >= size:
            parts.append(f"{total // size} {zh if lang == 'zh' else en}")
            total %= size
        if len(parts) == 2:
            break
    return " ".join(parts) if parts else ("0 秒" if lang == "zh" else "0 s")


def ago(at: datetime, now: datetime, lang: Lang) -> str:
    """How long before ``now``: ``12 min ago``."""
    return f"{span(now - at, lang)}前" if lang == "zh" else f"{span(now - at, lang)} ago"


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
