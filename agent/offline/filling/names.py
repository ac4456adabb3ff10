"""Arguments that take a name: a live one, one that looks like it, or a word in its place."""

from __future__ import annotations

from agent.offline import cues, references
from agent.offline.filling import environments, labels, machines, places
from agent.offline.filling.sheet import Sheet
from agent.offline.mention import Mention
from agent.offline.text import pattern as compiled
from tools.contract import Parameter

_ACCEPTS: dict[str, tuple[str, ...]] = {
    "target": ("deployment", "job", "node", "model"),
    "deployment": ("deployment", "model"),
    "model": ("model", "deployment"),
    "rule": ("rule", "alert", "deployment"),
    "schedule": ("schedule", "deployment", "model"),
}
_OTHER_KIND = 1.0
"""Against a name that nobody lists, when its shape is not that of the kind wanted."""
_NEVER = 9.0
_HINTED = 0.5
"""How well its place must suit an optional argument that is named by some of its words only."""
_TUNED = compiled(
    r"\b(?:raise|lower|change|adjust|tune|bump|set|move|threshold|limit|rule)\b|阈值|规则|调[到高低成整]|改[到成为]"
)
"""A rule that is there is changed; else what it shall be called is said so, or not at all."""
_UNSURE = 0.8
_GUESSED = 1.6
_SERVED_BEFORE = compiled(
    r"(?:\b(?:serving|live|runs?|running|deployed|served) (?:on|in|at|by)|\bmodel (?:in|on|behind)|\bbehind)(?: the)? $|线上(?:的|那个)? ?$"
)
_SERVED_AFTER = compiled(
    r" (?:is |was )?(?:serving|runs|running)\b| ?(?:上|线上|里)(?:面)?(?:跑|在跑|服务)?的?| ?(?:背后|现役|那份)"
)
_SERVED = compiled(
    r"\b(?:deployments?|deployed|services?|serv(?:es?|ing)|live(?!-)|running on|runs on)\b|部署|服务|线上|现网|(?<!训练)(?:在|上)跑"
)
"""Words of a request that is about what a deployment serves, not about a model."""
_SERVICE = compiled(r"-(?:api|svc|service|server|gateway|gw|gate|stream|online|batch|edge|live)$")


def name(sheet: Sheet, parameter: Parameter) -> None:
    """Fill one argument with the name that suits it best by kind, place and nearness."""
    form, best = sheet.form, None
    if labels.labelled(sheet, parameter) or places.called(sheet, parameter):
        return
    doubled = parameter.name in form.doubled
    if doubled and not (_plenty(sheet, parameter) or _meant(sheet, parameter)):
        return
    reach = _reach(sheet, parameter)
    shaped = any(own and m.kind == "name" and not m.guessed for own, _, m in reach)
    guess = not (shaped or _elsewhere(sheet, parameter))
    paired = parameter.name in form.pair and bool(form.pair & sheet.done.args.keys())
    for own, order, mention in reach:
        if (mention.guessed and not guess) or (paired and mention.loose):
            continue
        taken = _taken(sheet, parameter, mention)
        if taken is None:
            continue
        kind, loss = taken
        fit = sheet.fit(parameter, mention) if own else -1.5
        if fit < _least(sheet, parameter, mention):
            continue
        if mention.loose and own and not parameter.required and not paired and fit < _HINTED:
            continue  # "the tide tables changed" names no job to go on from
        score = 3.0 + fit - loss - 0.1 * order
        if best is None or score > best[0]:
            best = (score, mention, kind)
    if best is None:
        places.unlisted(sheet, parameter)
    else:
        _enter(sheet, parameter, best[1], best[2])


def _reach(sheet: Sheet, parameter: Parameter) -> list[tuple[bool, int, Mention]]:
    """Where the name may be found: only in the clause where that names the other of a pair."""
    form, reach = sheet.form, list(sheet.within_reach(parameter))
    if _elsewhere(sheet, parameter):
        return [r for r in reach if r[0]]
    if parameter.name not in form.pair:
        return reach
    other = [p for p in form.tool.parameters if p.name in form.pair and p != parameter]
    apart = any(own and as_kind(p, m) for own, _, m in reach for p in other)
    apart = apart or any(m.kind == "gpu" for m in sheet.material.mentions)
    return [r for r in reach if r[0]] if apart else reach


def as_kind(parameter: Parameter, mention: Mention) -> str | None:
    """As what a name may fill the argument, or not at all."""
    if mention.kind != "name":
        return None
    return next((k for k in _accepts(parameter.word) if k in mention.means), None)


