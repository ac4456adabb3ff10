"""Which namespace is meant where a name stands in several: ``ranker in prod``, ``线上的 ranker``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from agent.offline.filling.sheet import Sheet
from agent.offline.mention import Mention
from agent.offline.text import Span
from agent.offline.text import pattern as compiled
from tools.contract import Parameter

_SPOKEN = {
    "prod": r"prod(?:uction)?|live|生产|线上|正式",
    "production": r"prod(?:uction)?|live|生产|线上|正式",
    "staging": r"stag(?:e|ing)|预发布?|预生产",
    "stage": r"stag(?:e|ing)|预发布?|预生产",
    "shadow": r"shadow|影子",
    "test": r"test|测试环境",
    "dev": r"dev(?:elopment)?|开发环境",
}
_PLACED = frozenset({"deployment", "target"})
_BEFORE = compiled(
    r"(?<![\w/-])(?P<space>prod|staging)(?:\s*环境)?\s*(?:里|上|那套|那个|这个)?\s*的?\s*$"
)


def placed(
    sheet: Sheet, parameter: Parameter, mention: Mention, options: Sequence[str]
) -> str | None:
    """The name with its namespace; ``None`` when the text leaves open which of several it is."""
    own = mention in sheet.material.mentions
    if len(options) == 1:
        bare = not mention.known and "/" not in options[0] and not mention.also
        said = _BEFORE.search(sheet.material.text.low[: mention.span.start]) if own else None
        if bare and said and parameter.word in _PLACED:
            sheet.claim(Span(*said.span("space")))
            return f"{said['space']}/{options[0]}"
        if parameter.word == "model":  # models have no namespace
            return options[0].rsplit("/", 1)[-1] if mention.known else options[0]
        return options[0]
    plain = _plain(mention, options)
    if not own:
        return plain
    found = sorted(_named(sheet.material.text.low, mention.span, options), key=lambda f: f[0])
    if not found or any(gap == found[0][0] and o != found[0][2] for gap, _, o in found):
        return plain
    sheet.claim(found[0][1])  # "staging" is an alias, too; here it is not one
    return found[0][2]


def _plain(mention: Mention, options: Sequence[str]) -> str | None:
    """The one that has no namespace, where just that was said: its whole name."""
    bare = {option.rsplit("/", 1)[-1] for option in options}
    alone = len(bare) == 1 and mention.known and not mention.loose
    return next((option for option in options if option in bare), None) if alone else None


def _named(low: str, at: Span, options: Sequence[str]) -> list[tuple[int, Span, str]]:
    """How far from the name each namespace is said, where, and the full name it makes."""
    found: list[tuple[int, Span, str]] = []
    for option in (o for o in options if "/" in o):
        for match in _pattern(option.split("/")[0]).finditer(low):
            span = Span(*match.span())
            if not span.overlaps(at):
                gap = at.start - span.end if span.end <= at.start else span.start - at.end
                found.append((gap, span, option))
    return found


@cache
def _pattern(space: str) -> re.Pattern[str]:
    return compiled(rf"(?<![\w/-])(?:{_SPOKEN.get(space, re.escape(space))})(?![\w/-])")
