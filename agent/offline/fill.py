"""Puts the typed pieces of a request into the arguments of a tool."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.offline import cues, intent, references
from agent.offline.mentions import Mention
from agent.offline.slots import choices, free_text, schedule
from agent.offline.text import Span, Text
from agent.offline.text import pattern as compiled
from tools.contract import Json, Parameter, Tool

NAMES = frozenset({"deployment", "model", "node", "job", "alert", "target", "channel", "image", "rule", "schedule", "person"})
_ACCEPTS: dict[str, tuple[str, ...]] = {
    "target": ("deployment", "job", "node", "model"),
    "deployment": ("deployment", "model"),
    "model": ("model", "deployment"),
    "rule": ("rule", "alert", "deployment"),
    "schedule": ("schedule", "deployment", "model"),
    "image": ("image",),
}
_MENTIONS: dict[str, tuple[tuple[str, float], ...]] = {
    "window": (("window", 3.0),),
    "fraction": (("fraction", 3.0), ("count", 0.5)),
    "version": (("version", 3.0), ("alias", 1.5), ("count", 1.0)),
    "alias": (("alias", 3.0),),
    "revision": (("revision", 3.0), ("version", 1.0), ("count", 1.0)),
    "count": (("count", 1.0),),
    "gpu": (("gpu", 3.0),),
    "xid": (("xid", 3.0), ("count", 0.5)),
    "action": (("action", 3.0), ("count", 0.5)),
    "metric": (("metric", 3.0),),
    "number": (("count", 1.0), ("fraction", 1.0)),
    "params": (("params", 3.0),),
    "sample": (("sample", 3.0), ("quoted", 2.5), ("count", 0.5)),
}
_PLAIN = compiled(r"(?<![\w#/-])[a-z][a-z0-9_.-]*[a-z0-9](?![\w/-])")
_NO_NAMES = frozenset(
    "the a an this that it its my our your me us all any every each one some summary summaries schedule scheduled schedules report "
    "reports digest recurring rule rules alert alerts named called name please to for of on in at is be was now and or not no more "
    "deployment service model node job from with by into as stop delete remove cancel drop end".split()
)
_SHARES = ("error_rate", "accuracy")
_CODED = {
    "xid": compiled(r"xid|nvrm|nvidia"),
    "action": compiled(r"action|proposal|change|number|approv|操作|动作|提议|提案|变更|批"),
    "gpu": compiled(r"gpu|card|device|卡"),
}
_POINTS = compiled(r"(?P<n>\d+(?:\.\d+)?)\s*(?:accuracy |percentage )?(?:points?\b|pp\b|个?(?:百分)?点)")
_FACTOR = compiled(r"(?P<n>\d+(?:\.\d+)?)\s*(?:x\b|times\b|倍)")
_HOST = compiled(r"\b(?:this (?:machine|host|box|server)|the (?:host|machine|box|server)|localhost|host)\b|主机|本机|这台机器|机器本身|这台服务器")
_KERNEL = compiled(r"\b(?:kernel|dmesg)\b|内核")


@dataclass(slots=True)
class Filled:
    """The arguments found, and what is still open."""

    args: dict[str, Json] = field(default_factory=dict[str, Json])
    missing: tuple[Parameter, ...] = ()
    ambiguous: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    unused: tuple[Mention, ...] = ()
    typos: bool = False
    bare: bool = False
    """A name was taken from its place only."""
    also: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Further values of an argument: the call is to be made for each."""


@dataclass(frozen=True, slots=True)
class Material:
    """What an argument may be taken from: the clause itself, and what stands around it."""

    text: Text
    mentions: tuple[Mention, ...]
    around: tuple[Mention, ...] = ()
    """Mentions of other clauses, the likeliest first."""


