"""What a smaller model may cost and must gain: points of accuracy, and times faster."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agent.offline.slots import fractions, numbers
from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_N = rf"(?P<n>{numbers.NUMBER})(?P<half> and a half)?"
_DIGITS = r"(?P<n>\d+(?:\.\d+)?|\.\d+)"
_LOSABLE = r"(?:accuracy|acc|precision|f1|auc|精度|准确率|准度)"
_LOST = r"(?:掉|降|少|损失?|丢|跌|牺牲|差|低|让|亏|赔)"
_AT_MOST = r"(?:不(?:能|要|许)?(?:超过?|大于|高于|多于)|别超过?|控制在|最多|至多|顶多|上限|<=?|≤|:|=|是|为|在|了|个)"
_POINT = r"(?:(?:accuracy |percentage |percent |acc )?(?:points?|pts?|pp)\b)"
_HAN_POINT = r"(?:个(?:百分|精度)?点(?!钟)|百分点|(?:个)?pp\b|个pt\b)"

_Pattern = tuple[re.Pattern[str], float | None, bool]
"""What to look for, what is meant where no number says it, and whether all of it is used up."""
_PART_OF = compiled(
    rf"\b(?P<part>[a-z]+[ -][a-z]+?)(?:s)? (?:of a )?{_POINT}|\b(?P<quarter>quarter) (?:of a )?{_POINT}"
)
_POINTS: tuple[_Pattern, ...] = (
    (
        compiled(
            rf"\b(?:one|1|a) and (?:a half|1/2) {_POINT}|\b(?:a|one|1) {_POINT} and a half|一个半(?:百分)?点"
        ),
        1.5,
        True,
    ),
    (
        compiled(rf"\bhalf[ -]?(?:an? )?{_POINT}|\b(?:1/2|half an?) {_POINT}|半{_HAN_POINT}"),
        0.5,
        True,
    ),
    (compiled(rf"\b(?:a|single)[ -](?:single )?{_POINT}"), 1.0, True),
    (compiled(rf"(?<![\w.-]){_N}[ -]*{_POINT}"), None, True),
    (
        compiled(
            rf"(?<![涨高升])(?<![涨高升] )(?<![涨高升]了)(?<![涨高升]了 )(?<![\d.]){_N}\s*{_HAN_POINT}"
        ),
        None,
        True,
    ),
    (compiled(rf"{_LOST}[^%\d,;]{{0,8}}?{_N}\s*点(?!钟)"), None, True),
    (compiled(rf"\bhalf (?:a |of a )?(?:%|percent)[^,;.]{{0,12}}{_LOSABLE}"), 0.5, True),
    (
        compiled(
            rf"(?:{_LOSABLE}|掉点|损失|(?:接受|允许)(?:掉|降|下降)|\btolerance|\bdegradation|\blos(?:e|ing|s)\b)[^%\d,;]{{0,24}}?{_DIGITS}\s*(?:%|percent\b)(?! of (?:its |the )?(?:weights|param))"
        ),
        None,
        False,
    ),
    (compiled(rf"{_N}\s*(?:%|percent) (?:of )?(?:the )?(?:{_LOSABLE}|loss\b)"), None, False),
    (
        compiled(
            rf"\b(?:drop|loss|dip|decrease) of (?:up to |at most |about )*{_DIGITS}\s*(?:%|percent) (?:is |would be |are )?(?:ok|okay|fine|acceptable|accepted|tolerable|allowed|bearable)\b"
        ),
        None,
        False,
    ),
    (compiled(rf"(?:{_LOSABLE}|损失)[^%\d,;]{{0,10}}?百分之{_N}"), None, False),
    (
        compiled(
            rf"(?:掉点|掉精度|精度损失|精度下降|精度掉){_AT_MOST}*\s*{_N}\s*个?(?![\w.%点成])"
        ),
        None,
        True,
    ),
    (
        compiled(
            rf"\b(?:max(?:imum|imal)?[ _]?loss|accuracy (?:loss|drop)|loss of accuracy|drop in accuracy)\s*(?:(?:of|is|at most|up to|under|below|within|no more than|max|<=?|≤|=|:)\s*)*{_DIGITS}(?![\w.%])"
        ),
        None,
        True,
    ),
)
_FASTER = r"(?:faster|quicker|speed(?:[ -]?up)?|as fast|as quick(?:ly)?|the speed|fast)"
_FACTORS: tuple[_Pattern, ...] = (
    (
        compiled(
            r"\btwice (?:as |the )?\w+|\btwice\b|\bdoubl(?:e|es|ing) (?:the |its |in )?(?:speed|pace|throughput)\b|\bhalf the (?:latency|time)\b"
            r"|[快速](?:度)?(?:提升|提高|提)?(?:了)?(?:一|1) ?倍|翻倍|翻一番|(?:延迟|时延|耗时)(?:减半|降一半|砍半)|\b(?:latency|time)\b[^,.;]{0,16}\bhal(?:f|ves|ved)\b|\bhalv(?:e|ing) (?:the |its )?(?:latency|time)\b"
        ),
        2.0,
        True,
    ),
    (
        compiled(rf"(?<![\w.]){_N}\s*-?(?:x|times?|fold)(?:\s+as)?[ -]+(?:\w+ )?{_FASTER}\b"),
        None,
        True,
    ),
    (compiled(rf"(?<![\w.]){_DIGITS}\s*(?:x\b|×|times\b)"), None, True),
    (compiled(rf"{_N}\s*(?:个)?倍(?:速|快)?"), None, True),
    (compiled(r"\bdoubl(?:e|ing)\b"), 2.0, True),
)
_SHARE_FASTER = compiled(
    rf"(?<![\w.]){_N}\s*(?:%|percent)\s*(?:faster|quicker|speed[ -]?up|more speed)|\bspeed(?:ed)?\b[^,.;%]{{0,24}}\bup by (?P<u>\d+(?:\.\d+)?) ?(?:%|percent)"
    rf"|(?:提速|加速|快|速度(?:提升|提高|加快))\s*(?:了)?\s*(?P<h>\d+(?:\.\d+)?)\s*%"
)


def points(low: str) -> tuple[Span, float] | None:
    """Points of accuracy that may be lost, and the characters that say so."""
    part = _PART_OF.search(low)
    share = next((v for _, v in fractions.ordinals(part.group())), None) if part else None
    if part and share:
        return Span(*part.span()), share
    return next(_found(low, _POINTS), None)


def factor(low: str) -> tuple[Span, float] | None:
    """How many times faster it shall get: ``1.5x``, ``三倍速``; ``50 % faster`` is 1.5."""
    share = _SHARE_FASTER.search(low)
    if share:
        group = next(g for g in ("n", "u", "h") if share[g])
        number = numbers.value(share[group])
        if number is not None:
            return Span(share.start(group), share.end()), round(1 + number / 100, 4)
    return next(_found(low, _FACTORS), None)


def _found(low: str, patterns: Sequence[_Pattern]) -> Iterator[tuple[Span, float]]:
    for pattern, meant, whole in patterns:
        for match in pattern.finditer(low):
            number = meant if meant is not None else numbers.value(match["n"])
            if number is not None and match.groupdict().get("half"):
                number += 0.5
            if number is not None:
                yield Span(*match.span(0 if whole or meant else "n")), number
