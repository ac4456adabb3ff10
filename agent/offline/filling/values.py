"""Arguments that take a typed value: counts, versions, shares, times, metrics, codes."""

from __future__ import annotations

from collections.abc import Mapping

from agent.offline.filling import shifts
from agent.offline.filling.sheet import Sheet
from agent.offline.mention import Mention
from agent.offline.slots import limits
from agent.offline.text import Span
from agent.offline.text import pattern as compiled
from tools.contract import Json, Parameter

TAKES: dict[str, dict[str, float]] = {
    "window": {"window": 3.0},
    "fraction": {"fraction": 3.0, "count": 0.5},
    "version": {"version": 3.0, "alias": 1.5, "count": 1.0},
    "alias": {"alias": 3.0, "quoted": 2.0},
    "revision": {"revision": 3.0, "version": 1.0, "count": 1.0},
    "count": {"count": 1.0},
    "gpu": {"gpu": 3.0},
    "xid": {"xid": 3.0, "count": 0.5},
    "action": {"action": 3.0, "quoted": 1.0, "count": 0.5},
    "metric": {"metric": 3.0},
    "number": {"count": 1.0, "fraction": 1.0},
    "path": {"path": 3.0, "quoted": 2.0},
    "sample": {"sample": 3.0, "quoted": 2.5, "count": 0.5},
}
"""Word of an argument → kinds of mentions it takes, with how gladly."""
_COMPARED = compiled(r"(?P<metric>.*[)}\]])\s*(?:[<>]=?|==)\s*(?P<n>\d+(?:\.\d+)?)")
"""A PromQL expression with the threshold of a rule."""
_KEPT = compiled(
    r"(?:\bkeep(?:s|ing)?|\bretain(?:s|ing)?|\bleav(?:e|es|ing)|只?剩下?|保留|留下?)(?: only| just|到|了)? ?$"
)
"""Before a share that stays: the rest is to go."""
_LEAST_PERCENT = 5
"""A smaller bare number is hardly a percentage."""
_SHARES = ("error_rate", "accuracy")
_CODED = {
    "xid": compiled(r"xid|nvrm|nvidia"),
    "action": compiled(r"action|proposal|change|number|approv|操作|动作|提议|提案|变更|批"),
    "gpu": compiled(r"gpu|card|device|卡"),
}


_QUOTED = {"alias": compiled(r"[A-Za-z][\w-]{0,40}"), "action": compiled(r"#?\d{1,6}")}
"""What a quotation must look like to be such an argument."""
_LABEL = compiled(
    r"\b(?!the\b|a\b|an\b|its\b|this\b|that\b|any\b|model\b|version\b|new\b|old\b|remove\b|drop\b|delete\b|take\b|strip\b|clear\b|add\b|set\b|give\b|which\b|what\b)(?P<before>(?!v\d+\b)[a-z][a-z0-9-]+)(?: (?:label|alias|tag)\b|\s*(?:这个|那个|的)?\s*(?:别名|标签))"
    r"|\b(?:carry|carries|wear|wears|bear|hold|called|tagged|marked|labelled) (?:the )?(?P<worn>[a-z][a-z0-9-]+) (?:any ?more|any longer)\b"
    r"|(?<![\w-])(?:label|alias|tag|标签|别名)\s*(?:named |called |叫|是)?(?!on\b|of\b|from\b|off\b|to\b|for\b|away\b|so\b|and\b|in\b|it\b|the\b|please\b)(?P<after>[a-z][a-z0-9-]+)"
)
"""An alias of one's own making, beside the word for it."""
_BACK_TO = compiled(
    r"(?:\bto|\brev(?:ision)?|\brestore|=|到|回|成|至|用)(?: (?:the|version|v))*[ v第]*$"
)


