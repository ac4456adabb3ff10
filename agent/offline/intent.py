"""Which tool a request means: naive Bayes over the example phrases, and the nearest phrase.

Both are closed forms over the declarations, so nothing is trained or shipped; building takes a
fraction of a tenth of a second. Naive Bayes ranks (it pools the words of all phrases of a tool),
the nearest phrase measures how sure that is (cosine similarity in 0..1).
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args, get_origin

from agent.offline.examples import all_phrases
from agent.offline.features import features, hole, words
from agent.offline.text import fold
from tools.contract import Parameter, Phrases, Tool

_SLOT = re.compile(r"\{(\w+)\}")
_SMOOTHING = 0.1


@dataclass(frozen=True, slots=True)
class Label:
    """Something a request can mean: a tool, or a reply that needs none."""

    name: str
    phrases: Phrases
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Guess:
    """One label with its log score and its similarity to the nearest phrase."""

    label: str
    score: float
    similarity: float
    phrase: str = ""
    anchor: float = 0.0
    """How much the most telling word of the request belongs to this label, 0..1."""
    foreign: bool = False
    """Is there a telling word that no phrase of this label has?"""


def label(tool: Tool) -> Label:
    """A tool as a label."""
    return Label(tool.name, all_phrases(tool.name, tool.phrases), tool.parameters)


def choices(parameter: Parameter) -> tuple[str, ...]:
    """The values of a closed argument, or nothing."""
    return tuple(str(v) for v in _literal(parameter.annotation))


def _literal(annotation: object) -> tuple[object, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    for inner in get_args(annotation):
        found = _literal(inner)
        if found:
            return found
    return ()


def template(phrase: str, parameters: Mapping[str, Parameter]) -> str:
    """An example phrase with typed holes, folded like a request."""

    def put(match: re.Match[str]) -> str:
        parameter = parameters.get(match[1])
        if parameter is None:
            return " NAME "
        return " " if choices(parameter) else f" {hole(parameter.word)} "

    parts = re.split(r"(\{\w+\})", phrase)
    return "".join(_SLOT.sub(put, part) if part.startswith("{") else fold(part) for part in parts)


@dataclass(slots=True)
class _Index:
    """Inverted index: feature → where it occurs and how heavy it is."""

    idf: dict[str, float] = field(default_factory=dict[str, float])
    by_label: dict[str, dict[int, float]] = field(default_factory=dict[str, dict[int, float]])
    by_phrase: dict[str, list[tuple[int, float]]] = field(
        default_factory=dict[str, list[tuple[int, float]]]
    )


def _telling(feature: str) -> bool:
    """A word or a pair of Han characters; no hole, no pair of words, no single character."""
    if " " in feature or feature.isupper():
        return False
    return len(feature) >= 2


class Scorer:
    """Scores every label for the tokens of a clause."""

    def __init__(self, labels: Sequence[Label]) -> None:
        self._names = [item.name for item in labels]
        self._phrases: list[str] = []
        self._owner: list[int] = []
        bags: list[Counter[str]] = []
        self.vocabulary: Counter[str] = Counter()
        for number, item in enumerate(labels):
            parameters = {p.name: p for p in item.parameters}
            for phrase in (*item.phrases.en, *item.phrases.zh):
                folded = template(phrase, parameters)
                self.vocabulary.update(re.findall(r"[a-z]{2,}", folded))
                bags.append(Counter(features(words(folded))))
                self._owner.append(number)
                self._phrases.append(phrase)
        self._index = _Index()
        self._totals: list[float] = [0.0] * len(labels)
        self._build(bags)

    def _build(self, bags: Sequence[Counter[str]]) -> None:
        index, count = self._index, len(bags)
        seen: Counter[str] = Counter()
        for bag in bags:
            seen.update(bag.keys())
        index.idf = {f: math.log((1 + count) / (1 + n)) + 1 for f, n in seen.items()}
        label_weights: dict[str, dict[int, float]] = defaultdict(dict)
        for number, bag in enumerate(bags):
            weights = self._weigh(bag)
            owner = self._owner[number]
            for feature, weight in weights.items():
                index.by_phrase.setdefault(feature, []).append((number, weight))
                row = label_weights[feature]
                row[owner] = row.get(owner, 0.0) + weight
                self._totals[owner] += weight
        index.by_label = {
            f: {o: math.log1p(w / _SMOOTHING) for o, w in row.items()}
            for f, row in label_weights.items()
        }
        size = _SMOOTHING * len(index.idf)
        self._totals = [math.log(total + size) for total in self._totals]

    def _weigh(self, bag: Mapping[str, int]) -> dict[str, float]:
        idf = self._index.idf
        weights = {f: (1 + math.log(n)) * idf[f] for f, n in bag.items() if f in idf}
        norm = math.sqrt(sum(w * w for w in weights.values())) or 1.0
        return {f: w / norm for f, w in weights.items()}

    def rank(self, tokens: Iterable[str]) -> list[Guess]:
        """All labels, best first. Features no phrase has count against the similarity only."""
        bag = Counter(features(tokens))
        weights = self._weigh(bag)
        unseen = sum(n for f, n in bag.items() if f not in self._index.idf and " " not in f)
        top_idf = 1 + math.log(1 + len(self._phrases))
        known = sum((self._index.idf[f] * (1 + math.log(bag[f]))) ** 2 for f in weights)
        coverage = math.sqrt(known / (known + unseen * (0.5 * top_idf) ** 2)) if known else 0.0
        scores, near, anchors = self._bayes(weights), self._nearest(weights), self._anchors(weights)
        guesses = [
            Guess(
                name,
                scores[i],
                near[i][0] * coverage,
                self._phrases[near[i][1]] if near[i][0] else "",
                anchors.get(i, 0.0),
                self._foreign(bag, i),
            )
            for i, name in enumerate(self._names)
        ]
        return sorted(guesses, key=lambda g: -g.score - g.anchor)

    def _foreign(self, bag: Mapping[str, int], owner: int) -> bool:
        return any(
            _telling(f) and f.isascii() and owner not in self._index.by_label.get(f, {}) for f in bag
        )

    def _anchors(self, weights: Mapping[str, float]) -> dict[int, float]:
        best: dict[int, float] = {}
        for feature in weights:
            if not _telling(feature):
                continue
            row = {o: math.expm1(w) for o, w in self._index.by_label[feature].items()}
            total = sum(row.values())
            for owner, weight in row.items():
                best[owner] = max(best.get(owner, 0.0), weight / total)
        return best

    def _bayes(self, weights: Mapping[str, float]) -> list[float]:
        mass = sum(weights.values())
        scores = [-mass * total for total in self._totals]
        for feature, weight in weights.items():
            for owner, evidence in self._index.by_label[feature].items():
                scores[owner] += weight * evidence
        return scores

    def _nearest(self, weights: Mapping[str, float]) -> list[tuple[float, int]]:
        similar: dict[int, float] = defaultdict(float)
        for feature, weight in weights.items():
            for number, other in self._index.by_phrase[feature]:
                similar[number] += weight * other
        best: list[tuple[float, int]] = [(0.0, 0)] * len(self._names)
        for number, value in similar.items():
            owner = self._owner[number]
            if value > best[owner][0]:
                best[owner] = (value, number)
        return best
