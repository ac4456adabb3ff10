"""Numbers that name something: GPU 3, XID 79, action 12, version 5, revision 4, sample 42."""

from __future__ import annotations

from collections.abc import Iterator

from agent.offline.slots import numbers
from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_D = r"\d{1,6}"
_W = numbers.NUMBER
_ORD = "|".join(sorted(numbers.ORDINALS, key=len, reverse=True))
_DEED = r"(?:操作|动作|提议|提案|变更|申请|actions?\b|proposals?\b)"
_HN = rf"(?:{_D}|{numbers.HAN})"

_PATTERNS: tuple[tuple[str, str], ...] = (
    (
        "xid",
        rf"\bs?xids?(?![a-z])(?:\s*\([^)]*\))?(?:[\s:=#-]|error|code|number|of|is|was|错误码?|号)*(?P<n>{_D}|{numbers.ENGLISH}|{numbers.HAN})(?![\w])",
    ),
    ("xid", rf"\bs?xid(?P<n>{_D})\b"),
    ("xid", rf"(?<![\w.-])(?P<n>{_D})\s*(?:号|这个|那个|号的)?\s*s?xid\b"),
    ("xid", rf"(?:报错码|错误码|故障码)\s*(?:是|为)?\s*(?P<n>{_D})(?!\d)"),
    ("xid", rf"\b(?:nvidia|nvrm|gpu) (?:driver )?error(?: code| number)?\s*#?(?P<n>{_D})\b"),
    (
        "gpu",
        rf"(?<![a-z0-9-])(?:gpus?|cards?|cuda|devices?|显卡|gpu 卡)(?:\s|#|:|no\.?|number|index|编号)*(?P<n>{_D})(?![\w%/-]|:\S|\.\d|\s*(?:%|台|个|张|块|度|小时|分钟|天))",
    ),
    (
        "gpu",
        rf"(?<![a-z0-9-])(?:gpus?|cards?|devices?) (?:number )?(?P<n>{numbers.ENGLISH})\b(?! (?:hours?|days?|minutes?))",
    ),
    ("gpu", rf"(?P<n>{_HN})\s*号\s*(?:gpu(?!\s*节点| ?node)|显卡|卡)"),
    (
        "gpu",
        r"(?<![\d.用开加占要拿给搞上])(?<![用开加占要拿给搞上] )(?P<n>[0-7])\s*卡(?=\s*(?:和|跟|,|被|上|的|有|在|好像|谁|状态|温度|显存|怎么|咋|是|都|报|掉|$))",
    ),
    (
        "gpu",
        rf"(?:显卡|卡)\s*(?P<n>{_D})(?![a-z0-9_:%/-]|\s*日(?!志)|\.\d|\s*(?:%|台|个|张|块|度|小时|分钟|天|次))",
    ),
    ("gpu", rf"\b(?:index|slot)\s*#?(?P<n>{_D})(?![\w.-])"),
    ("gpu", rf"第\s*(?P<n>{_HN})\s*(?:块|张|个)\s*(?:gpu|显卡|卡)"),
    ("gpu_ordinal", rf"\b(?P<n>{_ORD}) (?:gpu|card)\b"),
    (
        "action",
        rf"\b(?:actions?|act|proposals?|changes?|requests?|approvals?|ledger entry|entry)(?:\s|#|id|no\.?|number)*(?P<n>{_D})(?![\w.%])",
    ),
    (
        "action",
        rf"(?:操作|动作|提议|提案|变更|申请)\s*(?:编号|号)?\s*#?(?P<n>{_D}|{numbers.HAN})(?!\s*(?:个|次|条|项))",
    ),
    ("action", rf"第\s*(?P<n>{_HN})\s*(?:号|个|条|项)?\s*{_DEED}"),
    ("action", rf"(?P<n>{_HN})\s*号\s*{_DEED}"),
    ("action", rf"(?:编号|台账|单号|工单)\s*第?\s*(?P<n>{_D})(?!\d)"),
    ("action", rf"(?<![\d.])(?P<n>{_D})\s*号?\s*(?:单子|工单|单(?!\w|位|个|元))"),
    ("action", r"(?<![\w#])#(?P<n>\d+)\b"),
    ("revision", rf"\brev(?:ision)?s?(?:\s|#|no\.?|number)*(?P<n>{_D}|{numbers.ENGLISH})(?!\w)"),
    ("revision", rf"\b(?P<n>{_ORD}) rev(?:ision)?\b"),
    ("revision", rf"(?:修订版?本?号?|revision|rev)\s*(?P<n>{_HN})"),
    ("revision", rf"第\s*(?P<n>{_HN})\s*(?:个|次)?\s*(?:修订版?|revision)"),
    ("version", r"(?<![\w.-])(?<![a-z_-]/)v\.?\s?(?P<n>\d+(?:\.\d+)*)(?![\w-])"),
    ("version", r"(?<![\w.:/-])(?P<n>\d+\.\d+\.\d+)(?![\w-]|\.\d)"),
    (
        "version",
        rf"\bver(?:sion)?s?\b(?:\s|#|no\.?|number)*(?P<n>\d+(?:\.\d+)*|{numbers.ENGLISH})(?![\w%])",
    ),
    ("version", rf"版本?\s*(?:号)?\s*(?P<n>\d+(?:\.\d+)*|{numbers.HAN})(?!\s*[个次天小分周]|:\d)"),
    ("version", rf"第\s*(?P<n>{_HN})\s*(?:个)?\s*版本?"),
    (
        "version",
        rf"(?<![\w.:上前下旧新这每])(?P<n>{_D}|(?!一版){numbers.HAN})\s*(?:号)?\s*版(?:本)?",
    ),
    ("version", rf"(?<![\w.:])(?P<n>{_D})\s*version\b"),
    ("version", rf"\b(?P<n>{_ORD}) version\b"),
    (
        "sample",
        rf"\b(?:samples?|examples?|instances?|inputs?|transactions?|txn|records?|rows?|item|image|case)(?:\s|#|id|no\.?|number)+(?P<n>{_D})\b",
    ),
    ("sample", r"\b(?P<n>(?:txn|tx|sample|case|order|doc|req|img|msg|id)[-_]\d+\w*)"),
    (
        "sample",
        rf"(?:样本|样例|实例|第)\s*(?:编号|号)?\s*#?(?P<n>{_D})(?:\s*(?:号|个)?样本)?(?!\s*版)",
    ),
    ("sample", rf"(?P<n>{_D})\s*号\s*(?:样本|样例|交易)"),
)
_COMPILED = tuple((kind, compiled(pattern)) for kind, pattern in _PATTERNS)