def typed(sheet: Sheet, parameter: Parameter) -> None:
    """Fill one argument with the mention that suits it best by kind, unit, place and order."""
    metric = str(sheet.done.args.get("metric"))
    if parameter.word == "number" and "latency" in metric:
        limit = limits.milliseconds(sheet.material.text.low)
        if limit:
            sheet.claim(limit[0])
            told = limit[1] / 1000 if metric.endswith("_seconds") else limit[1]
            sheet.put(parameter, int(told) if told.is_integer() else told)
            return
    best = _best(sheet, parameter)
    if best is None:
        label = _LABEL.search(sheet.material.text.low) if parameter.word == "alias" else None
        if label:
            sheet.put(parameter, label["before"] or label["after"] or label["worn"])
        return
    mention = best
    value = _value(sheet, parameter.word, mention)
    if value is None:
        return
    compared = _COMPARED.fullmatch(str(value)) if parameter.word == "metric" else None
    if compared and "threshold" in sheet.form.cues:
        value, limit = compared["metric"], float(compared["n"])
        sheet.done.args["threshold"] = int(limit) if limit.is_integer() else limit
    if mention.also and parameter.word == "metric":
        sheet.done.also[parameter.name] = tuple(str(m.value) for m in mention.also)
    sheet.put(parameter, value, mention)


_ELSEWHERE = -100.0
"""What is said in the clause comes before all that stands around it."""


def _best(sheet: Sheet, parameter: Parameter) -> Mention | None:
    best: tuple[float, Mention] | None = None
    low = sheet.material.text.low
    since = _since(sheet)
    alike = _alike(sheet, parameter, since)
    for own, order, mention in sheet.within_reach(parameter):
        if alike and (mention.kind not in alike or mention.span.start < since):
            continue
        weight = TAKES[parameter.word].get(mention.kind)
        if weight is None or not _fits(parameter, mention):
            continue
        if not own and mention.kind in ("count", "alias"):
            continue
        fit = sheet.fit(parameter, mention) if own else -1.5
        if own and not _meant(sheet, parameter, mention, fit):
            continue
        if alike:
            score = -float(order) if own else _ELSEWHERE - order
        else:
            score = weight + (2.0 if mention.unit == parameter.name else 0.0) + fit - 0.1 * order
            score += shifts.gain(low, parameter, mention) if own else 0.0
        if best is None or score > best[0] + 1e-9:
            best = (score, mention)
    return best[1] if best else None


def params(sheet: Sheet, parameter: Parameter) -> None:
    """All training parameters that were named, as one object."""
    merged: dict[str, Json] = {}
    own = [m for m in sheet.material.mentions if m.kind == "params"]
    for mention in own or reversed(sheet.material.around):
        if mention.kind == "params" and isinstance(mention.value, Mapping):
            merged.update(mention.value)
            sheet.used.add(id(mention))
    rounds = next((m for m in sheet.material.mentions if m.unit == "trials"), None)
    if rounds and "轮" in sheet.material.text.said(rounds.span) and "epochs" not in merged:
        merged["epochs"] = int(float(str(rounds.value)))
        sheet.used.add(id(rounds))
    if merged:
        sheet.done.args[parameter.name] = merged


def _meant(sheet: Sheet, parameter: Parameter, mention: Mention, fit: float) -> bool:
    """May it be this? Doubles need a sign, codes their word, optional versions their model."""
    if parameter.name in sheet.form.doubled and fit < 0.5 and mention.unit != parameter.name:
        return False
    low = sheet.material.text.low
    if parameter.name == "replicas" and shifts.relative(low, mention.span):
        return False
    if parameter.word == "window":
        return _lasts(sheet, parameter, mention.span)
    if parameter.word == "alias":
        return mention.value != "latest"
    if parameter.word in ("number", "sample") and shifts.article(low, mention.span):
        return False
    if parameter.word == "revision" and mention.kind != "revision":
        return bool(_BACK_TO.search(low[: mention.span.start]))
    if mention.kind != "count":
        return True
    if parameter.word in _CODED:
        return _coded(sheet, parameter, mention, fit)
    if parameter.word == "version" and not parameter.required:
        names = [m for m in sheet.material.mentions if m.kind == "name"]
        return fit >= 1.0 or any(0 <= mention.span.start - m.span.end <= 2 for m in names)
    return True


