"""Words that the findings of this room share, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tools.amounts import ago
from tools.columns import WIDTH, fit
from tools.platforms.base import Phase
from tools.words import Lang

_PHASES: dict[Phase, tuple[str, str]] = {
    "complete": ("healthy", "正常"),
    "progressing": ("changing", "变更中"),
    "paused": ("paused", "已暂停"),
    "degraded": ("degraded", "异常"),
    "failed": ("failed", "失败"),
}


def phase(name: Phase, lang: Lang) -> str:
    """A phase in a word."""
    return _PHASES[name][lang == "zh"]


def stamp(at: datetime, now: datetime, lang: Lang) -> str:
    """``03:12:40 UTC (4 min ago)``; with the date when it was not today."""
    form = "%H:%M:%S UTC" if at.date() == now.date() else "%Y-%m-%d %H:%M UTC"
    past = ago(at, now, lang)
    return f"{at:{form}}（{past}）" if lang == "zh" else f"{at:{form}} ({past})"


def milliseconds(seconds: float) -> str:
    """``4.2 ms``, ``180 ms``, ``2.1 s``."""
    value = seconds * 1000
    if value >= 1000:
        return f"{seconds:.1f} s"
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"


def joined(lines: Iterable[str]) -> str:
    """The lines, none wider than 100 columns (a Chinese character takes two)."""
    return fit("\n".join(lines), WIDTH)
