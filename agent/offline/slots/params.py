"""Training parameters: ``lr 0.001``, ``batch_size=64``, ``20 epochs``, ``学习率 0.01``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.offline.slots import numbers, order
from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_NAMES: tuple[tuple[str, str], ...] = (
    ("lr", r"lr|learning[ _-]?rate|学习率"),
    ("batch_size", r"batch[ _-]?size|batch|bs|批(?:次|量)?大小"),
    ("epochs", r"epochs?|轮数"),
    ("weight_decay", r"weight[ _-]?decay|权重衰减"),
    ("dropout", r"dropout"),
    ("momentum", r"momentum|动量"),
    ("seed", r"(?:random )?seed|(?:随机)?种子"),
    ("steps", r"(?:max )?steps"),
    ("hidden", r"hidden(?: size| units| dim)?"),
)
_VALUE = r"(?P<v>\d+(?:\.\d+)?(?:e-?\d+)?|\.\d+|true|false)"
_NAMED = tuple(
    (
        name,
        compiled(
            rf"(?<![a-z0-9_-])(?:{p})\s*(?:=|:|of|to|is|at|为|设为|设成|设|[换改][成为到]?|改|调到|调成|固定(?:为|成)?|定[为成]?|取|给|用)?\s*{_VALUE}(?![\w%])"
        ),
    )
    for name, p in _NAMES
)
_EPOCHS = compiled(
    rf"(?<![\w.第-])(?:(?<!\d:)|(?!\d))(?<!第 )(?P<v>{numbers.ENGLISH}|\d+|{numbers.HAN})\s*(?:个|more |full )?[\s-]*(?P<unit>epochs?)(?![a-z])(?!\s*[=:]\s*\d)"
)
_STEPS = compiled(r"(?<![\w.:-])(?P<v>\d+)\s*(?P<unit>steps\b)")
_COUNTED = frozenset({"epochs", "steps"})
_HAPPENED = compiled(
    r"\b(?:in|at|after|around|near|by|until|during|since|on|from)(?: the| about)? $|第\s*$"
)
"""``it crashed in epoch 4`` is no wish."""
_PAIR = compiled(
    rf"(?<![\w-])(?P<k>[a-z_][a-z0-9_.]*)\s*=\s*{_VALUE}(?![\w%]| *(?:trials?|runs?|workers?|replicas?)\b)"
)
_WRITTEN = compiled(
    rf"(?<![\w-])(?P<k>(?!error_|request_)[a-z]+_(?:steps|size|rate|decay|norm|dim|layers|heads|length|ratio|epochs))\s+{_VALUE}(?![\w%])"
)
"""``warmup_steps 500``: written like a parameter, without a sign of equality."""
_COUNTS = frozenset(
    f"{much}{what}{s}"
    for much in ("", "n_", "num_")
    for what in ("replica", "worker", "trial")
    for s in ("", "s")
)


def find(low: str) -> Iterator[tuple[Span, dict[str, float | int | bool]]]:
    """Every training parameter with its value."""
    for match in (*_PAIR.finditer(low), *_WRITTEN.finditer(low)):
        if match["k"] not in _COUNTS:
            yield Span(*match.span()), {_canonical(match["k"]): _value(match["v"])}
    counted = [
        (name, match)
        for name, pattern in (("epochs", _EPOCHS), ("steps", _STEPS))
        for match in pattern.finditer(low)
        if not order.labels_first(low, match.span("v"), match.span("unit"))
    ]
    for name, match in counted:
        number = numbers.whole(match["v"])
        if number is not None:
            yield Span(*match.span()), {name: number}
    words = [Span(*match.span("unit")) for _, match in counted]
    for name, pattern in _NAMED:
        for match in pattern.finditer(low):
            word = Span(match.start(), match.start() + 1)
            told = any(word.within(other) for other in words)
            past = name in _COUNTED and _HAPPENED.search(low[: match.start()])
            if not told and not past:
                yield Span(*match.span()), {name: _value(match["v"])}


def _canonical(key: str) -> str:
    return next((name for name, p in _NAMES if re.fullmatch(p, key)), key)


def _value(said: str) -> float | int | bool:
    if said in ("true", "false"):
        return said == "true"
    number = float(said)
    return int(number) if re.fullmatch(r"\d+", said) else number
