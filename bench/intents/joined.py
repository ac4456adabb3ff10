"""Messages put together from two: two requests, or a remark and one request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from agent.offline.text import language
from bench.intents.corpus import PHRASES, Sample

_JOINTS = {
    "en": (
        ", then ", " and then ", " and ", ", and ", "; ", ". ", ". also ", " plus ", " & ",
        ", also ", ", after that ", " and while you're at it ", ", next ", " + ", "? and ",
        " n ", ", ", " & also ", "? also ", ", as well as ", " ... and ",
    ),
    "zh": (
        ",然后", "，再", ",再", "，顺便", ",顺手", "，另外", ";", "。", "，还有", " 同时", "，接着",
        "，并且", "，", ",完了", "，完事", "？再", " 然后", "，以及",
        "和", " 和 ", "，加上", " + ", " ", "、", "，再来个", "，也",
    ),
}  # fmt: skip
_WEIGHT = 0.4
_LONGEST = 70
"""Characters of a request that is joined to another."""


_REMARKS = ("@statement", "@greeting", "@thanks")


def joined(samples: Sequence[Sample], count: int) -> Iterator[Sample]:
    """Pairs of requests of the same author and language, joined as people join them."""
    dice = Random(21)
    requests = [s for s in samples if _fits(s) and not s.labels[0].startswith("@")]
    by = _grouped(requests)
    for _ in range(count):
        first = dice.choice(requests)
        lang = language(first.text)
        second = dice.choice(by[first.by, lang])
        if second.text == first.text:
            continue
        text = _end(first.text) + dice.choice(_JOINTS[lang]) + _start(second.text)
        yield Sample(first.by, text, first.labels + second.labels, first.names, _WEIGHT)


def prefaced(samples: Sequence[Sample], count: int) -> Iterator[Sample]:
    """A remark or a greeting before a request, or thanks after it: still one request."""
    dice = Random(23)
    remarks = _grouped([s for s in samples if _fits(s) and s.labels[0] in _REMARKS])
    requests = [s for s in samples if _fits(s) and not s.labels[0].startswith("@")]
    for _ in range(count):
        request = dice.choice(requests)
        lang = language(request.text)
        around = remarks.get((request.by, lang))
        if not around:
            continue
        remark = dice.choice(around)
        joint = dice.choice((", ", ". ", "! ", "; ") if lang == "en" else ("，", "。", "！", ","))
        parts = [_end(remark.text), request.text]
        if remark.labels[0] == "@thanks":
            parts = [_end(request.text), remark.text]
        yield Sample(request.by, joint.join(parts), request.labels, request.names, _WEIGHT)


def _fits(sample: Sample) -> bool:
    return sample.by != PHRASES and len(sample.labels) == 1 and len(sample.text) <= _LONGEST


def _grouped(samples: Sequence[Sample]) -> dict[tuple[str, str], list[Sample]]:
    by: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        by.setdefault((sample.by, language(sample.text)), []).append(sample)
    return by


def _end(text: str) -> str:
    return text.rstrip(" .。!?？！,，")


def _start(text: str) -> str:
    plain = text[:1].isupper() and text[1:2].islower()
    return text[0].lower() + text[1:] if plain else text