class Filler:
    """Fills one tool."""

    unknown: frozenset[str] = frozenset({"schedule", "rule"})
    """Kinds of names that no list is kept of."""

    def __init__(self, tool: Tool, words: frozenset[str] = frozenset()) -> None:
        self.tool = tool
        self.words = words
        self._cues = cues.cues(tool)
        words = [p.word for p in tool.parameters]
        self._doubled = {p.name for p in tool.parameters if not p.required and words.count(p.word) > 1}
        self._order = sorted(
            tool.parameters, key=lambda p: (p.name in self._doubled, p.word != "alias", not p.required)
        )
        pair = {p.name for p in tool.parameters if p.word in ("alert", "target") and not p.required}
        self._pair = frozenset(pair if len(pair) > 1 else ())
        self._lead = tuple(p for p in self._order if p.name in self._doubled)

    def fill(self, material: Material) -> Filled:
        """All arguments that can be found; required ones first, cued doubles before everything."""
        done = Filled()
        used: set[int] = set()
        for parameter in (*self._lead, *(p for p in self._order if p.name not in self._doubled)):
            self._one(parameter, material, done, used)
        self._of_image(material, done, used)
        self._missing(done, material)
        done.unused = tuple(m for m in material.mentions if id(m) not in used)
        return done

    def _missing(self, done: Filled, material: Material) -> None:
        missing = [p for p in self.tool.parameters if p.required and p.name not in done.args]
        targets = {p.name for p in self.tool.parameters if p.word in ("alert", "target")}
        if targets and not any(p.required for p in self.tool.parameters) and len(targets) > 1:
            _host(done, material)
            if not targets & done.args.keys():
                missing = [p for p in self.tool.parameters if p.word == "target"]
        kinds = [p.name for p in self.tool.parameters if p.word == "rule_kind"]
        if kinds and kinds[0] not in done.args:
            missing += [p for p in self.tool.parameters if p.word == "number" and p.name not in done.args]
        done.missing = tuple(missing)

    def _one(self, parameter: Parameter, material: Material, done: Filled, used: set[int]) -> None:
        values = intent.choices(parameter)
        if values:
            self._choice(parameter, values, material, done)
        elif parameter.word in NAMES:
            self._name(parameter, material, done, used)
        elif parameter.word in _MENTIONS or parameter.name == "sample":
            self._typed(parameter, material, done, used)
        else:
            self._written(parameter, material, done, used)

    def _choice(
        self, parameter: Parameter, values: Sequence[str], material: Material, done: Filled
    ) -> None:
        low = _without_names(material)
        found = sorted(
            choices.find(low, values),
            key=lambda f: (f[1] == "open", f[0].start, f[0].start - f[0].end),
        )
        if parameter.word == "rule_kind" and "threshold" in done.args:
            return
        if found:
            done.args[parameter.name] = found[0][1]

    def _name(
        self, parameter: Parameter, material: Material, done: Filled, used: set[int]
    ) -> None:
        best: tuple[float, Mention, str] | None = None
        pair = parameter.name in self._pair
        places = (material.mentions, material.around if parameter.required or pair else ())
        if parameter.name in self._doubled and not self._plenty(parameter, material):
            return
        for place, mentions in enumerate(places):
            if place and pair and self._pair & done.args.keys():
                continue
            for order, mention in enumerate(mentions):
                kind = _kind(parameter, mention) if id(mention) not in used else None
                if kind is None:
                    continue
                score = 3.0 - 0.5 * _accepts(parameter.word).index(kind) - 0.1 * order - 1.5 * place
                if not place:
                    fit = self._fit(parameter, material, mention)
                    score += fit
                    if parameter.name in self._doubled and fit < 0.5:
                        continue
                elif parameter.name in self._doubled:
                    continue
                if best is None or score > best[0]:
                    best = (score, mention, kind)
        if best is None:
            bare = self._bare(parameter, material)
            if bare:
                done.args[parameter.name] = bare
                done.bare = True
        else:
            _, mention, kind = best
            options = mention.means[kind]
            if len(options) > 1:
                done.ambiguous[parameter.name] = options
            said = material.text.said(mention.span) if mention in material.mentions else ""
            done.args[parameter.name] = options[0] if len(options) == 1 else said or str(mention.value)
            done.typos |= mention.typo
            if mention.also:
                done.also[parameter.name] = tuple(_proper(m, kind) for m in mention.also)
            used.add(id(mention))

    @staticmethod
    def _plenty(parameter: Parameter, material: Material) -> bool:
        """Are there names for both arguments of a kind, or a pronoun for one?"""
        names = [m for m in material.mentions if _kind(parameter, m)]
        return len(names) > 1 or (len(names) == 1 and references.points(material.text.low))

    def _bare(self, parameter: Parameter, material: Material) -> str | None:
        """A plain word in the place of a name nobody knows: ``the summary called weekly``."""
        if parameter.word not in self.unknown or not parameter.required:
            return None
        cue, low = self._cues[parameter.name], material.text.low
        best: tuple[float, str] | None = None
        for match in _PLAIN.finditer(low):
            span = Span(*match.span())
            if match.group() in _NO_NAMES or match.group() in self.tool.name.split("_") or any(span.overlaps(m.span) for m in material.mentions):
                continue
            fit = cues.fit(cue, low, *match.span())
            fit += 0.5 * (match.group() not in self.words)
            if fit >= 1.0 and (best is None or fit > best[0]):
                best = (fit, material.text.said(span))
        return best[1] if best else None

    def _of_image(self, material: Material, done: Filled, used: set[int]) -> None:
        """``build ranker:5`` names the model and the version at once."""
        words = {p.word: p.name for p in self.tool.parameters}
        if not {"model", "version"} <= words.keys() or words["model"] in done.args:
            return
        image = next((m for m in material.mentions if "image" in m.means), None)
        if image:
            name, _, tag = str(image.value).rsplit("/", 1)[-1].partition(":")
            done.args[words["model"]] = name
            done.args[words["version"]] = tag.removeprefix("v")
            used.add(id(image))

    def _fit(self, parameter: Parameter, material: Material, mention: Mention) -> float:
        cue = self._cues[parameter.name]
        return cues.fit(cue, material.text.low, mention.span.start, mention.span.end)

    def _typed(
        self, parameter: Parameter, material: Material, done: Filled, used: set[int]
    ) -> None:
        word = "sample" if parameter.name == "sample" else parameter.word
        if word == "params":
            self._params(parameter, material, done, used)
            return
        best: tuple[float, Mention] | None = None
        places = (material.mentions, material.around if parameter.required else ())
        for place, mentions in enumerate(places):
            for order, mention in enumerate(mentions):
                weight = dict(_MENTIONS[word]).get(mention.kind)
                if weight is None or id(mention) in used or not _fits(parameter, mention):
                    continue
                score = weight + (2.0 if mention.unit == parameter.name else 0.0) - 1.5 * place
                if not place:
                    fit = self._fit(parameter, material, mention)
                    score += fit
                    if parameter.name in self._doubled and fit < 0.5:
                        continue
                    if mention.kind == "count" and not self._countable(parameter, material, mention, fit):
                        continue
                elif parameter.name in self._doubled or mention.kind in ("count", "alias"):
                    continue
                score -= 0.1 * order
                if best is None or score > best[0] + 1e-9:
                    best = (score, mention)
        if best is None:
            return
        value = _value(word, best[1], done, material.text.said(best[1].span))
        if value is not None and best[1].also and word == "metric":
            done.also[parameter.name] = tuple(str(m.value) for m in best[1].also)
        if value is not None:
            done.args[parameter.name] = value
            used.add(id(best[1]))

    def _countable(
        self, parameter: Parameter, material: Material, mention: Mention, fit: float
    ) -> bool:
        """May a bare number be this? Codes need their word, optional versions their model."""
        if parameter.word in ("xid", "action", "gpu"):
            return fit > 0 and bool(_CODED[parameter.word].search(material.text.low))
        if parameter.word == "version" and not parameter.required:
            beside = any(
                m.kind == "name" and 0 <= mention.span.start - m.span.end <= 2
                for m in material.mentions
            )
            return beside or fit >= 1.0
        return True

    def _params(
        self, parameter: Parameter, material: Material, done: Filled, used: set[int]
    ) -> None:
        merged: dict[str, Json] = {}
        for mention in (*material.mentions, *material.around):
            if mention.kind == "params" and isinstance(mention.value, Mapping):
                merged.update(mention.value)
                used.add(id(mention))
        if merged:
            done.args[parameter.name] = merged

    def _written(
        self, parameter: Parameter, material: Material, done: Filled, used: set[int]
    ) -> None:
        """Arguments read from the words themselves: schedules, patterns, free text, points."""
        text = material.text
        value: Json = None
        match parameter.word:
            case "when":
                found = schedule.find(_without_names(material))
                value = found[1] if found else None
            case "pattern":
                value = _pattern(material, used)
            case "text":
                value = self._text(parameter, material, used)
            case "points" | "factor":
                match = (_POINTS if parameter.word == "points" else _FACTOR).search(text.low)
                value = float(match["n"]) if match else None
            case _:
                return
        if value is not None:
            done.args[parameter.name] = value

    def _text(self, parameter: Parameter, material: Material, used: set[int]) -> str | None:
        quoted = next((m for m in material.mentions if m.kind == "quoted"), None)
        if quoted:
            used.add(id(quoted))
            return str(quoted.value)
        raw = material.text.raw
        if parameter.name == "cause":
            return free_text.cause(raw)
        target = next((m for m in material.mentions if id(m) in used and m.kind == "name"), None)
        after = raw[target.span.end :] if target else raw
        said = free_text.message(after)
        if said is None and target:
            said = free_text.message(raw) if raw[: target.span.start].count(":") else None
            said = said or (free_text.rest(after) if len(after.split()) > 1 or len(after) > 3 else None)
        for mention in material.mentions:
            used.add(id(mention))
        return said


