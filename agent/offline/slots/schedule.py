"""Recurring times as cron: ``every weekday at 10``, ``Mondays at 8am``, ``每周五下午五点``."""

from __future__ import annotations

import re

from agent.offline.slots import numbers
from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY = compiled(
    r"\b(?P<d>sun|mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?)(?:day)?s?\b"
    r"|(?:周|星期|礼拜)(?P<h>[一二三四五六日天](?:[,和]?[一二三四五六日天](?! ?[点时:]))*)"
)
_HAN_DAY = {c: i for i, c in enumerate("日一二三四五六")} | {"天": 0}
_CLOCK = compiled(
    r"\b(?P<h1>[01]?\d|2[0-3])[:.h](?P<m1>[0-5]\d)\s*(?P<p1>[ap]\.?m\b)?"
    r"|(?<![\w#.-])(?P<h2>1[0-2]|0?[1-9])\s*(?P<p2>[ap])\.?m\b"
    r"|\b(?:at|by|@) (?P<h3>[01]?\d|2[0-3])(?:\s*o'?clock)?(?![\w:%-]|\.\d| (?:min|hour|day|replica|[ap]\.?m\b))"
    rf"|\b(?:at )?(?P<h5>{'|'.join(list(numbers.UNITS)[1:13])}) (?:o'?clock|(?P<p5>[ap])\.?m\b)"
    rf"|\bat (?P<h6>{'|'.join(list(numbers.UNITS)[1:13])})(?: (?P<m6>thirty|fifteen))?\b(?! (?:min|hour|replica))"
    rf"|(?P<h4>\d{{1,2}}|[一二三四五六七八九十两]+)\s*(?:点|时(?!间)|:)(?:钟|整)?(?P<m4>半|一刻|三刻|[0-5]?\d分?|[一二三四五]?十[一二三四五六七八九]?分?|零[一二三四五六七八九]分?)?"
)
_NAMED: tuple[tuple[str, tuple[int, int]], ...] = (
    (r"\b(?:at )?noon\b|\bmid-?day\b|中午(?!\s*[\d一二三十])|正午", (12, 0)),
    (r"\b(?:at )?midnight\b|半夜(?!\s*[\d一二三])|午夜", (0, 0)),
)
_TO_THE_HOUR = compiled(
    rf"\b(?P<part>half|quarter|a quarter) (?P<side>past|to) (?P<hour>\d{{1,2}}|{'|'.join(list(numbers.UNITS)[1:13])})\b"
)
_NIGHT = compiled(r"\b(?:nightly|(?:every|each) night|nights)\b")
_EVENING = compiled(
    r"\bin the (?:evening|afternoon)\b|\btonight\b|\bevenings?\b|下午|晚上|傍晚|夜里|晚间|[今每当]晚"
)
_HOURLY = compiled(
    r"\bhourly\b|\b(?:every|each|once an|an) hour\b|\bper hour\b|每(?:个)?(?:小时|钟头)|整点"
)
_EVERY_N = compiled(
    rf"\bevery (?P<n>\d+|{'|'.join(list(numbers.UNITS)[2:20])}|other) ?(?P<u>minutes?|mins?|m|hours?|hrs?|h)\b"
    rf"|每隔?\s*(?P<hn>\d+|[一二两三四五六七八九十]+)\s*(?:个)?(?P<hu>分钟|小时|钟头)"
)
_WEEKDAYS = compiled(
    r"\b(?:every |on |each )?(?:week ?days?|work(?:ing)? ?days?|business days?|workdays?)\b|工作日|平日|上班日|(?:周|星期|礼拜)一(?:到|至|-)(?:周|星期|礼拜)?五|\bmon(?:day)?(?:s)? ?(?:-|to|through|thru) ?fri(?:day)?s?\b"
)
_WEEKEND = compiled(r"\bweekends?\b|周末|星期六和?日|双休日")
_DAILY = compiled(
    r"\b(?:daily|nightly|every ?day|each day|every (?:single )?(?:morning|evening|night|afternoon)|each (?:morning|evening|night)|per day|mornings|evenings|(?:once|twice) a day)\b|每天|每日|天天|每晚|每早|每个?(?:早上|晚上|早晨|清晨)|日报|日终"
)
_MONTHLY = compiled(
    r"\b(?:first (?:day )?of (?:every|each|the) month|(?:every|each) month|monthly|1st of (?:every|each|the) month)\b|每个?月(?:\s*(?P<d>\d+|[一二三四五六七八九十]+)\s*[号日])?|每个?月初|月报"
)
_MONTHDAY = compiled(r"\b(?:on )?the (?P<o>\d{1,2})(?:st|nd|rd|th) of (?:every|each|the) month\b")
_WEEKLY = compiled(r"\b(?:weekly|every week|each week|once a week)\b|每周|每个?星期|每个?礼拜|周报")
_CRON = compiled(r"(?<![^\s:：(\"\'`])(?:[\d*/,-]+\s+){4}[\d*/,a-z-]+(?![^\s,)\"\'`])")