def _lasts(sheet: Sheet, parameter: Parameter, span: Span) -> bool:
    """Is a duration that of the request, and not a date where a rule needs a duration?"""
    low = sheet.material.text.low
    rule = any(p.word == "metric" and p.required for p in sheet.form.tool.parameters)
    dated = rule and parameter.name == "duration" and shifts.dated(low, span)
    return not dated and not shifts.aside(low, span)


def _alike(sheet: Sheet, parameter: Parameter, since: int) -> frozenset[str]:
    """Two required arguments of one word, as in a comparison, are said in their order.

    Then the kinds of mentions that they take: bare numbers only when there are too few others.
    """
    alike = [p for p in sheet.form.tool.parameters if p.word == parameter.word and p.required]
    if len(alike) < 2:
        return frozenset()
    kinds = frozenset(TAKES[parameter.word])
    plain = [
        m for m in sheet.material.mentions if m.kind in kinds - {"count"} and m.span.start >= since
    ]
    return kinds - {"count"} if len(plain) >= len(alike) else kinds


def _since(sheet: Sheet) -> int:
    """Where a comparison begins: at the name, when all that is compared comes after it."""
    mentions = sheet.material.mentions
    named = max(
        (m.span.end for m in mentions if m.kind == "name" and id(m) in sheet.used), default=0
    )
    after = [m for m in mentions if m.kind in TAKES["version"] and m.span.start >= named]
    return named if len(after) > 1 else 0


def _coded(sheet: Sheet, parameter: Parameter, mention: Mention, fit: float) -> bool:
    """A bare number is a code when the word for it stands near, or when it is the only number."""
    if fit > 0 and _CODED[parameter.word].search(sheet.material.text.low):
        return True
    numbers = [m for m in sheet.material.mentions if m.kind == "count"]
    return parameter.required and len(numbers) == 1 and not mention.unit


def _fits(parameter: Parameter, mention: Mention) -> bool:
    """Can a bare number have this unit and size?"""
    if mention.kind == "quoted" and parameter.word in _QUOTED:
        return bool(_QUOTED[parameter.word].fullmatch(str(mention.value).strip()))
    if mention.kind != "count":
        return True
    number = mention.value if isinstance(mention.value, float) else 0.5
    if parameter.word == "number":
        return not mention.unit
    if parameter.word == "fraction":
        return not mention.unit and _LEAST_PERCENT <= number < 96
    return number.is_integer() and mention.unit in ("", parameter.name)


def _value(sheet: Sheet, word: str, mention: Mention) -> Json:
    value = mention.value
    if isinstance(value, Mapping):
        return None
    if word in ("count", "revision", "gpu", "xid", "action"):
        return int(float(str(value).strip().lstrip("#")))
    if word in ("version", "sample"):
        return str(int(value)) if isinstance(value, float) else value
    if word == "fraction":
        share = float(value) / 100 if mention.kind == "count" else float(value)
        kept = _KEPT.search(sheet.material.text.low[: mention.span.start])
        return round(1 - share, 6) if kept else share
    if word == "number":
        return _threshold(sheet, mention, float(value))
    return value


def _threshold(sheet: Sheet, mention: Mention, number: float) -> float | int:
    """``0.05`` stays; ``90 %`` is 90 for a percentage and 0.9 for a share such as an error rate."""
    said = sheet.material.text.said(mention.span)
    written = said[:1].isdigit() and "%" not in said and "percent" not in said
    if mention.kind == "fraction" and not written and sheet.done.args.get("metric") not in _SHARES:
        number = round(number * 100, 4)
    return int(number) if number.is_integer() else number