_DIGITS = compiled(r"\d+")
_END = r"(?![\w%-]|\.\w|:\d|\s?(?:[mhds]|min|hours?|days?|minutes?|seconds?|ms|gb|小时|分钟|天|秒|度|倍|点)(?![a-z]))"
_RUN = r"(?<![\w.#-])(?P<run>\d{1,6}(?:\s*(?:[,&/]|,? ?\band\b|和|跟|与|还有)\s*#?\d{1,6}(?!\d)|\s\d{1,6}(?!\d))+)"
_THESE = r"\s*号?\s*(?:这|那)?(?:几|俩|[两三四五六]|2|3|4)?\s*"
_LISTED = tuple(
    (kind, tuple(map(compiled, patterns)))
    for kind, patterns in (
        (
            "xid",
            (
                rf"(?<![a-z])s?xids?(?![a-z])(?:[\s:#]|errors?|codes?|错误码)*{_RUN}{_END}",
                rf"(?:报错码|错误码|故障码)\s*{_RUN}",
                rf"{_RUN}{_THESE}(?:个|are|as)?\s*(?:the )?s?xids?(?![a-z])",
            ),
        ),
        (
            "action",
            (
                rf"(?:\b(?:actions?|proposals|approvals|entries)|操作|动作|提议|审批|变更)[\s:#]*{_RUN}{_END}",
                rf"{_RUN}{_THESE}(?:个|条|项)?\s*(?:操作|动作|提议|提案)",
                rf"{_RUN} (?:from|in|of) the ledger\b",
            ),
        ),
        (
            "sample",
            (rf"(?:\b(?:samples|examples|rows|records)|样本|样例)[\s:#]*{_RUN}{_END}",),
        ),
        (
            "gpu",
            (
                rf"(?:\b(?:gpus?|cards)|显卡|卡)[\s:#]*{_RUN}{_END}",
                rf"{_RUN}{_THESE}(?:张|块|个)?\s*(?:gpu|显卡|卡)(?!\d)",
                r"(?<![\w.#-])(?P<run>\d{1,2}\s*号?\s*(?:[,、]|和|跟|与)\s*\d{1,2})\s*号\s*(?:gpu|显卡|卡)",
            ),
        ),
    )
)
"""Lists of such numbers: ``xids 13 and 45``, ``gpus 1 3 5``, ``0、3 两张卡``."""

