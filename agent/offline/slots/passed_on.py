"""Words to be passed on without quotation marks: ``tell #ml: all clear``, ``在 #ml 说一声：好了``.

What they say is no request and forbids nothing, so they are set apart before anything is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_COLON = compiled(
    r"[^\n,.;:!?]{0,14}?(?:,\s*(?:内容|正文|消息|文案|通知|原话|text|message|body|saying)[^\n,.;:!?]{0,4})?(?:(?<!\d):|:(?!\d\d(?!\d)))\s*(?=\S)"
)
_SAY = compiled(
    r"\s*(?:里面?|群里?|上)?\s*(?:说|讲|喊|转|发|通知|告诉|留|同步)(?:一|个|条|句|声|下|消息|通知|话)*[:,]?\s+(?=\S)"
)
_CAUSE = compiled(
    r"(?:根因|根本原因|原因|结论|\b(?:confirmed |root )*cause)[^\n,.;:!?=]{0,6}?(?::|\s=)\s*(?=\S)"
)
_KEPT = compiled(
    r"\b(?:record|note|log|save|file|mark|write|put)\b|[记記录錄写]|登记|备案|归档|confirmed|确认"
)
_SOUGHT = compiled(
    r"\b(?:find|look|what|why|diagnose|check|investigate)\b|查(?![明清实出])|找(?!到)|看|为什么|为啥|怎么|诊断"
)
_RECORDED = compiled(
    r"\n|$|;|\.\s*(?=麻烦|请|帮|记|录|之后|然后|再|另外|顺便|also\b|(?:and )?then\b)"
)
"""Where a cause ends; a message may go on with a plea."""
_END = compiled(
    r"\n|$|[,;]\s*(?:然后|接着|随后|最后)(?:再|去)?(?=列|查|看|把|给|画|拉|诊断|重启|回滚|发布|恢复|暂停|解除|静默|封锁|排空|cordon|drain|restart)|;\s*(?=然后|接着|顺便|顺手|另外|再[把给]|(?:and )?(?:then|also|after that)\b(?! (?:we|i|it|the|they)\b))"
)


def find(low: str, channels: Sequence[Span], alerts: Sequence[Span]) -> Iterator[Span]:
    """Where such words stand in a folded text: behind a channel, or behind the word for a cause."""
    for channel in channels:
        lead = _COLON.match(low, channel.end) or _SAY.match(low, channel.end)
        if lead:
            yield _rest(low, lead.end(), _END)
            return
    lead = _CAUSE.search(low)
    if lead and _told(low[: lead.end()], lead.start(), alerts):
        yield _rest(low, lead.end(), _RECORDED)


def _told(before: str, start: int, alerts: Sequence[Span]) -> bool:
    """Is a cause told, and not sought: of an alert named before it, or to be written down?"""
    if any(alert.start >= start for alert in alerts) or _SOUGHT.search(before):
        return False
    return bool(alerts or _KEPT.search(before))


def _rest(low: str, start: int, ends: re.Pattern[str]) -> Span:
    end = ends.search(low, start)
    stop = end.start() if end else len(low)
    while stop > start and low[stop - 1] in " ;":
        stop -= 1
    return Span(start, stop)
