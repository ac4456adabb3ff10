"""Arguments read from the words themselves: closed choices, schedules, patterns, free text."""

from __future__ import annotations

from agent.offline.filling.sheet import Sheet
from agent.offline.slots import choices, free_text, schedule
from agent.offline.text import pattern as compiled
from tools.contract import Json, Parameter

_POINTS = compiled(
    r"(?P<n>\d+(?:\.\d+)?)\s*(?:accuracy |percentage )?(?:points?\b|pp\b|个?(?:百分)?点)"
)
_FACTOR = compiled(r"(?P<n>\d+(?:\.\d+)?)\s*(?:x\b|times\b|倍)")


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
        case "points" | "factor":
            source = _POINTS if parameter.word == "points" else _FACTOR
            match = source.search(sheet.material.text.low)
            value = float(match["n"]) if match else None
        case _:
            return
    if value is not None:
        sheet.put(parameter, value)


def _text(sheet: Sheet, parameter: Parameter) -> str | None:
    quoted = _quoted(sheet)
    if quoted:
        return quoted
    raw = sheet.material.text.raw
    if parameter.name == "cause":
        return free_text.cause(raw)
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
        if mention.kind in ("name", "window"):
            start, end = mention.span.start, mention.span.end
            raw = raw[:start] + " , ".ljust(end - start)[: end - start] + raw[end:]
    return free_text.pattern(raw)


def _quoted(sheet: Sheet) -> str | None:
    quoted = next((m for m in sheet.material.mentions if m.kind == "quoted"), None)
    if quoted is None:
        return None
    sheet.used.add(id(quoted))
    return str(quoted.value)