ALIASES: tuple[tuple[str, str], ...] = (
    (
        "production",
        r"production|prod(?!uc|/)|(?:what(?:'s| is)|whatever is) (?:currently |now |already )?(?:live|serving|in prod(?:uction)?)(?: in prod(?:uction)?| now)?(?! on)|live (?:one|version|model)|(?:version|one) that(?:'s| is) (?:currently |now )?live|生产(?:环境|版)?|转正|在产(?:的)?(?:那)?个?版(?:本)?|正式(?:在跑|环境|在用)的?版(?:本)?|(?:当前|目前|现在)?(?:线上|现网|在线)(?:现在|目前)?(?:在用|在跑|正在用|正在跑|正跑|正用|跑|用)?着??(?:的)?(?:那(?:一)?个?)?版(?:本)?",
    ),
    ("staging", r"staging|预发布?(?:环境)?"),
    ("champion", r"champion"),
    ("challenger", r"challenger"),
    ("candidate", r"candidate"),
    ("latest", r"latest|newest|最新(?:版本?)?(?:的)?"),
    ("stable", r"stable(?= version| alias|$)"),
    ("baseline", r"baseline"),
    ("shadow", r"shadow"),
    ("archived", r"archived"),
)
_ALIASES = tuple(
    (
        name,
        compiled(
            rf"(?:(?<![a-z0-9/_-])|(?=[^\x00-\x7f]))(?:{p})(?:(?![a-z0-9/_-])|(?<=[^\x00-\x7f]))"
        ),
    )
    for name, p in ALIASES
)


_OWN = r"(?P<n>[a-z][a-z0-9]*(?:[-_.][a-z0-9]+)+)"
_OWN_ALIASES = tuple(
    map(
        compiled,
        (
            rf"(?<![\w/.@-]){_OWN}(?=\s*(?:这|那)?(?:个|一)?\s*版(?:本)?(?![\w]|号))",
            rf"(?<=[a-z0-9])@{_OWN}(?![\w.@-])",
            rf"(?<![\w/.@-]){_OWN}(?=\s*(?:这个|那个|的)?\s*(?:别名|\balias\b))",
            rf"(?:别名|\balias)\s*(?:叫做?|是|called |named )?\s*{_OWN}(?![\w/@-])",
        ),
    )
)
"""Aliases of a team's own making, where the words beside them say that they are: ``beijing-trial 版``."""


def own_aliases(low: str) -> Iterator[Span]:
    """Where such aliases stand, if they are names of nothing else."""
    for pattern in _OWN_ALIASES:
        for match in pattern.finditer(low):
            yield Span(*match.span("n"))


def find(low: str) -> Iterator[tuple[str, Span, Span, str]]:
    """Kind, span of the whole, span of the number, and the value as text."""
    for kind, pattern in _COMPILED:
        for match in pattern.finditer(low):
            said = match["n"]
            number = numbers.whole(said)
            written = said if number is None or "." in said else str(number)
            if kind == "gpu_ordinal" and number:
                yield "gpu", Span(*match.span()), Span(*match.span("n")), str(number - 1)
            elif kind != "gpu_ordinal":
                yield kind, Span(*match.span()), Span(*match.span("n")), written


def further(low: str) -> Iterator[tuple[str, Span, Span, str]]:
    """Every number of a list: ``xids 13 and 45``."""
    for kind, patterns in _LISTED:
        for listed in (found for pattern in patterns for found in pattern.finditer(low)):
            for match in _DIGITS.finditer(low, *listed.span("run")):
                yield kind, Span(*match.span()), Span(*match.span()), match.group()


def aliases(low: str) -> Iterator[tuple[Span, str]]:
    """Registry aliases a version may go by."""
    for name, pattern in _ALIASES:
        for match in pattern.finditer(low):
            yield Span(*match.span()), name
