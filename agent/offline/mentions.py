"""Everything in a request that has a type, each stretch of text claimed by one reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from agent.offline import described, loosely, namespaces
from agent.offline.coordination import coordinated
from agent.offline.grammar import words as lexicon
from agent.offline.mention import SAID, Mention
from agent.offline.names import Gazetteer, Kind
from agent.offline.shapes import shaped
from agent.offline.slots import (
    counts,
    durations,
    fractions,
    identifiers,
    metrics,
    params,
    passed_on,
)
from agent.offline.text import Span, Text
from agent.offline.text import pattern as compiled

_RELEASE = compiled(r"(?:\bv|\b(?:version|release|revision|rev)) ?$")
_ORDINARY = lexicon("ordinary")
_QUOTED = compiled(
    r"\"([^\"]{1,400})\"|(?<!\w)'((?:[^']|(?<=\w)'(?=\w)){2,400})'(?!\w)|`([^`]{1,400})`"
)
_CODE = compiled(r"\bnvrm\b.*\bxid\b.*\d")
"""A line of the kernel's log: what counts is its code."""
_FILE = compiled(
    r"(?<![a-z0-9_./~-])[a-z0-9_./~][^\s\"'`“”，。；、：]*\.(?:pt|pth|ckpt|bin|pkl|pickle|safetensors|onnx|pt2|h5|joblib)(?![a-z0-9_/-])"
)
"""A file of weights, with its folders."""
_NOT_A_NAME = compiled(
    r"(?:re-?)?(?:un-?)?(?:blue-green|up-to-date|rate-of-change|on-call|go-live|hand-over|list-\w+|read-only|\w+-wise|\w+-style|"
    r"roll-?outs?|roll-?backs?|re-\w+|un-\w+|mid-\w+|in-flight|end-to-end|side-by-side|out-of-\w+|\w+-by-\w+|"
    r"ext4-fs|\w+-(?:ish|based|green|ready|related|wide|shaped|level|bit|times?|hours?|minutes?|first|free)|non-\w+|pre-\w+|post-\w+|oom-kill\w*|"
    r"(?:wanda|magnitude|structured|static|dynamic|int8|peer)-\w+|(?:hyper|auto|multi|semi|self|cross|co)-\w+|(?:an?|the|half|one|two|three|first|second|last|next|twenty|thirty|"
    r"forty|fifty|sixty|seventy|eighty|ninety)-\w+|yes-?\w*|follow-up|sign-?off|wake-up|back-?up|held-up|peer-outliers?|student-teacher|teacher-student|wrap-up|speed-?ups?|start-?up|set-?up|nvidia-smi|\w/\w\w?|ci/cd|and/or|tcp/ip|yes/no|on/off|up/down|fine-\w+|\w+-worthy|cpu-\w+-?\w*ing)"
)


def find(
    text: Text,
    gazetteer: Gazetteer,
    words: frozenset[str],
    strange: Callable[[str], bool] = lambda _: False,
) -> list[Mention]:
    """All mentions, in order, none overlapping; the surest reading wins, then the longest.

    ``strange`` says that a word is no word of requests, not even a mistyped one: where no
    deployment and no model is listed, such a word is taken for a name.
    """
    taken: list[Mention] = []
    unlisted = [] if gazetteer.kinds & {"deployment", "model"} else list(_strange(text, strange))
    for readings in (*_readings(text, gazetteer, words), unlisted):
        for mention in sorted(readings, key=lambda m: m.span.start - m.span.end):
            if not any(mention.span.overlaps(other.span) for other in taken):
                taken.append(mention)
    found = coordinated(text.low, sorted(taken, key=lambda m: m.span.start))
    return namespaces.several(text.low, found)


