"""Arguments read from the words themselves: choices, schedules, files, patterns, free text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.offline.filling.sheet import Sheet
from agent.offline.slots import causes, choices, files, free_text, samples, schedule
from agent.offline.text import Span
from agent.offline.text import pattern as compiled
from tools.contract import Json, Parameter

_N = r"(?P<n>\d+(?:\.\d+)?)"
_LOSABLE = r"(?:accuracy|acc|precision|f1|精度|准确率)"
_POINTS = (
    (compiled(r"\b(?:a|one|single) (?:accuracy |percentage )?point\b|一个(?:百分)?点"), 1.0),
    (compiled(rf"{_N}\s*(?:accuracy |percentage )?(?:points?\b|pp\b|个?(?:百分)?点)"), None),
    (
        compiled(
            rf"(?:{_LOSABLE}|掉点|损失|\btolerance|\bdegradation|\blos(?:e|ing|s)\b)[^%\d,;]{{0,24}}?{_N}\s*(?:%|percent)(?! of (?:its |the )?(?:weights|param))"
        ),
        None,
    ),
    (compiled(rf"{_N}\s*(?:%|percent) (?:of )?(?:the )?(?:{_LOSABLE}|loss\b)"), None),
)
_FACTOR = (
    (compiled(r"\btwice\b|\bdoubl(?:e|ing)\b|\bhalf the (?:latency|time)\b|快一倍|两倍|翻倍"), 2.0),
    (compiled(rf"{_N}\s*(?:x\b|times\b|倍)"), None),
)
"""Patterns, and what is meant where no digit says it."""
_FLAGS = {"withdraw": compiled(r"\b(?:withdraw|retract|take back|revoke)\b|撤回|撤销|收回|作废")}
"""Arguments that are on or off, and the words that turn them on."""


def choice(sheet: Sheet, parameter: Parameter, values: tuple[str, ...]) -> None:
    """A value of a closed argument; the catch-all ``open`` gives way to any other."""
    if parameter.word == "rule_kind" and "threshold" in sheet.done.args:
        return
    found = sorted(
        choices.find(sheet.without_names(), values),
        key=lambda f: (f[1] == "open", f[0].start, f[0].start - f[0].end),
    )
    if found:
        sheet.put(parameter, found[0][1])


def written(sheet: Sheet, parameter: Parameter) -> None:
    """Everything that is neither a name nor a typed value."""
    value: Json = None
    match parameter.word:
        case "when":
            found = schedule.find(sheet.without_names())
            value = found[1] if found else None
        case "pattern":
            value = _pattern(sheet)
        case "text":
            value = _text(sheet, parameter)
        case "points":
            value = _first(sheet, _POINTS)
        case "factor":
            value = _first(sheet, _FACTOR)
        case "path":
            value = _shown(sheet, files.find(sheet.material.text.low))
        case _:
            value = _flag(sheet, parameter)
    if value is not None:
        sheet.put(parameter, value)


def sample(sheet: Sheet, parameter: Parameter) -> bool:
    """An identifier of a sample that is no name of ours: ``img_0093``, ``trip-20031``."""
    mentions = sheet.material.mentions
    if any(m.kind == "quoted" for m in mentions):
        return False
    known = [m.span for m in mentions if m.kind == "name" and m.known]
    said = _shown(sheet, samples.find(sheet.material.text.low, known))
    if said:
        sheet.put(parameter, said)
    return bool(said)


def _shown(sheet: Sheet, spans: Sequence[Span]) -> str | None:
    """The words as written, used up for every other argument."""
    for span in spans:
        sheet.claim(span)
    return "/".join(sheet.material.text.said(span).rstrip("/") for span in spans) or None


def _first(sheet: Sheet, patterns: Sequence[tuple[re.Pattern[str], float | None]]) -> float | None:
    for pattern, meant in patterns:
        match = pattern.search(sheet.material.text.low)
        if match:
            sheet.claim(Span(*match.span(0 if meant else "n")))
            return meant or float(match["n"])
    return None


def _flag(sheet: Sheet, parameter: Parameter) -> bool | None:
    pattern = _FLAGS.get(parameter.name)
    return True if pattern and pattern.search(sheet.without_names()) else None


def _text(sheet: Sheet, parameter: Parameter) -> str | None:
    quoted = _quoted(sheet)
    if quoted:
        return quoted
    raw = sheet.material.text.raw
    if parameter.name == "cause":
        alert = next((m for m in sheet.material.mentions if "alert" in m.means), None)
        return causes.cause(raw, alert.span if alert else None)
    names = [m for m in sheet.material.mentions if id(m) in sheet.used and m.kind == "name"]
    if not names:
        said = free_text.message(raw)
    else:
        before, after = raw[: names[0].span.start], raw[names[0].span.end :]
        said = free_text.message(after) or (free_text.message(raw) if ":" in before else None)
        said = said or free_text.ahead(before)
        said = said or (free_text.rest(after) if len(after) > 3 else None)
    sheet.used.update(id(m) for m in sheet.material.mentions)
    return said


def _pattern(sheet: Sheet) -> str | None:
    quoted = _quoted(sheet)
    if quoted:
        return quoted
    raw = sheet.material.text.raw
    for mention in sheet.material.mentions:
        named = mention.kind == "name" and (mention.known or id(mention) in sheet.used)
        if named or mention.kind == "window":
            start, end = mention.span.start, mention.span.end
            raw = raw[:start] + " , ".ljust(end - start)[: end - start] + raw[end:]
    return free_text.pattern(raw)


def _quoted(sheet: Sheet) -> str | None:
    quoted = next((m for m in sheet.material.mentions if m.kind == "quoted"), None)
    if quoted is None:
        return None
    sheet.used.add(id(quoted))
    return str(quoted.value)
