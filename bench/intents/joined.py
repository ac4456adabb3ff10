"""Messages with two requests, put together from single ones: people write too few of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from agent.offline.text import language
from bench.intents.corpus import PHRASES, Sample

_JOINTS = {
    "en": (
        ", then ", " and then ", " and ", ", and ", "; ", ". ", ". also ", " plus ", " & ",
        ", also ", ", after that ", " and while you're at it ", ", next ", " + ", "? and ",
    ),
    "zh": (
        ",然后", "，再", ",再", "，顺便", ",顺手", "，另外", ";", "。", "，还有", " 同时", "，接着",
        "，并且", "，", ",完了", "，完事", "？再", " 然后", "，以及",
    ),
}  # fmt: skip
_WEIGHT = 0.4
_LONGEST = 70
"""Characters of a request that is joined to another."""


def joined(samples: Sequence[Sample], count: int) -> Iterator[Sample]:
    """Pairs of requests of the same author and language, joined as people join them."""
    dice = Random(21)
    fit = [
        s
        for s in samples
        if s.by != PHRASES
        and len(s.labels) == 1
        and not s.labels[0].startswith("@")
        and len(s.text) <= _LONGEST
    ]
    by: dict[tuple[str, str], list[Sample]] = {}
    for sample in fit:
        by.setdefault((sample.by, language(sample.text)), []).append(sample)
    for _ in range(count):
        first = dice.choice(fit)
        lang = language(first.text)
        second = dice.choice(by[first.by, lang])
        if second.text == first.text:
            continue
        left, right = first.text.rstrip(" .。!?？！,，"), second.text
        if right[:2].istitle() and right[1:2].islower():
            right = right[0].lower() + right[1:]
        text = left + dice.choice(_JOINTS[lang]) + right
        yield Sample(first.by, text, first.labels + second.labels, first.names, _WEIGHT)
