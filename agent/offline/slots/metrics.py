"""Names people give to metrics, and the one name each has in Steward."""

from __future__ import annotations

from collections.abc import Iterator

from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_SPOKEN: tuple[tuple[str, str], ...] = (
    (
        "latency_p50",
        r"(?:p50|median)(?: (?:latenc(?:y|ies)|response times?))?|latenc(?:y|ies) p50|latency_p50|50th percentile|延迟中位数|中位延迟|p50 ?(?:延迟|时延|耗时)",
    ),
    (
        "latency_p99",
        r"p99(?: (?:latenc(?:y|ies)|response times?|ms))?|latenc(?:y|ies) (?:at )?p99|latency_p99|(?:the )?99th percentile(?: latency)?|tail latenc(?:y|ies)|p99 ?的?(?:延迟|时延|耗时|延时|响应时间)|(?:延迟|时延)的? ?p99|99 ?分位(?:数)?(?:的?延迟)?|长尾延迟",
    ),
    (
        "latency_p95",
        r"p95(?: (?:latenc(?:y|ies)|response times?))?|latenc(?:y|ies)[ ,]*(?:at |the )?p95|latency_p95|95th percentile(?: latency| response time)?|p95 ?的?(?:延迟|时延|耗时|延时|响应时间)|(?:延迟|时延|延时)的? ?p95|95 ?分位(?:数)?(?:的?(?:延迟|时延))?|(?:response|serving) (?:times?|latency)|latenc(?:y|ies)|响应(?:时间|延迟|耗时)|延迟|时延|延时|耗时",
    ),
    (
        "error_rate",
        r"error[ _-]?rates?|errors? (?:percentage|ratio|%)|5xx(?: rate|s| errors?| ratio)?|http 5\d\d(?: rate)?|failure rate|rate of errors|share of (?:failed|failing) requests|错误(?:率|比例)|出错率|报错率|失败率|错误占比",
    ),
    (
        "queue_depth",
        r"queue[ _-]?(?:depth|length|size)|(?:request )?backlog|pending requests|requests? (?:waiting|queued)|depth of the queue|(?:the )?queue(?= (?:is|gets|goes|grows|builds|over|above|longer|deeper|exceeds?|>))|(?:队列|伫列)(?:长度|深度|大小|积压)?|排队(?:长度|请求数?|数)|积压(?:量|请求)?",
    ),
    (
        "throughput",
        r"throughput|qps|rps|tps|request[ _]rate|requests? (?:per|a|/) ?(?:second|sec|minute|s)|req/s|traffic|吞吐(?:量|率)?|每秒请求数?|请求(?:速率|量)|流量",
    ),
    (
        "gpu_memory",
        r"gpu(?:'?s)?[ _-]?(?:memory|mem|ram)(?: (?:usage|use|used|utili[sz]ation|consumption))?|vram(?: (?:usage|use))?|(?:gpu|显卡) ?内存(?:占用|使用量?|使用率)?|(?:显存|显示记忆体|显卡记忆体)(?:占用|使用|用量|利用)?(?:率|量|情况)?",
    ),
    (
        "gpu_temperature",
        r"gpu(?:'?s)?[ _-]?(?:temperatures?|temps?|heat)|(?:temperatures?|temps?) of (?:(?:the|all) )?gpus?|(?:temperatures?|temps?)(?= ?(?:chart|graph|plot|curve|over \d|above|exceeds?|>|is over))|(?<=\bin )temperatures?|(?:hotter|warmer|cooler)(?= than (?:its|the|all|other))|(?:gpus?|cards?)(?= [^,.;]{0,20}?\d+ ?(?:degrees|celsius|c\b))|(?:gpu|显卡|卡)(?=[^,.;\d]{0,6}\d+ ?度)|温度(?=曲线|图|超|高于|大于|过 ?\d|>|达|到)|(?:gpu|显卡|卡) ?的?温度|显卡温度|卡温|(?<!室)温度",
    ),
    (
        "gpu_power",
        r"gpu(?:'?s)?[ _-]?power(?: (?:draw|usage|consumption))?|power draw|(?:draw(?:s|ing)? )power|power draw|(?:gpu|显卡) ?的?(?:功耗|功率)|功耗|功率",
    ),
    (
        "gpu_utilization",
        r"gpu(?:'?s)?[ _-]?(?:utili[sz]ation|utilisaton|util|usage|load|busy)|utili[sz]ation of (?:the )?gpus?|(?:(?:cards?|gpus?) whose )?utili[sz]ation|(?:gpu|显卡) ?的?(?:利用率|使用率|负载|占用率)|利用率",
    ),
    (
        "cpu",
        r"cpu(?:[ _-]?(?:usage|utili[sz]ation|util|load|percent|use|time))?|processor (?:load|usage)|(?:cpu|处理器) ?的?(?:使用率|利用率|负载|占用率?|用量)",
    ),
    (
        "memory",
        r"(?:host |system |main )?(?:memory|mem|ram)(?: (?:usage|use|used|utili[sz]ation|consumption|load))?|(?:内存|记忆体)(?:占用|使用|用量)?(?:率|量)?",
    ),
    (
        "disk",
        r"disk(?: (?:usage|space|utili[sz]ation|use))?|(?:磁盘|磁碟|硬碟|硬盘)(?:占用|使用|利用|空间|用量)?(?:率|量)?",
    ),
    (
        "network",
        r"network(?: (?:traffic|usage|throughput|io))?|bandwidth|(?:网络|网路)(?:流量|带宽|吞吐)?|带宽",
    ),
    ("restarts", r"restarts(?= ?(?:count|[<>]|above|over|exceed))|restart counts?|重启次数"),
    ("loss", r"(?:training |train |validation |val )?loss(?!es)|(?:训练)?损失(?:值|函数)?"),
    ("accuracy", r"(?:training |validation |val |test )?accuracy|准确率|精度"),
)
_PATTERNS = tuple(
    (name, compiled(rf"(?<![\w-])(?:{pattern})(?![a-z0-9_-])")) for name, pattern in _SPOKEN
)
_IDENTIFIER = compiled(
    r"(?:(?<=[\u4e00-\u9fff]:)|(?<=alert:)|(?<=rule:)|(?<=metric:)|(?<=query:)|(?<=plot:)|(?<![\w/:#.-]))(?!(?:alert|rule|metric|query|plot):)(?:[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?::[a-z0-9_]+)*|[a-z][a-z0-9]*(?::[a-z0-9_]+){2,}|[a-z][a-z0-9]*:[a-z0-9]+(?:_[a-z0-9]+)+)(?:\{[^}]*\})?(?:\[\w+\])?(?![\w-]| ?= ?[\d.])"
)
_OPENING = compiled(
    r"(?<![\w/#.-])(?!promql:)(?:(?:sum|avg|max|min|count|rate|irate|increase|delta|histogram_quantile|topk|"
    r"bottomk|quantile|\w+_over_time|absent|predict_linear|deriv|stddev)"
    r"(?:\s+(?:by|without)\s*\([^)]*\)\s*)?(?=\()|[a-z_][a-z0-9_:]*(?=\{))"
)
_FURTHER = compiled(
    r"\s*\[\w+(?::\w*)?\]|\s+(?:by|without)\s*\([^)]*\)|\s*[-+*/<>]=?\s*(?:\d[\w.]*(?!\w)|[a-z_:][\w:]*(?=[({]))"
)
_PAIRS = {"(": ")", "{": "}", "[": "]"}


