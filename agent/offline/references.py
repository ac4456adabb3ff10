"""What ``it``, ``the node`` and an empty place stand for; what a correction takes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from agent.offline.mentions import Mention
from agent.offline.text import Span, Text
from agent.offline.text import pattern as compiled
from tools.contract import Call, Json, Parameter, Tool

NEW_VERSION = "latest"
"""The version a step before is going to register; known only once that is done."""
_FAMILY: dict[str, tuple[str, ...]] = {
    "deployment": ("deployment", "model", "target"),
    "model": ("model", "deployment"),
    "target": ("target", "deployment", "job", "node"),
    "node": ("node", "target"),
    "job": ("job", "target"),
    "alert": ("alert",),
    "channel": ("channel",),
    "image": ("image",),
    "version": ("version",),
    "metric": ("metric",),
}
_CORRECTION = compiled(
    r"(?:^|(?<=[,.;:-] )|(?<=[,.;:-]))no\b[, ]|\bno,? (?=v?\d|make|wait|sorry|i mean)|\b(?:nope|wait|sorry|oops|scratch that|i mean|i meant|make that|rather|correction)\b[, ]|\bactually\b,? (?=(?:make|to|use|do|version|v?\d|the other)\b|v?\d)|[,;.-] ?actually\b,? |\.\.\.\s*no\b|啊?不对|不是|错了|我是说|应该是|哦不|噢不|更正"
)
_PRONOUN = compiled(
    r"\b(?:it|its|it's|that|this|them|they|there|this one|that one|the same|one)\b|它|他|她|这个|那个|该|此|其"
)
_SAME_TIME = compiled(
    r"\bsame (?:window|period|time|range|span|stretch|hours?|days?)\b|\b(?:over|during|in|for) that (?:window|period|time)\b"
    r"|同期|同一?(?:个)?(?:时段|时间|窗口)|同样的?(?:时间|时段)|[这那]段时间|[这那]期间"
)
_THEN = compiled(
    r"(?:\bthen|\bafter (?:that|it)|\bafterwards|\bnext|\bonce (?:that|it)|然后再?|接着再?|之后再?|完了?,?\s*再?|好了?,?\s*再?|,\s*再)\W*$"
)
_NAMED = ("model", "deployment", "target", "job", "node")
_NOUNS: dict[str, str] = {
    "deployment": r"deployments?|services?|部署|服务",
    "model": r"models?|模型",
    "node": r"nodes?|machines?|节点|机器",
    "job": r"jobs?|runs?|trainings?|任务",
    "alert": r"alerts?|告警",
}


def corrected(text: Text, mentions: Sequence[Mention]) -> tuple[Text, tuple[Mention, ...]]:
    """Take out what the sentence itself took back: ``a third... no, 30 percent``."""
    for match in _CORRECTION.finditer(text.low):
        after = [m for m in mentions if m.span.start >= match.end() - 1]
        kinds = {_kind(m) for m in after[:1]}
        undone = [m for m in mentions if m.span.end <= match.start() and _kind(m) in kinds]
        if not undone:
            continue
        start, end = undone[-1].span.start, match.end()
        blank = " " * (end - start)
        kept = tuple(m for m in mentions if m.span.end <= start or m.span.start >= end)
        raw = text.raw[:start] + blank + text.raw[end:]
        return replace(text, raw=raw, low=text.low[:start] + blank + text.low[end:]), kept
    return text, tuple(mentions)


def _kind(mention: Mention) -> str:
    return "/".join(sorted(mention.means)) if mention.kind == "name" else mention.kind


def earlier(parameter: Parameter, calls: Sequence[Call], tools: Mapping[str, Tool]) -> Json:
    """What an earlier step of the same plan named, or is going to produce."""
    for call in reversed(calls):
        tool = tools[call.tool]
        if parameter.word == "version" and makes_version(tool):
            return NEW_VERSION
        if parameter.word == "image" and {"model", "version"} <= call.args.keys():
            return f"{call.args['model']}:{call.args['version']}"
        for word in _FAMILY.get(parameter.word, ()):
            for other in tool.parameters:
                if other.word == word and other.name in call.args:
                    return call.args[other.name]
    return None


def carried(
    low: str,
    before: str,
    tool: Tool,
    args: Mapping[str, Json],
    calls: Sequence[Call],
    tools: Mapping[str, Tool],
) -> dict[str, Json]:
    """Optional arguments that a step shares with one before it, though it does not repeat them.

    ``low`` is the clause, ``before`` all that stands before it: after ``then`` a version that the
    step before makes is meant, not the one it starts from.
    """
    found: dict[str, Json] = {}
    words = {p.word for p in tool.parameters if p.name in args}
    for parameter in tool.parameters:
        if parameter.required or parameter.name in args:
            continue
        value: Json = None
        if parameter.word == "version":
            value = _version(before, args, calls, tools)
        elif parameter.word == "window" and _SAME_TIME.search(low):
            value = _last("window", calls, tools)
        elif parameter.word in ("gpu", "metric") and points(low) and not words:
            value = _last(parameter.word, calls, tools)
        elif parameter.word in _NAMED and not words.intersection(_NAMED):
            pointed = points(low) or "version" in words
            value = _last(parameter.word, calls, tools) if pointed else None
            if value is None and pointed and parameter.word == "target":
                value = earlier(parameter, calls, tools)
        if value is not None:
            found[parameter.name] = value
            words.add(parameter.word)
    return found


def _last(word: str, calls: Sequence[Call], tools: Mapping[str, Tool]) -> Json:
    for call in reversed(calls):
        for parameter in tools[call.tool].parameters:
            if parameter.word == word and parameter.name in call.args:
                return call.args[parameter.name]
    return None


def _version(
    before: str, args: Mapping[str, Json], calls: Sequence[Call], tools: Mapping[str, Tool]
) -> Json:
    """The version of the same model that a step before named."""
    for call in reversed(calls):
        same = "model" in args and call.args.get("model") == args["model"]
        made = makes_version(tools[call.tool]) and _THEN.search(before)
        if same and not made and "version" in call.args:
            return call.args["version"]
    return None


_WORD = compiled(r"(?<![\w#@./:'-])[a-z][a-z0-9]{2,}(?![\w@/:-]|'(?!s\b))")


def unknown(low: str, mentions: Sequence[Mention], strange: Callable[[str], bool]) -> str:
    """A word that must be a name and is none that anybody lists; nothing when there is none."""
    for match in _WORD.finditer(low):
        span = Span(*match.span())
        if strange(match.group()) and not any(span.overlaps(m.span) for m in mentions):
            return match.group()
    return ""


def makes_version(tool: Tool) -> bool:
    """Tools that register a new version say so in their description."""
    return (
        "regist" in tool.summary.lower()
        and any(p.word == "model" for p in tool.parameters)
        and tool.effect != "read"
    )


def recalled(parameter: Parameter, known: Mapping[str, str]) -> str | None:
    """The name an earlier turn was about, when this one points at it or leaves it out."""
    for word in _FAMILY.get(parameter.word, ()):
        if word in known:
            return known[word]
    return None


def points(low: str) -> bool:
    """Does the text point at something said before?"""
    return bool(_PRONOUN.search(low))
