"""Typing errors: an edit distance with transpositions, and words found within one or two edits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property


def distance(a: str, b: str, most: int) -> int:
    """Optimal string alignment distance, or ``most + 1`` when it is larger."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, char in enumerate(a, 1):
        above, before = before, row
        row = [i]
        for j, other in enumerate(b, 1):
            cost = before[j - 1] + (char != other)
            cost = min(cost, before[j] + 1, row[j - 1] + 1)
            if above and j > 1 and char == b[j - 2] and a[i - 2] == other:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


class Speller:
    """Finds the known word a mistyped one stands for, the most frequent one when several fit.

    Every known word is filed under itself with one letter left out (symmetric deletes), so a
    look-up touches a few candidates instead of the vocabulary.
    """

    def __init__(self, words: Mapping[str, int]) -> None:
        self._known = frozenset(words)
        self._often = words

    @cached_property
    def _filed(self) -> dict[str, list[str]]:
        filed: dict[str, list[str]] = defaultdict(list)
        for word in self._known:
            if len(word) >= 4:
                for form in _shortened(word):
                    filed[form].append(word)
        return filed

    def __contains__(self, word: str) -> bool:
        return word in self._known

    def correct(self, word: str) -> str:
        """The known word within one edit (two for long ones), or the word itself."""
        if word in self._known or len(word) < 3 or not word.isalpha():
            return word
        most = 1 if len(word) < 7 else 2
        found = {w for form in _shortened(word) for w in self._filed.get(form, ())}
        ranked = sorted(
            (distance(word, w, most), w[0] != word[0], -self._often[w], w)
            for w in found
            if len(word) > 3 or len(w) > 3
        )
        good = [r for r in ranked if r[0] <= most]
        return good[0][3] if good else word


def _shortened(word: str) -> set[str]:
    return {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}
