"""Numbers with their units, as a person reads them in a terminal or a chat."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from datetime import datetime, timedelta

from tools.amounts import size
from tools.columns import WIDTH


def percent(value: float) -> str:
    """A share in 0..100: ``92 %``, ``0.4 %``."""
    if not abs(value) < 1e6:
        return f"{number(value)} %"
    return f"{value:.1f} %" if 0 < abs(value) < 10 and value != round(value) else f"{value:.0f} %"


def number(value: float) -> str:
    """Any number, to three or four significant digits, never ``nan`` as if it were measured."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    if abs(value) >= 1e15 or abs(value) < 1e-4:
        return f"{value:.3g}"
    if value == round(value):
        return f"{value:,.0f}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{3 if abs(value) < 10 else 1}f}".rstrip("0").rstrip(".")


def quantity(value: float, unit: str) -> str:
    """A number in its unit: ``62.0 GiB``, ``87 %``, ``71 °C``, ``12 ms``."""
    match unit:
        case "bytes":
            return size(value)
        case "bytes/s":
            return f"{size(value)}/s"
        case "%":
            return percent(value)
        case "s":
            return seconds(value)
        case "":
            return number(value)
        case "1/s":
            return f"{number(value)}/s"
        case _:
            return f"{number(value)} {unit}"


def seconds(value: float) -> str:
    """A time span in seconds: ``12 ms``, ``3.4 s``, ``5 min``, ``2 h 10 min``."""
    if not abs(value) < 1e11:
        return f"{number(value)} s"
    if 0 < abs(value) < 1:
        return f"{number(value * 1000)} ms"
    whole = value == round(value)
    if abs(value) < 120 and not (whole and value % 60 == 0):
        return f"{number(round(value, 1))} s"
    minutes = round(value / 60)
    if minutes < 120 and minutes != 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours / 24:.1f} d"


def span(window: timedelta, lang: str = "en") -> str:
    """A window in words: ``15 min``, ``2 h``; in Chinese ``15 分钟``, ``2 小时``."""
    text = seconds(window.total_seconds())
    return zh_units(text) if lang == "zh" else text


def zh_units(text: str) -> str:
    """The Chinese form of a time span."""
    for unit, word in ((" min", " 分钟"), (" h", " 小时"), (" ms", " 毫秒"), (" s", " 秒")):
        text = text.replace(unit, word)
    return text[:-2] + " 天" if text.endswith(" d") else text


def clock(at: datetime, now: datetime | None = None) -> str:
    """A time of day in UTC, with the date when it is not the day of ``now``."""
    if now is not None and at.date() != now.date():
        return f"{at:%Y-%m-%d %H:%M}"
    return f"{at:%H:%M:%S}"


def fold(lines: Sequence[str]) -> str:
    """Lines as text of at most :data:`WIDTH` columns; what follows a fold is indented."""
    folded: list[str] = []
    for line in lines:
        if len(line) <= WIDTH:
            folded.append(line)
            continue
        indent = "  " if line.startswith(("- ", "  ")) else ""
        folded += textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(folded)


_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_a-z]"
)
_CONTROLS = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def clean(text: str, most: int = 2000) -> str:
    """Text from the world without escape sequences, control and direction characters."""
    text = _CONTROLS.sub("", _ESCAPES.sub("", text)).replace("\t", "    ").rstrip()
    return text if len(text) <= most else f"{text[:most]}… (+{len(text) - most})"
