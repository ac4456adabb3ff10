"""Numbers of this room in words: shares, points, sizes, times."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.words import Lang


def percent(share: float | None) -> str:
    """A share of 0..1: ``98.9 %``; ``n/a`` when unknown."""
    return "n/a" if share is None else f"{100 * share:.1f} %"


def points(share: float, signed: bool = True) -> str:
    """A difference of shares in percentage points: ``-0.3``."""
    return f"{100 * share:+.1f}" if signed else f"{100 * share:.1f}"


def size(count: float) -> str:
    """Bytes: ``306 KiB``."""
    for unit in ("B", "KiB", "MiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if count >= 100 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def span(seconds: float, lang: Lang = "en") -> str:
    """A time span: ``12 s``, ``5 min``, ``2 h 10 min``."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    s, m, h, d = ("s", "min", "h", "d") if lang == "en" else ("秒", "分钟", "小时", "天")
    if days:
        return f"{days} {d}" + (f" {hour} {h}" if hour else "")
    if hour:
        return f"{hour} {h}" + (f" {minute} {m}" if minute else "")
    return f"{minute} {m}" if minutes >= 2 else f"{60 * minute + second} {s}"


def ago(at: datetime, now: datetime, lang: Lang = "en") -> str:
    """``5 min ago``."""
    passed = span(max(0.0, (now - at).total_seconds()), lang)
    return f"{passed} ago" if lang == "en" else f"{passed}前"
