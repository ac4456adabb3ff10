"""What ``it``, ``the node`` and an empty place stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from agent.offline.mention import Mention
from agent.offline.text import Span
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
_PRONOUN = compiled(
    r"\b(?:it|its|it's|that|this|them|they|there|this one|that one|the same|one)\b|它|他|她|这个|那个|该|此|其"
)
_SAME_TIME = compiled(
    r"\bsame (?:window|period|time|range|span|stretch|hours?|days?|weeks?|months?|night)\b|\b(?:over|during|in|for) that (?:window|period|time)\b|\b(?:it|them|that) (?:also|too|as well)\b"
    r"|同期|同时段|同一?(?:个)?(?:时段|时间|窗口)|同样的?(?:时间|时段)|[这那]段时间|[这那]期间"
)
_CONTINUED = compiled(
    r"(?:从|接着|接)\s*(?:它|那|断)|\b(?:resume|continue|carry on|pick up)\b[^,;.]*\b(?:it|that|where)\b"
)
"""A training goes on from the job that was named before."""
_THEN = compiled(
    r"(?:\bthen|\bafter (?:that|it)|\bafterwards|\bnext|\bonce (?:that|it)|然后再?|接着再?|之后再?|完了?,?\s*再?|好了?,?\s*再?|,\s*再)\W*$"
)
_CARD = compiled(
    r"\b(?:the|that|this|same) (?:card|gpu)\b|[这那该此](?:张|块)?(?:卡|\s*METRIC)|同一张卡|上面的?(?=进程|任务|在跑|跑)"
)
_ALL = compiled(
    r"\b(?:all|every(?:thing|where)?|any(?:thing|where)?|whole|entire|cluster|fleet|overall|metrics|cards|gpus|host|machine|kernel)\b|全部|所有|整个|全局|集群|各|大盘|整体|哪里|什么|本机|机器|主机|内核"
)
"""Not only about what the step before named."""
_NAMED = ("model", "deployment", "target", "job", "node")
_NOUNS: dict[str, str] = {
    "deployment": r"deployments?|services?|部署|服务",
    "model": r"models?|模型",
    "node": r"nodes?|machines?|节点|机器",
    "job": r"jobs?|runs?|trainings?|任务",
    "alert": r"alerts?|告警",
}


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
        if parameter.word == "target" and "gpu" in call.args:
            return f"gpu:{call.args['gpu']}"
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
        value = _shared(parameter.word, low, before, args, words, calls, tools)
        if value is not None:
            found[parameter.name] = value
            words.add(parameter.word)
    return found


def _shared(
    word: str,
    low: str,
    before: str,
    args: Mapping[str, Json],
    words: set[str],
    calls: Sequence[Call],
    tools: Mapping[str, Tool],
) -> Json:
    """One argument that a step before has; ``words`` are those of the arguments this one has."""
    if word == "version":
        return _version(before, args, calls, tools)
    if word == "job" and _CONTINUED.search(low):
        return _last(word, calls, tools) or _last("target", calls, tools)
    if word == "window":
        return _last(word, calls, tools) if _SAME_TIME.search(low) else None
    pointed = points(low) or (word == "gpu" and bool(_CARD.search(low)))
    looked = word == "gpu" and word in calls[-1].args and not _ALL.search(low)
    pointed = pointed or (looked and tools[calls[-1].tool].effect == "read")
    if word in ("gpu", "metric") and pointed and not words - {"window"}:
        return _last(word, calls, tools)
    if word == "metric":
        return _metric(calls[-1], tools) if not words and not _ALL.search(low) else None
    if word == "alert":
        return None if words.intersection((*_NAMED, "alert")) else _last(word, calls[-1:], tools)
    if word in _NAMED and not words.intersection(_NAMED):
        return _thing(word, low, words, calls, tools)
    return None


def _thing(
    word: str, low: str, words: set[str], calls: Sequence[Call], tools: Mapping[str, Tool]
) -> Json:
    """The deployment, model, node or job that a step before named."""
    about = "alert" not in words if word == "target" else word != "node" and not words
    about = about and not _ALL.search(low)
    if not (about or points(low) or "version" in words):
        return None
    value = _last(word, calls, tools)
    if value is None and word == "target":
        named = (_last(w, (call,), tools) for call in reversed(calls) for w in _FAMILY[word])
        value = next((v for v in named if v is not None), None)
    return value


def _metric(call: Call, tools: Mapping[str, Tool]) -> Json:
    """The plain metric that the step right before looked at."""
    value = _last("metric", (call,), tools)
    return value if isinstance(value, str) and tools[call.tool].effect == "read" else None


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
