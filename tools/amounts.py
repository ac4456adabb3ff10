"""How amounts are worded, everywhere alike: counts, bytes, lengths of time, ages. Pure and light."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.words import Lang

_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_TIMES = (("d", "天", 86400), ("h", "小时", 3600), ("min", "分钟", 60), ("s", "秒", 1))


def plural(count: int, one: str, many: str = "") -> str:
    """``1 alert``, ``3 alerts``; ``many`` where it is not ``one`` with an s."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def size(count: float) -> str:
    """Bytes: ``512 B``, ``306.0 KiB``, ``62.0 GiB``."""
    value, step = float(count), 0
    while abs(value) >= 1024 and step < len(_BYTES) - 1:
        value, step = value / 1024, step + 1
    if abs(value) >= 1e6:  # nothing real is so large; a broken reading stays short
        return f"{value:.3g} {_BYTES[step]}"
    return f"{value:.0f} B" if step == 0 else f"{value:.1f} {_BYTES[step]}"


def span(length: timedelta, lang: Lang = "en") -> str:
    """A length of time in its two largest units: ``45 s``, ``3 min 20 s``, ``2 d 5 h``."""
    rest, parts = max(0, round(length.total_seconds())), list[str]()
    for en, zh, seconds in _TIMES:
        many, rest = divmod(rest, seconds)
        if many:
            parts.append(f"{many} {zh if lang == 'zh' else en}")
        elif parts:
            break  # never "1 d 20 s": what is named lies side by side
        if len(parts) == 2:
            break
    return " ".join(parts) or ("0 秒" if lang == "zh" else "0 s")


def ago(at: datetime, now: datetime, lang: Lang = "en") -> str:
    """How long before ``now``: ``12 min ago``; a future ``at`` is ``0 s ago``."""
    return f"{span(now - at, lang)}前" if lang == "zh" else f"{span(now - at, lang)} ago"
