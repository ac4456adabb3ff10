"""Which tool a request means: naive Bayes over the example phrases, and the nearest phrase.

Both are closed forms over the declarations, so nothing is trained or shipped. Naive Bayes ranks
(it pools the words of all phrases of a tool), the nearest phrase measures how sure that is (cosine
similarity in 0..1, lowered by words that no phrase has).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.offline.features import MEASURE, features
from agent.offline.index import SMOOTHING, Index, weigh


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


class Scorer:
    """Scores every label for the tokens of a clause."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._most = 1 + math.log(1 + len(index.phrases))

    def rank(self, tokens: Iterable[str]) -> list[Guess]:
        """All labels, best first."""
        index = self._index
        bag = Counter(features(tokens))
        weights = weigh(bag, index.features, index.idf)
        coverage = self._coverage(bag)
        scores, near, anchors = self._bayes(weights), self._nearest(weights), self._anchors(bag)
        telling = [f for f in bag if _telling(f) and f.isascii()]
        guesses: list[Guess] = []
        for number, name in enumerate(index.labels):
            similarity, phrase = near.get(number, (0.0, -1))
            foreign = any(not self._knows(number, f) for f in telling)
            said = index.phrases[phrase] if phrase >= 0 else ""
            anchor = anchors.get(number, 0.0)
            guesses.append(
                Guess(name, scores[number], similarity * coverage, said, anchor, foreign)
            )
        return sorted(guesses, key=lambda g: -g.score - g.anchor)

    def _coverage(self, bag: Mapping[str, int]) -> float:
        """Share of the request that the phrases know at all, 0..1."""
        index = self._index
        unseen = sum(n for f, n in bag.items() if f not in index.features and _plain(f))
        known = sum(
            (index.idf[index.features[f]] * (1 + math.log(n))) ** 2
            for f, n in bag.items()
            if f in index.features
        )
        return math.sqrt(known / (known + unseen * (0.5 * self._most) ** 2)) if known else 0.0

    def _bayes(self, weights: Mapping[int, float]) -> list[float]:
        postings, mass = self._index.by_label, sum(weights.values())
        scores = [-mass * total for total in self._index.totals]
        for feature, weight in weights.items():
            for at in range(postings.start[feature], postings.start[feature + 1]):
                scores[postings.owner[at]] += weight * postings.weight[at]
        return scores

    def _nearest(self, weights: Mapping[int, float]) -> dict[int, tuple[float, int]]:
        postings, of_label = self._index.by_phrase, self._index.of_label
        similar: dict[int, float] = {}
        for feature, weight in weights.items():
            run = slice(postings.start[feature], postings.start[feature + 1])
            for phrase, other in zip(postings.owner[run], postings.weight[run], strict=True):
                similar[phrase] = similar.get(phrase, 0.0) + weight * other
        best: dict[int, tuple[float, int]] = {}
        for phrase, value in similar.items():
            owner = of_label[phrase]
            if owner not in best or value > best[owner][0]:
                best[owner] = (value, phrase)
        return best

    def _row(self, feature: str) -> dict[int, float]:
        """How much of a feature each label has."""
        number = self._index.features.get(feature)
        if number is None:
            return {}
        postings = self._index.by_label
        run = slice(postings.start[number], postings.start[number + 1])
        weights = (SMOOTHING * math.expm1(w) for w in postings.weight[run])
        return dict(zip(postings.owner[run], weights, strict=True))

    def _knows(self, owner: int, feature: str) -> bool:
        number = self._index.features.get(feature)
        if number is None:
            return False
        postings = self._index.by_label
        return owner in postings.owner[postings.start[number] : postings.start[number + 1]]

    def _anchors(self, bag: Iterable[str]) -> dict[int, float]:
        best: dict[int, float] = {}
        for feature in bag:
            row = self._row(feature) if _telling(feature) else {}
            total = sum(row.values())
            for owner, weight in row.items():
                best[owner] = max(best.get(owner, 0.0), weight / total)
        return best


def _plain(feature: str) -> bool:
    """A word or character, as it was said."""
    return " " not in feature and not feature.startswith(MEASURE)


def _telling(feature: str) -> bool:
    """A word or a pair of Han characters; no hole, no pair of words, no single character."""
    return _plain(feature) and not feature.isupper() and len(feature) >= 2
