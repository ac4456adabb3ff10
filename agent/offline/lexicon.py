"""The words of requests, in any form: what is none of them may be a name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.offline.grammar import words
from agent.offline.spelling import Speller
from agent.offline.wording import stem

_ORDINARY = words("ordinary")
"""Common words; never names, however few requests use them."""
_USED = 3
"""Requests in which a word must stand to be no part of a name."""
_COMMON = 10
"""Requests that use a word before another is taken for a typing error of it."""


class Lexicon:
    """Known words: those of requests with how often, and the values of closed arguments."""

    def __init__(self, vocabulary: Mapping[str, int], values: Iterable[str]) -> None:
        values = frozenset(values)
        self.words = frozenset({*(w for w, n in vocabulary.items() if n >= _USED), *values})
        self._heard = frozenset({*vocabulary, *values})
        self._stems = frozenset(map(stem, self._heard))
        self._speller = Speller({word: n for word, n in vocabulary.items() if n >= _COMMON})

    def strange(self, word: str) -> bool:
        """No word of any request, in no form and with no typing error."""
        return (
            word not in self._heard
            and word not in _ORDINARY
            and stem(word) not in self._stems
            and self._speller.correct(word) == word
        )
