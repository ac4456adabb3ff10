"""Names that stand in several namespaces: ``east 跟 south 的 grader``, ``both llm-gateway deployments``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from agent.offline.mention import Mention
from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_BUT = compiled(r"\b(?:not|but|except|without|instead)\b|n't\b|别|不(?!同)|除")
"""One of the namespaces is spared: then no list of them is meant."""
_JOINT = compiled(
    r"/?\s*(?:环境|命名空间|namespaces?|那边|里|上|的)?\s*"
    r"(?:,|、|&|\+|/|\band\b|\bplus\b|\bthen\b|和|跟|与|及|后|再|还有|以及|\s)+\s*(?:the |in |on |先|再)?"
)
"""Between the namespaces of a list."""
_NEAR = 40
"""Characters after the last namespace in which it may be spared."""
_ALL = compiled(r"(?:\b(?:both|all)(?: of)?(?: the| our)?|[两三]个|所有的?|全部的?)\s*$")
"""Before the name: wherever it stands."""


def several(low: str, mentions: Sequence[Mention]) -> list[Mention]:
    """The mentions, with one name in several places as a list where several places are meant."""
    taken = [m.span for m in mentions]
    return [_placed(low, m, taken) if m.kind == "name" and not m.also else m for m in mentions]


def _placed(low: str, mention: Mention, taken: Sequence[Span]) -> Mention:
    options = mention.means.get("deployment", ())
    if len(options) < 2 or len({o.rsplit("/", 1)[-1] for o in options}) > 1:
        return mention
    said = sorted((at, o) for o in options if (at := _said(low, o, taken)) is not None)
    if len(said) > 1:
        ends = [Span(at, at + len(option.split("/")[0])) for at, option in said]
        listed = all(_JOINT.fullmatch(low[a.end : b.start]) for a, b in pairwise(ends))
        spared = _BUT.search(low[ends[0].start : ends[-1].end + _NEAR])
        meant = [option for _, option in said] if listed and not spared else []
    else:
        meant = list(options) if not said and _ALL.search(low[: mention.span.start]) else []
    each = [replace(mention, value=o, means={**mention.means, "deployment": (o,)}) for o in meant]
    return replace(each[0], also=tuple(each[1:])) if each else mention


def _said(low: str, option: str, taken: Sequence[Span]) -> int | None:
    """Where the namespace of a name is said, apart from any name."""
    if "/" not in option:
        return None
    space = re.escape(option.split("/")[0].lower())
    found = (Span(*m.span()) for m in compiled(rf"(?<![\w/-]){space}/?(?![\w-])").finditer(low))
    return next((s.start for s in found if not any(s.overlaps(t) for t in taken)), None)
