"""How many of what: ``3 replicas``, ``a dozen trials``, ``四个 worker``, ``replicas=4``."""

from __future__ import annotations

from collections.abc import Iterator

from agent.offline.slots import numbers, order
from agent.offline.text import Span
from agent.offline.text import pattern as compiled

UNITS: dict[str, str] = {
    "replicas": r"replicas?|pods?|cop(?:y|ies)|instances?|副本数?|实例|份|pod|replica",
    "workers": r"workers?|process(?:es)?|procs?|ranks?|gpus?|cards?|in parallel|at a time|at once|concurrently|并发|并行|进程|张卡|块卡|卡|worker|gpu",
    "trials": r"trials?|trails?|runs?|settings?|tries|attempts?|experiments?|combos?|combinations?|configurations?|configs?|rounds?|iterations?|次|轮|组|试验|回|把(?=[就吧,. ]|$)|trial",
}
_UNIT = "|".join(f"(?P<{name}>{pattern})" for name, pattern in UNITS.items())
_ADJECTIVES = r"(?:more |total |different |tuning |training |search |ready |parallel |new |of )*"
_AFTER = compiled(
    rf"(?<![\w.:-])(?P<n>{numbers.ENGLISH}|\d+|single)(?! - )[ -]*{_ADJECTIVES}(?:{_UNIT})(?![a-z0-9])"
)
_HAN_AFTER = compiled(
    rf"(?<![\d.:])(?P<n>\d+|{numbers.HAN})\s*(?:个|台|张|块|组|次|轮)?\s*(?:并发|并行)?\s*(?:{_UNIT})(?!号)"
)
_BEFORE = compiled(
    rf"(?P<unit>replicas?|(?:n_|num_)?workers?|(?:n_|num_)?trials?|副本数?|进程数|实例数|并行度?|并发|(?:试验|尝试|搜索)次数)\s*(?:count|number|数量?)?\s*(?:=|:|to|at|为|到|成|设为|改成|改为?|调到|设成|给|用|开|(?<=并行)|(?<=并行度)|(?<=[并]发)|(?<=次数)|(?<=trials)|(?<=workers)|(?<=replicas))\s*(?P<n>\d+|{numbers.HAN}|{numbers.ENGLISH})(?![\w%])"
)
_LONE = compiled(
    rf"(?<!\bepoch )(?<!\bstep )(?<!\battempt )(?<![\w.:/#=-])(?P<n>\d+(?:\.\d+)?k?|{numbers.ENGLISH})(?!(?!k?w\b)[\w/-]|[:.]\d| ?-?bits?\b|\s*位"
    r"|,? (?:hundred |thousand |million )?(?:people|persons|users|customers|clients|tickets|passengers|patients|calls|orders|complaints|tb|gb|mb|kb|euros?|dollars?|bucks|incidents)\b)"
)
_HAN_LONE = compiled(
    rf"(?<=[到至为成扩缩开要设加减拉跑增起])\s*(?P<n>{numbers.HAN})(?![\u4e00-\u9fff](?<![就吧得算以台]))|(?<=[留剩到成])\s*(?P<k>一)\s*个|(?P<m>(?!一个){numbers.HAN})\s*个(?!版本|部署|服务|模型|节点|任务|告警)"
)
_TIMES = compiled(r"(?<![\w.:/-])[x×] ?(?P<n>\d+)(?![\w.%])")
"""``ranker x6``."""
_TIMES_TRIED = compiled(
    r"(?<![\w.:/-])(?P<n>\d{2,})(?:x| times)(?!\w)(?! (?:as |the )?(?:fast|quick|speed|more|less))"
)
"""``sweep ranker 50x``."""
_SINGLE = compiled(r"单(?:个)?(?=副本|实例|pod|节点运行)")
_PAIR_OF = compiled(r"(?P<one>单)(?=(?:卡|进程)(?!太|慢|不|跑不|磨))|双(?=卡|进程|gpu)")
_NONE = compiled(r"归零|清零|[缩减降调]到零|(?<=\bto )(?:zero|nothing)\b")
_JUST_ONE = compiled(
    r"(?<=\bto )(?:just |only |a )*single one(?=$|[ ,.!?])|(?<=\bto )(?:just |only )one(?=$|[ ,.!?])"
)
_ONE = compiled(
    r"\b(?:zero|null)(?: them| it)? out\b|\b\w*\d(?:-?bit)? one\b|\b(?:production|prod|staging|champion|current|live|newest|latest|quanti[sz]ed|pruned|smaller|bigger|only|single|which|the other|other|that|this|the|no|any|every|each|a|new|old|previous|last|next|another|same|wrong|right|some|good|bad|big|small|little|tiny|fresh|better|simpler|spare|proper|another) one\b"
    r"|\b(?:spin|spins|start|fire|kick|set|bring|get|make|build|find|pick|use|want|need|give me|send|teach|train|launch|open) one\b(?! (?:replica|pod|worker|copy|instance|trial))"
)
_BEFORE_UNITS = (
    ("replicas", "replica 副本 实例"),
    ("workers", "worker n_worker num_worker 进程 并行 并发"),
    ("trials", "trial n_trial num_trial 试验 尝试 搜索"),
)


def find(low: str) -> Iterator[tuple[Span, Span, float, str]]:
    """Every count: where, the number in it, how many, of what (``""`` when it does not say)."""
    for pattern in (_AFTER, _HAN_AFTER):
        for match in pattern.finditer(low):
            number = 1.0 if match["n"] == "single" else numbers.value(match["n"])
            if number is not None:
                unit = next(u for u in UNITS if match[u])
                if match["n"] == "一" and unit == "trials":
                    continue  # "做一轮搜索": once, not one trial
                if order.labels_first(low, match.span("n"), match.span(unit)):
                    continue  # "trials 12 workers 2"
                yield Span(*match.span()), Span(*match.span("n")), number, unit
    for match in _BEFORE.finditer(low):
        number = numbers.value(match["n"])
        unit = next(
            u
            for u, words in _BEFORE_UNITS
            if any(match["unit"].startswith(w) for w in words.split())
        )
        if number is not None:
            yield Span(*match.span()), Span(*match.span("n")), number, unit
    yield from _marked(low)
    yield from _lone(low)


def _marked(low: str) -> Iterator[tuple[Span, Span, float, str]]:
    """``x6`` and ``归零``."""
    for match in _TIMES.finditer(low):
        yield Span(*match.span()), Span(*match.span("n")), float(match["n"]), ""
    for match in _TIMES_TRIED.finditer(low):
        yield Span(*match.span()), Span(*match.span("n")), float(match["n"]), "trials"
    for match in _SINGLE.finditer(low):
        yield Span(*match.span()), Span(*match.span()), 1.0, "replicas"
    for match in _PAIR_OF.finditer(low):
        span = Span(match.start(), match.end())
        yield span, span, 1.0 if match["one"] else 2.0, "workers"
    for number, pattern in ((0.0, _NONE), (1.0, _JUST_ONE)):
        for match in pattern.finditer(low):
            yield Span(*match.span()), Span(*match.span()), number, ""


def _lone(low: str) -> Iterator[tuple[Span, Span, float, str]]:
    """Numbers that do not say of what."""
    idle = [Span(*m.span()) for m in _ONE.finditer(low)]
    for pattern in (_LONE, _HAN_LONE):
        for match in pattern.finditer(low):
            groups = match.groupdict()
            said = groups["n"] or groups.get("m") or groups.get("k") or ""
            span, number = Span(*match.span()), numbers.value(said)
            if number is not None and not any(span.overlaps(i) for i in idle):
                yield span, span, number, ""
