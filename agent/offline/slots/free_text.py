"""Free text inside a request: the message of a notice, a cause, a pattern for logs, a student."""

from __future__ import annotations

import re

_MESSAGE = (
    re.compile(r"[:：]\s*(?P<t>\S.*)$", re.DOTALL),
    re.compile(
        r"\b(?:that|saying(?: that)?|know(?: that)?|reading|to say(?: that)?|with the (?:message|text))\s+(?P<t>\S.*)$",
        re.IGNORECASE | re.DOTALL,
    ),
    re.compile(
        r"(?:说(?:一声|一下|下)?|讲(?:一声)?|告知|内容(?:是|为)?|写上?)\s*[,，:：]?\s*(?P<t>\S.*)$",
        re.DOTALL,
    ),
)
_LEADING = re.compile(r"^(?:that |is |about |,|，|:|：|一声|一下)\s*", re.IGNORECASE)
_EMPTY = re.compile(
    r"^(?:发送?|推送?|说|写)?(?:一?[个条下封])?(?:消息|通知|公告|邮件|信息|话|notice|message)?$"
)
_LITERAL = r"(?:[A-Z][a-z]+[A-Z]\w*|[A-Z]{3,}[A-Z_\d]*|NaN|Traceback|[A-Z]\w*(?:Error|Exception)|[a-z]+_[a-z_]+|(?=\w*\d)(?=\w*[a-z])[\w]+-\w+)"
"""What is not prose: names of errors, constants, identifiers."""
_PATTERN = (
    re.compile(
        r"\b(?:grep|rg|grepping)(?: (?:for|out|me|all|lines))*\s+(?P<t>[\w.*|-]+(?: (?!(?:in|from|on|within|over|and|for)\b)[\w.*|-]+){1,4})\s*(?=(?:in|from|on|within|over)\b|[,?!]|在|$)",
        re.IGNORECASE | re.ASCII,
    ),
    re.compile(
        r"\b(?:grep|rg|search|look|scan|filter|find|matching|match(?:es)?|contain(?:s|ing)?|mention(?:s|ing)?|with)(?: (?:for|any|all|the|lines?|word|string|pattern|only|in|on|by|out|of|entries|with))*\s+[\"'`]?(?P<t>[\w.*|\\\[\]/-]+)[\"'`]?(?= |$|[,.?!])",
        re.IGNORECASE | re.ASCII,
    ),
    re.compile(
        r"\bfor\s+[\"'`]?(?P<t>[\w.*|\\-]+)[\"'`]?\s*(?:errors?|messages?|lines?|entries)?\s*(?:in|$|[,.?])",
        re.IGNORECASE | re.ASCII,
    ),
    re.compile(
        r"(?:搜索?|查找|搜一?下|找|过滤|匹配|包含|含有?|带有?|出现|有[没木冇无]有?|有冇|grep)\s*(?:一下|下|出|所有|这个|那个|这种)?\s*[\"'“”‘’「」]?(?P<t>[A-Za-z0-9_.*|-]+)[\"'“”‘’「」]?"
    ),
    re.compile(r"(?P<t>[A-Za-z0-9_.*|-]+)\s*(?:字样|关键字|关键词|报错|错误)"),
    re.compile(
        rf"\b(?:any(?:thing)?|some|see|seeing|getting|throwing|spewing|printing|mentions?|about)\s+(?:more )?(?P<t>{_LITERAL})(?![\w-])"
    ),
    re.compile(rf"(?:里面?|日志)的?\s*(?P<t>{_LITERAL})(?![A-Za-z0-9_-])"),
    re.compile(rf"(?:报|打|刷|抛|爆|喷)(?:出|了|过)?\s*(?P<t>{_LITERAL})(?![A-Za-z0-9_-])"),
    re.compile(
        r"\b(?P<t>[A-Z][A-Za-z]*[A-Z][A-Za-z]*|OOM|NaN|CUDA|NCCL|5\d\d|4\d\d)\b(?= (?:errors?|in|messages?|lines?|failures?))"
    ),
)
_LEVELS = frozenset({"ERROR", "WARN", "WARNING", "FATAL"})
"""Written as logs write them they are looked for; ``errors`` are only talked about."""
_NOT_PATTERNS = frozenset(
    [
        "log",
        "logs",
        "the",
        "a",
        "an",
        "any",
        "all",
        "lines",
        "line",
        "me",
        "my",
        "its",
        "it",
        "for",
        "in",
        "of",
        "from",
        "last",
        "past",
        "errors",
        "error",
        "recent",
        "output",
        "stderr",
        "stdout",
        "what",
        "latest",
        "new",
        "and",
        "out",
        "some",
        "show",
        "see",
        "get",
    ]
)


_AHEAD = (
    re.compile(
        r"^(?:please |can you |could you )*(?:post|send|write|say|put|drop|announce|publish|share|broadcast|forward)\s+(?P<t>.+?)\s+(?:in|to|into|on)\s*$",
        re.IGNORECASE | re.DOTALL,
    ),
    re.compile(
        r"^(?:请|麻烦)?把\s*(?P<t>.+?)\s*(?:发到|发给|推到|转发到|同步到|发送到|告诉)\s*$",
        re.DOTALL,
    ),
)
_NO_MESSAGE = re.compile(
    r"^(?:an? |the |this |some |one )*(?:notices?|messages?|notes?|summar(?:y|ies)|reports?|updates?|emails?|mails?|lines?|pages?|word|recap|digest|总结|汇总|日报|周报|摘要|通知|消息)$",
    re.IGNORECASE,
)


def ahead(raw: str) -> str | None:
    """What a notice should say when it comes before its target: ``post all clear in``."""
    said = _first(raw.strip(), _AHEAD)
    return None if said is None or _NO_MESSAGE.match(said) else said


def message(raw: str) -> str | None:
    """What a notice should say, from the words after its target."""
    return _first(raw, _MESSAGE)


def rest(raw: str) -> str | None:
    """All that follows, without the joint."""
    text = _clean(_LEADING.sub("", raw.strip()))
    return None if not text or _EMPTY.match(text) else text


def pattern(raw: str) -> str | None:
    """The expression to look for in logs."""
    for expression in _PATTERN:
        for match in expression.finditer(raw):
            if match["t"] in _LEVELS or match["t"].lower() not in _NOT_PATTERNS:
                return match["t"].rstrip(".")
    return None


def _first(raw: str, patterns: tuple[re.Pattern[str], ...]) -> str | None:
    for expression in patterns:
        match = expression.search(raw)
        if match:
            return _clean(match["t"]) or None
    return None


def _clean(said: str) -> str:
    text = said.strip()
    pairs = ('""', "''", "“”", "‘’", "「」", "``")
    for left, right in pairs:
        if len(text) > 1 and text[0] == left and text[-1] == right:
            return text[1:-1].strip()
    return text.rstrip("。.!！").strip() if not text.endswith("...") else text
