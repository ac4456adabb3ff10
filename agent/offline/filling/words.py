"""Arguments read from the words themselves: choices, schedules, files, patterns, free text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.offline.corrections import CORRECTION
from agent.offline.filling.sheet import Sheet
from agent.offline.mention import SAID
from agent.offline.slots import (
    causes,
    choices,
    files,
    free_text,
    gains,
    patterns,
    samples,
    schedule,
    silences,
    switches,
)
from agent.offline.text import Span, fold
from agent.offline.text import pattern as compiled
from tools.contract import Json, Parameter

_NAMED_KIND = {
    kind: compiled(
        rf"\b{kind} (?:rule|type|kind|alert)|(?:type|kind|类型)\W{{0,3}}{kind}|{kind} ?类"
    )
    for kind in ("threshold", "rate", "anomaly", "peer")
}
"""Of what kind a rule is said to be though it has a threshold."""
_TOLD = compiled(
    r"\b(?:says?|said|saying|shows|complains?) (?P<told>\"[^\"]+\"|'[^']+')(?=.*\blogs?\b)"
)
"""What somebody reports need not be what to look for."""


def choice(sheet: Sheet, parameter: Parameter, values: tuple[str, ...]) -> None:
    """A value of a closed argument; the catch-all ``open`` gives way to any other."""
    low = sheet.without_names()
    if parameter.word == "rule_kind" and "threshold" in sheet.done.args:
        values = tuple(v for v in values if v == "rate" or _NAMED_KIND[v].search(low))
    found = choices.ranked(low, values)
    if found:
        first = found[0][0]
        later = [f for f in found if CORRECTION.search(low[first.end : f[0].start + 1])]
        sheet.put(parameter, (later or found)[0][1])


def written(sheet: Sheet, parameter: Parameter) -> None:
    """Everything that is neither a name nor a typed value."""
    value: Json = None
    match parameter.word:
        case "when":
            lines = [str(m.value) for m in sheet.material.mentions if m.kind == "quoted"]
            written = next((line for line in lines if schedule.is_cron(line)), None)
            found = schedule.find(written or sheet.without_names())
            found = found or next(filter(None, map(schedule.find, map(fold, lines))), None)
            value = found[1] if found else None
        case "pattern":
            value = _pattern(sheet)
        case "text":
            value = _text(sheet, parameter)
        case "points":
            value = _gain(sheet, gains.points)
        case "factor":
            value = _gain(sheet, gains.factor)
        case "path":
            value = _shown(sheet, files.find(sheet.material.text.low))
        case _ if parameter.name == "silence":
            value = _silence(sheet)
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


def _gain(sheet: Sheet, find: Callable[[str], tuple[Span, float] | None]) -> float | None:
    """A number with its unit, used up for every other argument."""
    found = find(sheet.unquoted())
    if found is None:
        return None
    sheet.claim(found[0])
    return found[1]


def _silence(sheet: Sheet) -> str | None:
    named = (m for m in sheet.material.mentions if m.kind == "name")
    alerts = tuple(m.span for m in named if m.known or "alert" in m.means)
    span = silences.find(sheet.material.text.low, alerts)
    return _shown(sheet, (span,)) if span else None


def _flag(sheet: Sheet, parameter: Parameter) -> bool | None:
    return switches.find(parameter.name, sheet.without_names())


def _text(sheet: Sheet, parameter: Parameter) -> str | None:
    quoted = _quoted(sheet)
    if quoted:
        tidy = causes.trimmed if parameter.name == "cause" else free_text.clean
        return tidy(quoted) if any(m.unit == SAID for m in sheet.material.mentions) else quoted
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
    raw = sheet.material.text.raw
    told = _TOLD.search(sheet.material.text.low)
    quoted = None if told else _quoted(sheet)
    if quoted:
        return quoted
    for mention in sheet.material.mentions:
        named = mention.kind == "name" and (mention.known or id(mention) in sheet.used)
        if named or mention.kind == "window":
            start, end = mention.span.start, mention.span.end
            raw = raw[:start] + " , ".ljust(end - start)[: end - start] + raw[end:]
    found = patterns.pattern(raw[: told.start("told")] + raw[told.end() :] if told else raw)
    return found or (_quoted(sheet) if told else None)


def _quoted(sheet: Sheet) -> str | None:
    quoted = next((m for m in sheet.material.mentions if m.kind == "quoted"), None)
    if quoted is None:
        return None
    sheet.used.add(id(quoted))
    return str(quoted.value)