def find(low: str) -> tuple[Span, str] | None:
    """The recurring time of a folded text as a five-field cron line, or ``None``.

    A day without a time, or a time without a rhythm, is not a schedule: the caller asks.
    """
    cron = _CRON.search(low)
    if cron:
        return Span(*cron.span()), " ".join(cron.group().rstrip(",").split())
    low = _clearly(low)
    span = _Covered()
    every = span.take(_EVERY_N.search(low))
    if every:
        return span.span, _every(every)
    days = _days(low, span)
    evening = _EVENING.search(low)
    clock = _clock(span.without(low), span, evening, bool(_NIGHT.search(low)))
    if days is None:
        hourly = span.take(_HOURLY.search(low))
        return (span.span, "0 * * * *") if hourly else None
    if clock is None:
        return None
    return span.span, f"{clock[1]} {clock[0]} {days}"


def is_cron(said: str) -> bool:
    """Is it a five-field cron line and nothing else?"""
    return bool(_CRON.fullmatch(said.strip()))


class _Covered:
    """The range of characters the schedule was read from."""

    def __init__(self) -> None:
        self._spans: list[tuple[int, int]] = []

    def take(self, match: re.Match[str] | None) -> re.Match[str] | None:
        if match:
            self._spans.append(match.span())
        return match

    def without(self, low: str) -> str:
        """The text with what was read blanked out."""
        for start, end in self._spans:
            low = low[:start] + " " * (end - start) + low[end:]
        return low

    @property
    def span(self) -> Span:
        return Span(min(s for s, _ in self._spans), max(e for _, e in self._spans))


def _every(match: re.Match[str]) -> str:
    said = match["n"] or match["hn"]
    amount = 2 if said == "other" else numbers.whole(said) or 1
    minutes = (match["u"] or "").startswith("m") or match["hu"] == "分钟"
    return f"*/{amount} * * * *" if minutes else f"0 */{amount} * * *"


def _days(low: str, span: _Covered) -> str | None:
    """The last three fields: day of month, month, day of week."""
    monthday = span.take(_MONTHDAY.search(low))
    if monthday:
        return f"{int(monthday['o'])} * *"
    monthly = span.take(_MONTHLY.search(low))
    if monthly:
        day = numbers.whole(monthly["d"]) if monthly["d"] else 1
        return f"{day} * *"
    if span.take(_WEEKDAYS.search(low)):
        return "* * 1-5"
    named = [m for m in _DAY.finditer(low) if span.take(m)]
    if named:
        numbered = sorted({day for m in named for day in _numbers(m)})
        return f"* * {','.join(map(str, numbered))}"
    if span.take(_WEEKEND.search(low)):
        return "* * 0,6"
    if span.take(_DAILY.search(low)):
        return "* * *"
    return "* * 1" if span.take(_WEEKLY.search(low)) else None


def _numbers(match: re.Match[str]) -> list[int]:
    if match["h"]:
        return [_HAN_DAY[c] for c in match["h"] if c in _HAN_DAY]
    return [_DAYS.index(match["d"][:3])]


def _clearly(low: str) -> str:
    """``half past six`` as ``at 6:30``."""

    def clock(match: re.Match[str]) -> str:
        hour = numbers.whole(match["hour"]) or 0
        minute = 30 if match["part"] == "half" else 15
        if match["side"] == "to":
            hour, minute = hour - 1, 60 - minute
        return f"{hour}:{minute}".ljust(len(match.group()))

    return _TO_THE_HOUR.sub(clock, low)


def _clock(
    low: str, span: _Covered, evening: re.Match[str] | None, night: bool
) -> tuple[int, int] | None:
    for pattern, time in _NAMED:
        if span.take(re.search(pattern, low)):
            return time
    match = span.take(_CLOCK.search(low))
    if not match:
        return None
    group = next(k for k in ("h1", "h2", "h3", "h4", "h5", "h6") if match[k])
    hour = numbers.whole(match[group]) or 0
    minute = _minute(match)
    half = (match["p1"] or match["p2"] or match["p5"] or "")[:1]
    evening = span.take(evening) if not half else None
    night = night and not half and hour > 5
    if (half == "p" or evening or night) and hour < 12:
        hour += 12
    if half == "a" and hour == 12:
        hour = 0
    return (hour, minute) if hour < 24 else None


def _minute(match: re.Match[str]) -> int:
    said = match["m1"] or match["m4"] or match["m6"] or "0"
    fixed = {"半": 30, "一刻": 15, "三刻": 45}
    return (
        fixed[said] if said in fixed else numbers.whole(said.rstrip("分").lstrip("零") or "0") or 0
    )