def _proper(mention: Mention, kind: str) -> str:
    """The name of a mention when read as this kind."""
    return mention.means.get(kind, (str(mention.value),))[0]


def _without_names(material: Material) -> str:
    low = material.text.low
    for mention in material.mentions:
        if mention.kind == "quoted" or (mention.kind == "name" and mention.known):
            low = low[: mention.span.start] + " " * (mention.span.end - mention.span.start) + low[mention.span.end :]
    return low


def _accepts(word: str) -> tuple[str, ...]:
    return _ACCEPTS.get(word, (word,))


def _kind(parameter: Parameter, mention: Mention) -> str | None:
    """As what a name may fill the argument, or not at all."""
    if mention.kind != "name":
        return None
    return next((k for k in _accepts(parameter.word) if k in mention.means), None)


def _fits(parameter: Parameter, mention: Mention) -> bool:
    if mention.kind != "count":
        return True
    whole = isinstance(mention.value, float) and mention.value == int(mention.value)
    if parameter.word == "number":
        return not mention.unit
    if parameter.word == "fraction":
        return not mention.unit and isinstance(mention.value, float) and 1 < mention.value < 96
    return whole and mention.unit in ("", parameter.name)


def _value(word: str, mention: Mention, done: Filled, said: str) -> Json:
    value = mention.value
    if isinstance(value, Mapping):
        return None
    if word in ("count", "revision", "gpu", "xid", "action"):
        return int(float(value))
    if word in ("version", "sample"):
        return str(int(value)) if isinstance(value, float) else value
    if word == "fraction":
        return float(value) / 100 if mention.kind == "count" else float(value)
    if word == "number":
        return _threshold(mention, done, said)
    return value


