"""Free text inside a request: the message of a notice."""

from __future__ import annotations

import re

from agent.offline.text import fold, lazily

_MESSAGE = (
    lazily(r"(?:(?<!\d)[:：]|[:：](?!\d\d(?!\d)))\s*(?P<t>\S.*)$", re.DOTALL),
    lazily(
        r"\b(?:that|saying(?: that)?|know(?: that)?|reading|to say(?: that)?|with the (?:message|text|words))\s+(?P<t>\S.*)$",
        re.IGNORECASE | re.DOTALL,
    ),
    lazily(
        r"(?:说(?:一声|一下|下)?|讲(?:一声|一下|下)?|告知|内容(?:就)?(?:是|为)?(?:写上?)?|写上?)(?:一?[封个条句](?:邮件|消息|信|通知)?)?\s*[,，:：]?\s*(?P<t>\S.*)$",
        re.DOTALL,
    ),
)
_LEADING = lazily(
    r"^(?:(?:里面?|上|群里?|那边)?\s*(?:说|讲|喊|吼|吱|写|发|推|留|回|同步|广播|通知|公告)(?:了|个|一?[个句条声下封嗓子]+|消息|通知|信|邮件|话|言)*[\s,，:：]+"
    r"|群[，,]|[-–—=]*> |[-–—=]+ |(?:with |using )?the (?:words?|text|message)[ :]+|and (?:say|tell (?:them|everyone)) |that |is |about |with |,|，|:|：|一声|一下)\s*",
    re.IGNORECASE,
)
_EMPTY = lazily(
    r"^(?:发送?|推送?|说|写)?(?:一?[个条下封])?(?:消息|通知|公告|邮件|信息|话|notice|message)?$|^(?:something|anything|a (?:note|message|notice|line|word|heads[- ]up)|an? update|for (?:me|us)|please|pls)$|^(?:(?:would|will|could|can) you|know)$|^里?面?(?:通知|告诉|提醒|说|喊)(?:大家|各位|一?[声下])+$|^一[声句下]$",
    re.IGNORECASE,
)
_AHEAD = (
    lazily(
        r"^(?:please |can you |could you )*(?:post|send|write|say|put|drop|announce|publish|share|broadcast|forward)\s+(?P<t>.+?)\s+(?:in|to|into|on)\s*$",
        re.IGNORECASE | re.DOTALL,
    ),
    lazily(
        r"^(?:请|麻烦)?把\s*(?P<t>.+?)\s*(?:发到|发给|推到|转发到|同步到|发送到|告诉)\s*$",
        re.DOTALL,
    ),
)
_NO_MESSAGE = lazily(
    r"^(?:an? |the |this |some |one )*(?:notices?|messages?|notes?|summar(?:y|ies)|reports?|updates?|emails?|mails?|lines?|something|anything|heads[- ]ups?|pages?|word|recap|digest|总结|汇总|日报|周报|摘要|通知|消息)$",
    re.IGNORECASE,
)


def ahead(raw: str) -> str | None:
    """What a notice should say when it comes before its target: ``post all clear in``."""
    said = _first(raw.strip(), _AHEAD)
    return None if said is None or _NO_MESSAGE.match(said) else said


def message(raw: str) -> str | None:
    """What a notice should say, from the words after its target: after the first lead-in."""
    found = [match for expression in _MESSAGE if (match := expression.search(raw))]
    if not found:
        return None
    return clean(min(found, key=lambda m: m.start())["t"]) or None


def rest(raw: str) -> str | None:
    """All that follows, without the joint."""
    text = clean(_LEADING.sub("", raw.strip()))
    return None if not text or _EMPTY.match(fold(text)) else text


def _first(raw: str, patterns: tuple[re.Pattern[str], ...]) -> str | None:
    for expression in patterns:
        match = expression.search(raw)
        if match:
            return clean(match["t"]) or None
    return None


def clean(said: str) -> str:
    """Without quotation marks and the last full stop."""
    text = said.strip()
    pairs = ('""', "''", "“”", "‘’", "「」", "``")
    for left, right in pairs:
        if len(text) > 1 and text[0] == left and text[-1] == right:
            return text[1:-1].strip()
    return text.rstrip("。.!！").strip() if not text.endswith("...") else text
