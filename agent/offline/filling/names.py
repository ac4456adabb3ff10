"""Arguments that take a name: a live one, one that looks like it, or a word in its place."""

from __future__ import annotations

from agent.offline import cues, references
from agent.offline.filling import environments
from agent.offline.filling.sheet import Sheet
from agent.offline.grammar import words as lexicon
from agent.offline.mentions import Mention
from agent.offline.text import Span
from agent.offline.text import pattern as compiled
from tools.contract import Parameter

_ACCEPTS: dict[str, tuple[str, ...]] = {
    "target": ("deployment", "job", "node", "model"),
    "deployment": ("deployment", "model"),
    "model": ("model", "deployment"),
    "rule": ("rule", "alert", "deployment"),
    "schedule": ("schedule", "deployment", "model"),
}
_UNLISTED = frozenset({"schedule", "rule"})
"""Kinds of names that no list is kept of."""
_OTHER_KIND = 1.0
"""Against a name that nobody lists, when its shape is not that of the kind wanted."""
_UNSURE = 0.8
_GUESSED = 1.6
_PLAIN = compiled(r"(?<![\w#/-])[a-z][a-z0-9_.-]*[a-z0-9](?![\w/-])")
_NO_NAMES = lexicon("no_names")
_NAME = r"(?P<n>[a-z][a-z0-9]*(?:[._-]?[a-z0-9]+)+)"
_CALLED = {
    "student": (
        compiled(
            rf"(?:\bstudent|学生)(?: model| network|模型|网络)?(?:\s*(?:named|called|is|be|=|:|叫做?|是|为|用))?\s*{_NAME}"
        ),
        compiled(
            rf"(?<![\w/.-]){_NAME}\s*(?:as|for|作为|做|当|来当|来做)(?: the| a| our)?\s*(?:student|学生)"
        ),
        compiled(rf"(?<![\w/.-]){_NAME}\s*学生"),
        compiled(rf"(?:\binto|\bdown to|到|成)\s*(?:the |an? )?{_NAME}(?![\w/])"),
    )
}
"""Optional arguments that are told apart by the word for them."""
_KERNEL = compiled(r"\b(?:kernel|dmesg)\b|内核")
_ABOUT_KERNEL = compiled(r"\bkernel (?:events?|messages?|logs?)\b|内核(?:这边)?(?:日志|事件|有没有)")
_HOST = compiled(
    r"\b(?:(?:this|the) (?:machine|host|box|server)|localhost|host)\b|主机|本机|这台(?:机器|服务器)"
)


def name(sheet: Sheet, parameter: Parameter) -> None:
    """Fill one argument with the name that suits it best by kind, place and nearness."""
    form, best = sheet.form, None
    if parameter.name in _CALLED and _called(sheet, parameter):
        return
    doubled = parameter.name in form.doubled
    if doubled and not (_plenty(sheet, parameter) or _meant(sheet, parameter)):
        return
    for own, order, mention in sheet.within_reach(parameter):
        taken = _taken(sheet, parameter, mention)
        if taken is None:
            continue
        kind, loss = taken
        fit = sheet.fit(parameter, mention) if own else -1.5
        if (doubled or (mention.guessed and not parameter.required)) and fit < 0.5:
            continue
        score = 3.0 + fit - loss - 0.1 * order
        if best is None or score > best[0]:
            best = (score, mention, kind)
    if best is None:
        _by_place(sheet, parameter)
    else:
        _enter(sheet, parameter, best[1], best[2])


def _called(sheet: Sheet, parameter: Parameter) -> bool:
    """A name that stands beside the word for the argument: ``用 mobilenet 做 student``."""
    low = sheet.material.text.low
    for pattern in _CALLED[parameter.name]:
        for match in pattern.finditer(low):
            if match["n"] in _NO_NAMES or match["n"] in sheet.form.words:
                continue
            span = Span(*match.span("n"))
            sheet.put(parameter, sheet.material.text.said(span))
            sheet.claim(span)
            return True
    return False


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
    if parameter.required or parameter.word in mention.means:
        return False
    return any(p.word in mention.means for p in sheet.form.tool.parameters)


def of_image(sheet: Sheet) -> None:
    """``build ranker:5`` names the model and the version at once."""
    found = {p.word: p for p in sheet.form.tool.parameters}
    if not {"model", "version"} <= found.keys() or found["model"].name in sheet.done.args:
        return
    image = next((m for m in sheet.material.mentions if "image" in m.means), None)
    if image:
        model, _, tag = str(image.value).rsplit("/", 1)[-1].partition(":")
        sheet.put(found["model"], model, image)
        sheet.put(found["version"], tag.removeprefix("v"), image)


def machine(sheet: Sheet) -> None:
    """This machine, its kernel or one of its GPUs as a target."""
    target = next((p for p in sheet.form.tool.parameters if p.word == "target"), None)
    if target is None or target.name in sheet.done.args or sheet.form.pair & sheet.done.args.keys():
        return
    low = sheet.material.text.low
    gpu = next((m for m in sheet.material.mentions if m.kind == "gpu"), None)
    needed = target.required or sheet.form.pair
    if gpu and needed:
        sheet.put(target, f"gpu:{gpu.value}", gpu)
    elif (_KERNEL if needed else _ABOUT_KERNEL).search(low):
        sheet.put(target, "kernel")
    elif needed and _HOST.search(low):
        sheet.put(target, "host")


def _enter(sheet: Sheet, parameter: Parameter, mention: Mention, kind: str) -> None:
    options = mention.means[kind]
    value = environments.placed(sheet, parameter, mention, options)
    if value is None:
        sheet.done.ambiguous[parameter.name] = options
        own = mention in sheet.material.mentions
        value = sheet.material.text.said(mention.span) if own else str(mention.value)
    if mention.also:
        further = tuple(m.means.get(kind, (str(m.value),))[0] for m in mention.also)
        sheet.done.also[parameter.name] = further
    sheet.put(parameter, value, mention)


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


def _by_place(sheet: Sheet, parameter: Parameter) -> None:
    """A plain word in the place of a name nobody knows: ``the summary called weekly``."""
    if parameter.word not in _UNLISTED or not parameter.required:
        return
    cue, text = sheet.form.cues[parameter.name], sheet.material.text
    best: tuple[float, Span] | None = None
    for match in _PLAIN.finditer(text.low):
        word, span = match.group(), Span(*match.span())
        taken = any(span.overlaps(m.span) for m in sheet.material.mentions)
        if taken or word in _NO_NAMES or word in sheet.form.tool.name.split("_"):
            continue
        fit = cues.fit(cue, text.low, span.start, span.end) + 0.5 * (word not in sheet.form.words)
        if fit >= 1.0 and (best is None or fit > best[0]):
            best = (fit, span)
    if best:
        sheet.put(parameter, text.said(best[1]))
        sheet.done.bare = True