def find(low: str) -> Iterator[tuple[Span, str, bool]]:
    """Every metric in a folded text: where, its name, and whether it was written as an identifier.

    PromQL is passed on as it was written (in lower case here; the caller takes the raw text).
    """
    for span in expressions(low):
        yield span, low[span.start : span.end], True
    for match in _IDENTIFIER.finditer(low):
        if match.group() not in _CANONICAL:
            yield Span(*match.span()), match.group(), True
    for name, pattern in _PATTERNS:
        for match in pattern.finditer(low):
            yield Span(*match.span()), name, False


def expressions(low: str) -> Iterator[Span]:
    """Every PromQL expression, from its first word to the bracket that closes it."""
    at = 0
    while match := _OPENING.search(low, at):
        end = _closed(low, match.end())
        while end is not None and (more := _FURTHER.match(low, end)):
            opens = low[more.end() : more.end() + 1] in ("(", "{")
            further = _closed(low, more.end()) if opens else more.end()
            if further is None:
                break
            end = further
        if end is None:
            at = match.end()
            continue
        yield Span(match.start(), end)
        at = end


def _closed(low: str, start: int) -> int | None:
    """Where the bracket that opens at ``start`` is closed; brackets in string literals do not count."""
    waiting: list[str] = []
    literal = ""
    for at in range(start, len(low)):
        char = low[at]
        if literal:
            literal = "" if char == literal and low[at - 1] != "\\" else literal
        elif char in "\"'":
            literal = char
        elif char in _PAIRS:
            waiting.append(_PAIRS[char])
        elif waiting and char == waiting[-1]:
            waiting.pop()
            if not waiting:
                return at + 1
    return None


_CANONICAL = frozenset(name for name, _ in _SPOKEN)