def _readings(text: Text, gazetteer: Gazetteer, words: frozenset[str]) -> Iterator[list[Mention]]:
    low = text.low
    yield [_plain("metric", span, text.said(span)) for span in metrics.expressions(low)]
    yield [
        _plain("quoted", s, text.raw[s.start + 1 : s.end - 1])
        for s in _spans(_QUOTED, low)
        if not _CODE.search(low, s.start, s.end)
    ]
    yield [_plain("path", span, text.said(span)) for span in _spans(_FILE, low)]
    named = list(_names(text, gazetteer, words))
    yield [
        Mention("quoted", span, text.said(span), span, unit=SAID)
        for span in passed_on.find(low, _spans_of(named, "channel"), _spans_of(named, "alert"))
    ]
    yield named
    identified = [
        Mention(kind, span, value, core)
        for kind, span, core, value in (*identifiers.find(low), *identifiers.further(low))
    ]
    yield [m for m in identified if m.kind == "xid" or (m.kind == "sample" and "-" in str(m.value))]
    yield [Mention("params", span, value, span) for span, value in params.find(low)]
    spoken = [
        _plain("metric", span, text.said(span) if written else value)
        for span, value, written in metrics.find(low)
    ]
    unlisted = list(_unknown(text, words, gazetteer))
    yield [m for m in unlisted if "image" in m.means and "_" in str(m.value)]
    yield [m for m in spoken if "_" in low[m.span.start : m.span.end]]
    yield [_loose(span, means) for span, means in described.find(text.low, gazetteer.listed)]
    yield list(_loosely(text, gazetteer, words))
    yield [_plain("alias", span, text.said(span)) for span in identifiers.own_aliases(low)]
    yield unlisted
    yield [_plain("window", span, value) for span, value in durations.find(low)]
    yield [m for m in identified if m.kind == "gpu"]
    yield [
        Mention("fraction", span, float(low[span.start : span.end]), span)
        for span in fractions.decimals(low)
        if not _RELEASE.search(low[: span.start])
    ]
    yield spoken + identified
    yield [Mention("fraction", span, value, span) for span, value in fractions.find(low)]
    yield [_plain("alias", span, value) for span, value in identifiers.aliases(low)]
    yield [
        Mention("count", span, value, core, unit=unit)
        for span, core, value, unit in counts.find(low)
    ]


def _plain(kind: str, span: Span, value: str) -> Mention:
    return Mention(kind, span, value, span)


def _spans(pattern: re.Pattern[str], low: str) -> Iterator[Span]:
    return (Span(*m.span()) for m in pattern.finditer(low))


def _names(text: Text, gazetteer: Gazetteer, words: frozenset[str]) -> Iterator[Mention]:
    for found in gazetteer.find(text.low, words):
        span = found.span
        if found.typo and ":" in text.low[span.start : span.end]:
            continue  # "ranker:lr 3e-4" names no image
        if not found.typo or not _NOT_A_NAME.fullmatch(text.low[span.start : span.end]):
            first = next(iter(found.means.values()))[0]
            yield Mention("name", span, first, span, found.means, typo=found.typo)


def _spans_of(named: Sequence[Mention], kind: Kind) -> list[Span]:
    return [m.span for m in named if kind in m.means]


def _loosely(text: Text, gazetteer: Gazetteer, words: frozenset[str]) -> Iterator[Mention]:
    for span, means in loosely.find(text.low, gazetteer.listed, words | _ORDINARY):
        yield _loose(span, means)


def _loose(span: Span, means: Mapping[Kind, tuple[str, ...]]) -> Mention:
    first = next(iter(means.values()))[0]
    return Mention("name", span, first, span, means, loose=True)


_WORD = compiled(r"(?<![\w#@./:'-])[a-z][a-z0-9]{2,}(?![\w@/:-]|'(?!s\b))")
_HEAD = compiled(
    r" (?:gateway|api|svc|server|worker|batch|encoder|embedder|router|guard|detector|scorer|tagger|bert|net)"
    r"(?![\w@/:'-])"
)
"""What a strange word before it makes the name of: ``ocr gateway``."""
_OURS = compiled(r"\b(?:my|your|his|her|their|a|an|some) $")


def _strange(text: Text, strange: Callable[[str], bool]) -> Iterator[Mention]:
    for match in _WORD.finditer(text.low):
        if strange(match.group()) and not _OURS.search(text.low[: match.start()]):
            head = _HEAD.match(text.low, match.end())
            span = Span(match.start(), head.end() if head else match.end())
            said = text.said(span).replace(" ", "-")
            yield Mention(
                "name", span, said, span, {"deployment": (said,), "model": (said,)}, known=False
            )


def _unknown(text: Text, words: frozenset[str], gazetteer: Gazetteer) -> Iterator[Mention]:
    for kind, span in shaped(text.raw, text.low):
        said = text.said(span)
        low = text.low[span.start : span.end]
        pieces = re.findall(r"[a-z0-9]+", low)
        if low in words or _NOT_A_NAME.fullmatch(low):
            continue
        if kind == "ref" and all(piece in words for piece in pieces):
            continue
        several = gazetteer.beginning(said) or (kind != "image" and gazetteer.ending(said))
        if several:
            yield Mention("name", span, said, span, several)
            continue
        kinds = ("deployment", "model") if kind in ("name", "ref") else (kind,)
        means = dict.fromkeys(kinds, (said,))
        yield Mention("name", span, said, span, means, known=False, listed=gazetteer.kinds)