def _threshold(mention: Mention, done: Filled, said: str) -> float | int | None:
    """``0.05`` stays; ``90 %`` is 90 for a percentage and 0.9 for a share such as an error rate."""
    number = float(mention.value) if not isinstance(mention.value, Mapping) else 0.0
    written = said[:1].isdigit() and "%" not in said and "percent" not in said
    if mention.kind == "fraction" and not written and done.args.get("metric") not in _SHARES:
        number = round(number * 100, 4)
    return int(number) if number == int(number) else number


def _pattern(material: Material, used: set[int]) -> str | None:
    quoted = next((m for m in material.mentions if m.kind == "quoted"), None)
    if quoted:
        used.add(id(quoted))
        return str(quoted.value)
    raw = material.text.raw
    for mention in material.mentions:
        if mention.kind in ("name", "window"):
            raw = raw[: mention.span.start] + " , ".ljust(mention.span.end - mention.span.start)[: mention.span.end - mention.span.start] + raw[mention.span.end :]
    return free_text.pattern(raw)


def _host(done: Filled, material: Material) -> None:
    low = material.text.low
    if "target" not in done.args and _HOST.search(low):
        done.args["target"] = "host"
    gpu = next((m for m in material.mentions if m.kind == "gpu"), None)
    if "target" not in done.args and gpu:
        done.args["target"] = f"gpu:{gpu.value}"
