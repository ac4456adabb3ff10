"""What to look for in logs: an expression, or plain words."""

from __future__ import annotations

import re

from agent.offline.grammar import words as lexicon
from agent.offline.text import lazily

_LITERAL = r"(?:[A-Z][a-z]+[A-Z]\w*|[A-Z]{3,}[A-Z_\d]*|NaN|Traceback|[A-Z]\w*(?:Error|Exception)|[a-z]+_[a-z_]+|(?=\w*\d)(?=\w*[a-z])[\w]+-\w+)"
"""What is not prose: names of errors, constants, identifiers."""
_WORDS = r"[A-Za-z0-9_.*|-]+(?: [A-Za-z][\w.*|-]*){0,4}"
"""English words inside a Chinese sentence."""
_PATTERN = (
    lazily(
        r"(?<!\S)[\"'`]?(?P<t>[\\^][^\s\"'`,，。]+|[A-Za-z0-9_\\.*]+(?:\|[A-Za-z0-9_\\.*]+)+|(?!lr=|seed=)[A-Za-z]+=[A-Za-z]+)(?![^\s\"'`,，。的])"
    ),
    lazily(
        r"\b(?:lines?|entries|messages) (?:with|containing|mentioning|matching|that (?:say|contain|mention|match))(?: the (?:words?|text|string))?\s+[\"'`]?(?P<t>\w[\w .:*|/-]*?)[\"'`]?\s*(?=$|[,?!;.]| (?:only|in|from|on|over|during|since|within|for|please)\b)",
        re.IGNORECASE | re.ASCII,
    ),
    lazily(rf"那些\s*(?P<t>(?=[A-Za-z]){_WORDS})\s*(?:拉|捞|找|挑|翻)出来", re.ASCII),
    lazily(rf"(?:grep|搜|过滤)[^A-Za-z0-9]*的\s*(?P<t>(?=[A-Za-z]){_WORDS})", re.ASCII),
    lazily(rf"(?<![没还只所])有\s*(?P<t>{_WORDS})\s*的(?:那几?)?(?:行|内容|条目|日志)", re.ASCII),
    lazily(
        r"(?:正则(?:表达式)?|\bregexp?\b|\bregular expression|\bpattern)\s*(?:是|为|of|[:：=])?\s*[\"'`]?(?P<t>[^\s\"'`,，。]*[\\\w*\]+)][^\s\"'`,，。]*)",
        re.IGNORECASE,
    ),
    lazily(
        rf"(?:关键字|关键词|字样|keyword)\s*(?:是|为|[:：=])?\s*[\"'`]?(?P<t>{_WORDS})",
        re.IGNORECASE | re.ASCII,
    ),
    lazily(
        r"\b(?:anything|everything|whatever|all) (?:with|containing|mentioning|matching) (?P<t>[\w.*|-]+(?: (?!(?:in|on|from|over|please|pls|since)\b)[\w.*|-]+){0,3})\s*$",
        re.IGNORECASE | re.ASCII,
    ),
    lazily(
        r"\b(?:just|only)(?: the| with)? (?P<t>[\w.*|\\-]+) (?:bits?|lines?|entries|parts?|messages?|ones)\b",
        re.IGNORECASE | re.ASCII,
    ),
    lazily(
        r"\b(?:any|the|all|some|for|need|see)\s+(?!log\b|last\b)(?P<t>[\w.*|\\-]+)\s+(?:lines|entries|messages|warnings)\b",
        re.IGNORECASE | re.ASCII,
    ),
    lazily(
        r"\b(?:log|logs|entries|lines|output) (?:about|mentioning|with|on) (?P<t>[\w.*|\\-]+)(?= |$|[,.?!])",
        re.IGNORECASE | re.ASCII,
    ),
    lazily(
        r"\b(?:need|want|get|pull)(?: me)?(?: the| all| any)* (?P<t>[\w.*|\\-]+)(?: \w+)? out of\b|\banything about (?P<u>[\w-]+)",
        re.IGNORECASE | re.ASCII,
    ),
    lazily(rf"有没有?报过?\s*(?P<t>{_WORDS})|有\s*(?P<u>{_WORDS})\s*(?:没|吗|么|嘛)", re.ASCII),
    lazily(
        rf"\bgrep\b[^A-Za-z0-9]+[里中的](?:日志|log)?[里中]?的?\s*(?P<t>{_WORDS})\s*$",
        re.IGNORECASE | re.ASCII,
    ),
    lazily(
        r"\b(?:grep|rg|grepping)(?: (?:for|out|me|all|lines))*\s+(?P<t>[\w.*|-]+(?: (?!(?:in|from|on|within|over|and|for)\b)[\w.*|-]+){1,4})\s*(?=(?:in|from|on|within|over)\b|[,?!]|在|$)",
        re.IGNORECASE | re.ASCII,
    ),
    lazily(
        r"\b(?:grep|rg|search|look(?:ing)? for|scan|filter|find|matching|match(?:es)?|contain(?:s|ing)?|mention(?:s|ing)?|filtered|with)(?! out (?:why|what|who|how|if|whether)\b)(?: (?:for|any|all|the|lines?|word|string|pattern|only|in|on|by|out|of|entries|with))*\s+[\"'`]?(?P<t>[\w.*|\\\[\]/-]+(?: (?:reset|refused|exceeded|errors?|timeout|timed out|denied|failed|closed|lost))?)[\"'`]?(?= |$|[,.?!])",
        re.IGNORECASE | re.ASCII,
    ),
    lazily(
        r"\bfor\s+[\"'`]?(?P<t>[\w.*|\\-]+)[\"'`]?\s*(?:errors?|messages?|lines?|entries)?\s*(?:in|please|pls|$|[,.?])",
        re.IGNORECASE | re.ASCII,
    ),
    lazily(
        r"(?:搜索?|查找|搜一?下|捞|找|过滤|匹配|包含|含有?|带有?|出[现現]|有[没沒木冇无]有?(?:出[现現])?|有冇|grep)\s*(?:一下|下|出|所有|这个|那个|这种)?\s*[\"'“”‘’「」]?(?P<t>[A-Za-z0-9_.*|-]+(?: (?!in\b|from\b|on\b)[A-Za-z][\w.*|-]*){0,4})[\"'“”‘’「」]?"
    ),
    lazily(
        rf"(?P<t>{_WORDS})\s*(?:字样|字眼|关键字|关键词|报错|错误|相关|有关|那几行|这几行|的那几行)"
    ),
    lazily(rf"(?:日志|log)(?:里面?的?|的)\s*(?P<t>(?=[A-Za-z]){_WORDS})(?![\w-])", re.ASCII),
    lazily(
        rf"\b(?:any(?:thing)?|some|see|seeing|getting|throwing|spewing|printing|mentions?|about)\s+(?:more )?(?P<t>{_LITERAL})(?![\w-])"
    ),
    lazily(rf"(?:里面?|日志)的?\s*(?P<t>{_LITERAL})(?![A-Za-z0-9_-])"),
    lazily(r"(?<![\w-])(?P<t>oom-kill\w*)(?![\w-])", re.ASCII),
    lazily(rf"(?:报|打|刷|抛|爆|喷)(?:出|了|过)?\s*(?P<t>{_LITERAL})(?![A-Za-z0-9_-])"),
    lazily(
        r"\b(?P<t>[A-Z][A-Za-z]*[A-Z][A-Za-z]*|OOM|NaN|CUDA|NCCL|5\d\d|4\d\d)\b(?= (?:errors?|in|messages?|lines?|failures?))"
    ),
)
_LEVELS = frozenset({"ERROR", "WARN", "WARNING", "FATAL"})
"""Written as logs write them they are looked for; ``errors`` are only talked about."""
_NOT_PATTERNS = lexicon("no_patterns")
_EXPRESSLY = lazily(r"关键字|关键词|字样|keyword|pattern|正则", re.IGNORECASE)
_PLAIN = lazily(r"(?:日志|log)(?:里面?的?|的)\s*errors?(?![\w-])", re.IGNORECASE | re.ASCII)
"""English in a Chinese sentence is meant as it stands."""


def pattern(raw: str) -> str | None:
    """The expression to look for in logs."""
    for expression in _PATTERN:
        for match in expression.finditer(raw):
            said: str = (match["t"] or match.groupdict()["u"]).rstrip(".")
            told = _EXPRESSLY.match(match.group()) or _PLAIN.match(match.group())
            plain = said.lower() not in _NOT_PATTERNS or told
            if (said in _LEVELS or plain) and len(said) > 1:
                return said
    return None
