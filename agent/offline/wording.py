"""A request as grammar sees it: words in their simplest form, with typed holes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.offline.mention import Mention
from agent.offline.text import HAN
from agent.offline.text import pattern as compiled
from agent.offline.traditional import TERMS

HOLES: dict[str, str] = {
    "name": "NAME",
    "window": "TIME",
    "fraction": "SHARE",
    "count": "NUM",
    "version": "NUM",
    "revision": "NUM",
    "gpu": "NUM",
    "xid": "NUM",
    "action": "NUM",
    "sample": "NUM",
    "metric": "METRIC",
    "alias": "ALIAS",
    "quoted": "TEXT",
    "params": "PARAMS",
}
"""Kind of mention → the hole it leaves. Others are names."""

MEASURE = "m="
"""Marks which metric was named, beside the hole it leaves."""
_TOKEN = compiled(rf"m=[a-z0-9_]+|[A-Z]+|[a-z0-9]+(?:'[a-z]+)?|[{HAN}]+|[?]")
_FILLER = compiled(
    r"\b(?:hi|hey|hello|please|pls|plz|kindly|thanks?(?: you)?|thx|cheers|asap|immediately|right away|"
    r"(?<!what )(?<!how )(?<!which )(?<!where )(?<!who )(?<!when )(?:can|could|would|will) (?:you|u|we|i)(?: (?:please|maybe))?|would you mind|i(?:'d| would) (?:like|love)(?: you)? to|"
    r"i (?:want|need)(?: you)? to|we (?:want|need) to|i need you to|go ahead and|let's|lets|let us|just|quickly|"
    r"for me|now|right now|atm|rn|at the moment|at once|again please|ok|okay|so|well|alright|actually|kinda|really)\b"
    r"|请问|请你?|麻烦(?:你|帮忙|您)?|帮(?:我|忙|我们)|劳驾|拜托|谢谢(?:啦|了|你)?|一下|呗|吧|啊|呀|哈|哦|嘛|赶紧|马上|立刻|尽快|现在|目前|当前|你(?!是|能|会|背后|叫|用|的|都|听|改|有|做|干|懂|自己)|我们|咱们|给我|我(?:想|要)|先(?!前)|那个|这个"
)
_CONTRACTIONS = (
    (compiled(r"\b(what|who|where|how|why|when|that|it|there|he|she)'?s\b"), r"\1 is"),
    (compiled(r"\bgimme\b"), "give me"),
    (compiled(r"\b(?:y|y's)\b"), "why"),
    (compiled(r"\b(\w+)'s\b"), r"\1"),
)
_PRONOUN = compiled(r"\b(?:it|them|this one|that one)\b|它")
_SUFFIXES = (
    "ational",
    "ations",
    "ation",
    "ings",
    "ing",
    "edly",
    "ied",
    "ies",
    "ed",
    "es",
    "ly",
    "s",
)


def masked(low: str, mentions: Sequence[Mention]) -> str:
    """The folded text with holes where the mentions were."""
    pieces: list[str] = []
    at = 0
    for mention in sorted(mentions, key=lambda m: m.core.start):
        start = mention.core.start
        if start < at:
            continue
        if mention.kind == "version" and low[max(0, start - 1) : start] == "v" and start - 1 >= at:
            start -= 1
        pieces += [low[at:start], " ", HOLES.get(mention.kind, "NAME"), " "]
        at = mention.core.end
    named = (one for m in mentions if m.kind == "metric" for one in (m, *m.also))
    measures = [f" {MEASURE}{m.value}" for m in named]
    return "".join((*pieces, low[at:], *measures))


def words(masked_text: str) -> list[str]:
    """Stems of the words, holes, and runs of Han characters with terms made alike."""
    text = masked_text
    for pattern, plain in _CONTRACTIONS:
        text = pattern.sub(plain, text)
    text = _FILLER.sub(" ", text)
    for spoken, plain in TERMS:
        if spoken in text:
            text = text.replace(spoken, plain)
    return [stem(token) for token in _TOKEN.findall(_PRONOUN.sub(" NAME ", text))]


_IRREGULAR = {
    "rolledout": "rollout",
    "rollingout": "rollout",
    "rolledback": "rollback",
    "rollingback": "rollback",
    "rollouts": "rollout",
    "rollbacks": "rollback",
    "ran": "run",
    "running": "run",
    "went": "go",
    "going": "go",
    "happened": "happen",
    "whats": "what",
    "hows": "how",
    "whos": "who",
    "whys": "why",
    "has": "have",
    "had": "have",
    "did": "do",
    "does": "do",
    "are": "is",
    "was": "is",
    "were": "is",
    "been": "is",
    "be": "is",
    "im": "i",
}


def stem(token: str) -> str:
    """A crude English stem, enough to file ``quantising`` with ``quantize``."""
    if not token.isascii() or not token.islower() or len(token) < 4 or token.startswith(MEASURE):
        return _IRREGULAR.get(token, token)
    if token in _IRREGULAR:
        return _IRREGULAR[token]
    for suffix in _SUFFIXES:
        if token.endswith(suffix) and len(token) - len(suffix) >= 3:
            token = token[: -len(suffix)]
            break
    if len(token) > 4 and token[-1] == token[-2] and token[-1] not in "sl":
        token = token[:-1]
    token = token[:-1] if token.endswith("e") and len(token) > 3 else token
    return re.sub(r"is$", "iz", token) if len(token) > 5 else token