def _taken(sheet: Sheet, parameter: Parameter, mention: Mention) -> tuple[str, float] | None:
    """As what kind a name may fill the argument, and what speaks against it."""
    if mention.kind != "name" or _belongs_elsewhere(sheet, parameter, mention):
        return None
    loss = 0.0 if mention.known else _GUESSED if mention.guessed else _UNSURE
    kind = as_kind(parameter, mention)
    if kind is not None:
        return kind, loss + 0.5 * _accepts(parameter.word).index(kind)
    if mention.known or len(mention.means) < 2 or not parameter.required:
        return None
    return (next(iter(mention.means)), loss + _OTHER_KIND) if parameter.word != "image" else None


def _belongs_elsewhere(sheet: Sheet, parameter: Parameter, mention: Mention) -> bool:
    """Is it a deployment only, and has the tool an argument for just that?"""
    if parameter.required:
        return False
    others = {p.word for p in sheet.form.tool.parameters} & mention.means.keys()
    if mention.known and {"model", "deployment"} <= others and parameter.word in others:
        served = bool(_SERVED.search(sheet.without_names()))
        return parameter.word == ("model" if served else "deployment")
    if not mention.known and {"model", "deployment"} <= others:
        low, span = sheet.material.text.low, mention.span
        served = (
            "/" in str(mention.value)
            or bool(_SERVED_BEFORE.search(low[: span.start]))
            or bool(_SERVED_AFTER.match(low[span.end :]))
            or bool(_SERVICE.search(str(mention.value).lower()))
        )
        return parameter.word == ("model" if served else "deployment")
    return parameter.word not in others and bool(others)


def _enter(sheet: Sheet, parameter: Parameter, mention: Mention, kind: str) -> None:
    options = _options(parameter, mention, kind)
    value = environments.placed(sheet, parameter, mention, options)
    if value is None:
        sheet.done.ambiguous[parameter.name] = options
        sheet.done.loose |= mention.loose
        own = mention in sheet.material.mentions
        value = sheet.material.text.said(mention.span) if own else str(mention.value)
    if parameter.word in mention.listed and parameter.word not in mention.means:
        sheet.done.strange += 1
    if mention.also:
        further = tuple(m.means.get(kind, (str(m.value),))[0] for m in mention.also)
        sheet.done.also[parameter.name] = further
    sheet.put(parameter, value, mention)


def _options(parameter: Parameter, mention: Mention, kind: str) -> tuple[str, ...]:
    """The names that may be meant; what was said loosely may be of any kind that is accepted."""
    if not mention.loose or parameter.word != "target":
        return mention.means[kind]
    named = [n for k in ("deployment", "job") for n in mention.means.get(k, ())]
    return tuple(dict.fromkeys(named)) or mention.means[kind]


def _accepts(word: str) -> tuple[str, ...]:
    return _ACCEPTS.get(word, (word,))


def _plenty(sheet: Sheet, parameter: Parameter) -> bool:
    """Are there names for both arguments of a kind, or a pronoun for one?"""
    names = [m for m in sheet.material.mentions if as_kind(parameter, m) and not m.guessed]
    before = sheet.material.text.low[: names[0].span.start] if names else ""
    return len(names) > 1 or (len(names) == 1 and references.points(before))


def _meant(sheet: Sheet, parameter: Parameter) -> bool:
    """Does the word before the only name belong to this argument rather than to its double?"""
    parameters = sheet.form.tool.parameters
    other = next(p for p in parameters if p.word == parameter.word and p != parameter)
    low = sheet.material.text.low
    for mention in sheet.material.mentions:
        if as_kind(parameter, mention):
            at = mention.span.start
            mine = cues.before(sheet.form.cues[parameter.name], low, at)
            return mine > cues.before(sheet.form.cues[other.name], low, at)
    return False


def _elsewhere(sheet: Sheet, parameter: Parameter) -> bool:
    """Is there a better answer than a word that may be a name: this machine, the other of a pair?"""
    low, form = sheet.material.text.low, sheet.form
    if parameter.name in form.pair and form.pair & sheet.done.args.keys():
        return True
    if parameter.word != "target":
        return False
    return machines.named(low) or any(m.kind == "gpu" for m in sheet.material.mentions)


def _least(sheet: Sheet, parameter: Parameter, mention: Mention) -> float:
    """How well the place must suit: doubles and optional guesses need a sign."""
    if mention.guessed and not parameter.required:
        return 1.0
    if parameter.word == "rule" and not parameter.required and "rule" not in mention.means:
        if mention.known:
            return -9.0 if "alert" in mention.means else _NEVER
        return 0.0 if _TUNED.search(sheet.material.text.low) else _NEVER
    return 0.5 if parameter.name in sheet.form.doubled else -9.0
