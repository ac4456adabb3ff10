"""A request, and an example phrase, as the same bag of features: words with typed holes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agent.offline.grammar import words as lexicon
from agent.offline.mentions import Mention
from agent.offline.slots import durations, identifiers, metrics
from agent.offline.spelling import Speller
from agent.offline.text import HAN, Span
from agent.offline.text import pattern as compiled
from agent.offline.traditional import TERMS

HOLES: dict[str, str] = {
    "name": "NAME",
    "window": "TIME",
    "fraction": "SHARE",
    "count": "NUM",
    "number": "NUM",
    "version": "NUM",
    "revision": "NUM",
    "gpu": "NUM",
    "xid": "NUM",
    "action": "NUM",
    "sample": "NUM",
    "points": "NUM",
    "factor": "NUM",
    "metric": "METRIC",
    "alias": "ALIAS",
    "quoted": "TEXT",
    "text": "TEXT",
    "params": "PARAMS",
    "when": "WHEN",
}
"""Kind of mention, or word of a parameter, → the hole it leaves. Other words are names."""

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
ORDINARY = lexicon("ordinary")
"""Common words; never names, however few phrases use them."""
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


def hole(word: str) -> str:
    """The hole an argument of this word leaves in a phrase."""
    return HOLES.get(word, "NAME")


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


def measured(low: str) -> str:
    """The same for a phrase: the times, metrics and aliases that it names itself."""
    found = [("METRIC", span, value) for span, value, _ in metrics.find(low)]
    found += [("TIME", span, "") for span, _ in durations.find(low)]
    found += [("ALIAS", span, "") for span, _ in identifiers.aliases(low)]
    taken: list[tuple[str, Span, str]] = []
    for one in sorted(found, key=lambda f: f[1].start - f[1].end):
        if not any(one[1].overlaps(other) for _, other, _ in taken):
            taken.append(one)
    text = low
    for mask, span, _ in sorted(taken, key=lambda t: -t[1].start):
        text = f"{text[: span.start]} {mask} {text[span.end :]}"
    return text + "".join(f" {MEASURE}{value}" for _, _, value in taken if value)


def words(masked_text: str, speller: Speller | None = None) -> list[str]:
    """Stems of the words, holes, and runs of Han characters with terms made alike."""
    text = masked_text
    for pattern, plain in _CONTRACTIONS:
        text = pattern.sub(plain, text)
    text = _FILLER.sub(" ", text)
    for spoken, plain in TERMS:
        if spoken in text:
            text = text.replace(spoken, plain)
    text = _PRONOUN.sub(" NAME ", text)
    raw = _TOKEN.findall(text)
    if speller:
        raw = [
            speller.correct(token) if token.isascii() and token.islower() else token
            for token in raw
        ]
    return [stem(token) for token in _joined(raw, speller)]


def _joined(raw: Sequence[str], speller: Speller | None) -> list[str]:
    """``roll out`` and ``un-cordon`` become the one word the phrases know."""
    joined: list[str] = []
    for token in raw:
        pair = joined[-1] + token if joined else ""
        if pair in COMPOUNDS or (speller and len(pair) > 5 and pair.islower() and pair in speller):
            joined[-1] = pair
        else:
            joined.append(token)
    return joined


COMPOUNDS = frozenset(
    {
        "rollout",
        "rollback",
        "uncordon",
        "unpause",
        "unmute",
        "unsilence",
        "unschedule",
        "bluegreen",
        "hyperparameter",
        "hyperparameters",
        "unfreeze",
        "rolledout",
        "rolledback",
        "rollingout",
        "rollingback",
    }
)
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


def features(tokens: Iterable[str]) -> list[str]:
    """Words, pairs of neighbours, and characters and character pairs of Han runs."""
    out: list[str] = []
    before = "^"
    for token in tokens:
        if token.startswith(MEASURE):
            out.append(token)
        elif token[0] > "\u2fff":
            out += token
            out += (token[i : i + 2] for i in range(len(token) - 1))
            out.append(f"{before} {token[0]}")
            before = token[-1]
        else:
            out += (token, f"{before} {token}")
            before = token
    return out
