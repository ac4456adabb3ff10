"""Spans of time: ``two hours``, ``past quarter of an hour``, ``半小时``, ``since yesterday``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.offline.slots import numbers
from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_UNITS = {
    "s": r"s|secs?|seconds?|秒钟?",
    "m": r"m|mins?|minutes?|分(?!之)钟?",
    "h": r"h|hrs?|hours?|个?小时|个?钟头|个?钟",
    "d": r"d|days?|天|日",
    "w": r"w(?!/)|wks?|weeks?|个?星期|个?礼拜|周",
    "mo": r"months?|个月|月",
}
_UNIT = "|".join(f"(?P<{name}>{pattern})" for name, pattern in _UNITS.items())
_NUMBER = numbers.NUMBER
_PATTERN = compiled(
    rf"(?<![\w.#:-])(?P<n>{_NUMBER})(?P<half_before> and a half)?(?:\s|-)*(?:{_UNIT})(?P<half>半| and a half)?(?![a-z0-9])"
)
_HAN_PATTERN = compiled(
    rf"(?P<n>\d+(?:\.\d+)?|{numbers.HAN})\s*(?:(?P<s>秒钟?)|(?P<m>分(?!之)钟?)|(?P<h>个?小时|个?钟头|个钟)"
    r"|(?P<d>天|日(?!志|报))|(?P<w>个?星期|个?礼拜|周)|(?P<mo>个月))(?P<half>半)?"
)
_COMPOUND = compiled(r"(?<![\w.:-])(?:\d+[dhms]){2,}(?!\w)")
_HOURS_MINUTES = compiled(
    r"(?<![\w.:-])(?P<h>\d+) ?(?:h|hrs?|hours?)\b,?(?: and)? ?(?P<m>\d+) ?(?:m|mins?|minutes?)\b|(?P<hh>\d+) ?(?:个)?(?:小时|钟头) ?(?P<hm>\d+) ?分钟?"
)
_FIXED: tuple[tuple[str, str], ...] = (
    (r"\b(?:half an? hour|half hour|half-hour)\b|半个?(?:小时|钟头|钟)", "30m"),
    (r"\b(?:a )?quarter (?:of an? )?hour\b|一刻钟", "15m"),
    (r"\bthree quarters of an hour\b|三刻钟", "45m"),
    (r"\b(?:an|one|1) hour and a half\b|一个?半(?:小时|钟头)|一个半钟", "90m"),
    (r"\b(?:last |past |a )?day and a half\b", "36h"),
    (r"\bhalf (?:a )?day\b|(?<![都了等卡跑敲好老费])半天(?![没都也才不])", "12h"),
    (
        r"\bover ?night\b|\b(?:last night|tonight)(?:'s)?\b|\b(?:of|on|during|over|through|throughout|for) the (?:whole )?night\b|\ball night\b"
        r"|昨[晚夜]上?|昨天(?:晚上|夜里)|今[晚夜]|一(?:整)?[晚夜](?!成名)|整[晚夜]|隔夜|(?:这|过)一?夜",
        "12h",
    ),
    (r"\bfortnight\b", "14d"),
    (r"\bwhile i (?:was asleep|slept|was sleeping)\b|夜里|半夜里?出", "12h"),
    (
        r"\b(?:an|the (?:last|past|previous)|last|past|this|previous|next) (?:hour|hr)\b|上个?(?:小时|钟头|钟)",
        "1h",
    ),
    (r"\b(?:a|the (?:last|past)|last|past) minute\b", "1m"),
    (
        r"\b(?:a|the (?:last|past|next|coming)|last|past|one full|a full|a whole|all|the whole|the entire) day\b|整天|一整天|全天",
        "1d",
    ),
    (
        r"\bsince (?:this time )?yesterday\b|\byesterday(?:'s)?\b|昨天到现在|昨天以来|昨日|昨天|从?今[早天](?:上)?(?:开始|到现在|起)",
        "1d",
    ),
    (r"\b(?:so far )?today(?:'s)?\b|今天|今日|当天", "1d"),
    (
        r"\b(?:a|the (?:last|past|previous)|last|past|this|previous|all|all of this) week(?:'s)?\b|上个?(?:周|星期|礼拜)|本周|这一?(?:周|个?(?:星期|礼拜))|一?整(?:周|个星期|个礼拜)|过去一周|近一周",
        "7d",
    ),
    (
        r"\b(?:a|the (?:last|past|previous)|last|past|this|previous) month(?:'s)?\b|上个?月|本月|这个月",
        "30d",
    ),
    (r"前天", "2d"),
    (
        r"\bthe (?:whole |entire |full )?week\b(?! of\b)|\bwhole week\b|\bweekly (?=recap|wrap|round-?up)",
        "7d",
    ),
    (r"\b(?:the )?previous day\b", "1d"),
)
_CODES = compiled(r"(?<!\bfor )(?<!\blast )(?<!\bpast )(?<!\bover )(?<![\w.#:-])[45]\d\ds(?!\w)")
"""``502s`` in front of logs are answers of a server, not seconds."""
_FIXED_PATTERNS = tuple((compiled(pattern), said) for pattern, said in _FIXED)


_TAKES = ("要", "花", "等")
_BEFORE = ("会前", "班前", "睡前", "上线前", "赛前")
"""Seconds that something takes are no span to look at: ``敲个 ls 都要三秒``, ``开会前两分钟``."""


def find(low: str) -> Iterator[tuple[Span, str]]:
    """Every duration in a folded text, as ``15m``, ``2h``, ``1d``; longest first wins outside."""
    for match in _COMPOUND.finditer(low):
        yield Span(*match.span()), match.group()
    for match in _HOURS_MINUTES.finditer(low):
        yield Span(*match.span()), f"{match['h'] or match['hh']}h{match['m'] or match['hm']}m"
    for pattern, said in _FIXED_PATTERNS:
        for match in pattern.finditer(low):
            yield Span(*match.span()), said
    codes = [Span(*match.span()) for match in _CODES.finditer(low)]
    for pattern in (_PATTERN, _HAN_PATTERN):
        for match in pattern.finditer(low):
            said = _written(match)
            taken = said and said.endswith("s") and low[: match.start()].rstrip().endswith(_TAKES)
            taken = taken or low[: match.start()].rstrip().endswith(_BEFORE)
            if said and not taken and not any(code.start == match.start() for code in codes):
                yield Span(*match.span()), said


def _written(match: re.Match[str]) -> str | None:
    amount = numbers.value(match["n"])
    unit = next(name for name in _UNITS if match[name])
    if amount is None or amount <= 0:
        return None
    if match["half"] or match.groupdict().get("half_before"):
        amount += 0.5
    if unit == "w":
        amount, unit = amount * 7, "d"
    if unit == "mo":
        amount, unit = amount * 30, "d"
    if amount != int(amount):
        smaller = {"d": ("h", 24), "h": ("m", 60), "m": ("s", 60)}
        if unit not in smaller:
            return None
        unit, factor = smaller[unit]
        amount *= factor
    return f"{round(amount)}{unit}"
