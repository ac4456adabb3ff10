"""Names in other words: ``the disk alert``, ``asr 队列积压那个告警``, ``asr 网关``.

Only the one name that fits is meant; where several fit, or none, nothing is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_TERMS = {
    "队列": ("queue",),
    "积压": ("backlog", "queue"),
    "排队": ("queue", "backlog"),
    "磁盘": ("disk",),
    "硬盘": ("disk",),
    "内存": ("memory", "mem", "oom"),
    "显存": ("memory", "mem"),
    "温度": ("temp", "temperature", "hot"),
    "过热": ("hot", "temp", "overheat"),
    "太热": ("hot", "temp", "overheat"),
    "显卡": ("gpu",),
    "延迟": ("latency", "p95", "p99", "slow"),
    "时延": ("latency", "p95", "p99"),
    "超时": ("timeout", "timeouts"),
    "错误率": ("error", "errors", "err"),
    "报错": ("error", "errors", "err"),
    "漂移": ("drift",),
    "副本": ("replica", "replicas"),
    "证书": ("cert", "certificate"),
    "节点": ("node",),
    "流量": ("traffic",),
    "主机": ("host",),
    "训练": ("train", "training"),
    "损失": ("loss",),
}
_HEADS = {
    "网关": ("gateway", "gw"),
    "接口": ("api",),
    "服务": ("api", "service", "svc", "server"),
    "编码器": ("encoder",),
    "路由": ("router",),
}
_WORD = compiled(rf"[a-z][a-z0-9]*|{'|'.join(sorted(_TERMS, key=len, reverse=True))}")
_ALERT = compiled(
    r"\b(?:the|that|this|our)(?P<en>(?: [a-z0-9]+){1,3}) (?:alert|alarm)\b(?! rules?\b)"
    r"|(?P<zh>[^,。，;；:：!！?？]{1,14}?)\s*(?:那|这)[个条]\s*(?:告警|报警|警报|alert)(?! ?规则)"
)
_HEADED = compiled(rf"(?<![\w/.-])(?P<stem>[a-z][a-z0-9-]*) ?(?P<head>{'|'.join(_HEADS)})")
_LEAST = 3


def find(
    low: str, names: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Span, dict[str, tuple[str, ...]]]]:
    """Where a folded text describes a listed alert, or says the end of a deployment's name in Chinese."""
    for match in _ALERT.finditer(low):
        found = _alert(low, Span(*match.span("en" if match["en"] else "zh")), names)
        if found:
            yield found
    for match in _HEADED.finditer(low):
        whole = {f"{match['stem']}-{end}" for end in _HEADS[match["head"]]}
        kinds = {
            k: tuple(n for n in names.get(k, ()) if _tail(n) in whole)
            for k in ("deployment", "model")
        }
        if len({n for found in kinds.values() for n in found}) == 1:
            yield Span(*match.span()), {k: found for k, found in kinds.items() if found}


def _alert(
    low: str, span: Span, names: Mapping[str, Sequence[str]]
) -> tuple[Span, dict[str, tuple[str, ...]]] | None:
    """The one alert in whose name most of the words are found."""
    words = list(_WORD.finditer(low, span.start, span.end))
    best: list[tuple[int, str, int, int]] = []
    for name in names.get("alert", ()):
        pieces = [p.lower() for p in _HUMP.findall(name)]
        said = [w for w in words if _says(w.group(), pieces)]
        if said:
            best.append((len(said), name, said[0].start(), said[-1].end()))
    most = max((score for score, *_ in best), default=0)
    fit = [b for b in best if b[0] == most]
    if len(fit) != 1:
        return None
    _, name, start, end = fit[0]
    return Span(start, end), {"alert": (name,)}


def _says(word: str, pieces: Sequence[str]) -> bool:
    terms = _TERMS.get(word, (word,) if len(word) >= _LEAST else ())
    return any(piece == term for term in terms for piece in pieces)


def _tail(name: str) -> str:
    return name.rsplit("/", 1)[-1].lower()
