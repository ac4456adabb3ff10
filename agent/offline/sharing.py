"""What a message tells once for several of its requests: a window, or the words of a notice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent.offline.mention import Mention
from agent.offline.text import Span
from agent.offline.text import pattern as compiled
from tools.contract import Call, Json, Tool

_SAME_WORDS = re.compile(
    r"(?:the )?same (?:text|words?|message|note|thing|line)|it|that|同样的?(?:话|内容|文字|消息)?|一样的(?:话|内容)?|这句话?",
    re.IGNORECASE,
)
_BOTH = compiled(
    r"\b(?:both|each|all of (?:it|them)|all three|for all)\b|(?:都|均)(?:要|看|来|给|是|查|按|用|拉)|两(?:个|样|者)都|各"
)
"""What says that a value is told for all requests of a message."""
_APART = compiled(
    r"[,.;:!?(]\s*(?:(?:over|for|during|in|within|from|last|past|the|since|all|both|近|最近|过去|这|都|窗口|时间|按|看|用|取|是)\s*)*$"
)
_LAST, _FIRST = (
    compiled(r"(?:\s*(?:back|long|please|pls|内|以来|里|的|吧|就行|即可))*[\s.!?)]*$"),
    compiled(r"\s*(?:内|里|的)?[:,]"),
)
"""What follows a window at the end of a message, and one at its beginning."""


def repeated(args: Mapping[str, Json], calls: Sequence[Call]) -> dict[str, Json]:
    """The words that a step before passes on, where this one is to pass on ``the same text``."""
    said = args.get("text")
    if not (isinstance(said, str) and _SAME_WORDS.fullmatch(said)):
        return {}
    told = next((c.args["text"] for c in reversed(calls) if "text" in c.args), None)
    return {} if told is None else {"text": told}


def shared(
    low: str, mentions: Sequence[Mention], calls: Sequence[Call], tools: Mapping[str, Tool]
) -> tuple[Call, ...]:
    """Calls with the window that the message tells for all of them: ``都要近一小时``."""
    windows = {str(c.args["window"]) for c in calls if "window" in c.args}
    if len(calls) < 2 or len(windows) != 1:
        return tuple(calls)
    spans = [m.span for m in mentions if m.kind == "window"]
    alike = len({c.tool for c in calls}) == 1
    if not (_BOTH.search(low) or (len(spans) == 1 and _for_all(low, spans[0], alike))):
        return tuple(calls)
    window = windows.pop()
    return tuple(
        replace(c, args={**c.args, "window": window})
        if any(p.name == "window" for p in tools[c.tool].parameters)
        else c
        for c in calls
    )


def _for_all(low: str, window: Span, alike: bool) -> bool:
    """Does a window stand apart from the looks it is for, or at the end of looks of one kind?"""
    if _LAST.match(low[window.end :]):
        return alike or bool(_APART.search(low[: window.start]))
    return _FIRST.match(low[window.end :]) is not None and not low[: window.start].strip(" :")
