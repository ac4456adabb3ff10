"""Whether what a language model wrote stands in the facts it was given. Pure.

Every time, number and name of the text must occur in the facts; a number on a line that shares a
word with the sentence it is used in, so that a true number does not carry a false sentence. What it
cannot see: a false word between true ones. The verdict (all is well) must be that of the facts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tools.contract import Json

_TIME = re.compile(r"(?<![\d:])\d{1,2}:\d{2}(?::\d{2})?(?![\d:])|\b\d{4}-\d{2}-\d{2}\b")
_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?![\w.]*\w[.\w]*@)")
_IDENTIFIER = re.compile(
    r"(?<![\w.])(?:[A-Za-z][\w./-]*[_/][\w./-]*\w|[A-Za-z][\w-]*\d[\w.-]*|[A-Z][a-z]+[A-Z]\w+|"
    r"[A-Z]{3,}\b)"
)
_QUOTED = re.compile(r"`([^`\n]+)`")
_VERB = r"(?:approved|rejected|requested|proposed|confirmed|acknowledged|asked for|decided|taken)"
_BY = re.compile(rf"\b{_VERB} by (\w[\w.-]*)")
_SUBJECT = re.compile(rf"\b(\w[\w.-]*) (?:has )?{_VERB}\b(?! by)")
_CAPITAL = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}\b")
_LATIN_IN_HAN = re.compile(
    r"(?<![\w.])[A-Za-z][\w-]*(?=\s?[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])\s?[A-Za-z][\w-]*"
)
_SENTENCE = re.compile(r"(?<=[.;!?])\s+|[。；！？]|\n")
_WELL = re.compile(
    r"\b(?:all|everything) (?:is|looks|runs) (?:well|fine|healthy|good|normal)|"
    r"nothing is (?:wrong|unhealthy)|一切(?:正常|良好)|全部正常",
    re.IGNORECASE,
)
_ILL = re.compile(r"not all is well|并非一切正常", re.IGNORECASE)
_WORD = re.compile(r"[a-z]{3,}")
_ENDING = re.compile(r"(?<=\w{3})(?:ing|ied|ies|ed|es|e|s|y)$")
_HAN = re.compile(r"[\u4e00-\u9fff]+")


def _list(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_COUNTS = {
    word: n + 2
    for n, word in enumerate(_list("two three four five six seven eight nine ten eleven twelve"))
}
_COMMON = frozenset(
    _list(
        "the and was for with from has are not all its this that then been had were now out who "
        "what which when than there here have will done also more over into about after before "
        "since last first second time times"
    )
)
_NOBODY = frozenset(
    _list("was were is be been a an the it them hand itself not and steward people")
)
_OWN = frozenset(_list("gpu cpu api utc cest cet slo ram"))


@dataclass(frozen=True, slots=True)
class Facts:
    """What a model was given, in lines."""

    lines: tuple[str, ...]
    names: frozenset[str] = frozenset()
    """Names of the fleet: each counts as a name wherever it is written."""
    _words: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    @classmethod
    def of(cls, texts: Sequence[str], data: Sequence[Json], names: Collection[str] = ()) -> Facts:
        """From findings: as they were said, and as plain data."""
        told = [line for text in texts for line in re.split(r"[;；\n]", text.replace("\n  ", " "))]
        kept = (*told, *(leaf for one in data for leaf in _leaves(one)))
        lines = tuple(line.casefold() for line in kept if line.strip())
        folded = frozenset(name.casefold() for name in names)
        return cls(lines, folded, {line: _words(line) for line in lines})

    @property
    def words(self) -> frozenset[str]:
        """Every word of the facts."""
        return frozenset(word for words in self._words.values() for word in words)

    def has(self, phrase: str) -> bool:
        """Whether a time or a name occurs as a whole."""
        edge = re.compile(rf"(?<!\w){re.escape(phrase.casefold())}(?!\w)")
        return any(edge.search(line) for line in self.lines)

    def has_number(self, said: str, value: float, words: frozenset[str]) -> bool:
        """Whether a number stands on a line about the same thing."""
        about = (line for line in self.lines if not words or words & self._words[line])
        return any(_same(said, value, found) for line in about for found in _numbers(line))


def ungrounded(text: str, facts: Facts) -> list[str]:
    """What of ``text`` the facts do not say, in order; empty when all of it stands in them."""
    plain = re.sub(r"^\s*(?:[-*•]|#+|\d+[.)])\s+", "", text.replace("**", ""), flags=re.MULTILINE)
    found = list(_verdict(plain, facts))
    for sentence in _SENTENCE.split(plain):
        found += _in_sentence(sentence, facts)
    return list(dict.fromkeys(found))


def _verdict(text: str, facts: Facts) -> Iterator[str]:
    ill = any(_ILL.search(line) for line in facts.lines)
    claim = _WELL.search(_ILL.sub(" ", text))
    if ill and claim:
        yield claim[0]


def _in_sentence(sentence: str, facts: Facts) -> Iterator[str]:
    rest = sentence
    for time in _TIME.findall(sentence):
        if not facts.has(time) and not any(f"{time}:" in line for line in facts.lines):
            yield time
    rest = _TIME.sub(" ", rest)
    named = dict.fromkeys(_names(rest, facts.names))
    yield from (name for name in named if not facts.has(name))
    words = _words(sentence) & facts.words  # none of them where the facts are in another language
    for said, value in _said_numbers(_IDENTIFIER.sub(" ", rest)):
        if not facts.has_number(said, value, words):
            yield said


def _names(sentence: str, fleet: Collection[str]) -> Iterator[str]:
    yield from _QUOTED.findall(sentence)
    for pattern in (_IDENTIFIER, _CAPITAL, _LATIN_IN_HAN):
        found = (name.strip() for name in pattern.findall(sentence))
        yield from (name for name in found if name.casefold() not in _OWN | _NOBODY)
    for who in (*_BY.findall(sentence), *_SUBJECT.findall(sentence)):
        if who.rstrip(".").casefold() not in _NOBODY and not who.isdecimal():
            yield who.rstrip(".")
    folded = sentence.casefold()
    yield from (n for n in fleet if re.search(rf"(?<!\w){re.escape(n)}(?!\w)", folded))


def _said_numbers(sentence: str) -> Iterator[tuple[str, float]]:
    for found in _NUMBER.finditer(sentence):
        percent = sentence[found.end() :].lstrip().startswith("%")
        said = found[0].rstrip(",")
        yield f"{said} %" if percent else said, float(said.replace(",", ""))
    for word in re.findall(r"[a-z]+", sentence.casefold()):
        if word in _COUNTS:
            yield word, float(_COUNTS[word])


def _same(said: str, value: float, fact: float) -> bool:
    """Equal, or rounded to as many digits as were said; a share may be said in percent."""
    digits = len(said.partition(".")[2].split()[0]) if "." in said else 0
    scales = (1.0, 100.0) if said.endswith("%") else (1.0,)
    exact = not digits and not said.endswith("%")
    return any(
        abs(fact * scale - value) < 1e-9
        if exact
        else abs(round(fact * scale, digits) - value) < 1e-9
        for scale in scales
    )


def _numbers(line: str) -> Iterator[float]:
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", line)
    yield from (float(found) for found in re.findall(r"\d+(?:\.\d+)?", plain))


def _words(text: str) -> frozenset[str]:
    """Words without their endings, so that "rolled" and "roll" meet; Han by pairs."""
    folded = text.casefold()
    latin = {_ENDING.sub("", word) for word in _WORD.findall(folded) if word not in _COMMON}
    han = {run[n : n + 2] for run in _HAN.findall(folded) for n in range(len(run) - 1)}
    return frozenset(latin | han)


def _leaves(value: Json, path: str = "") -> Iterator[str]:
    """One line a leaf of plain data, beside what it is part of."""
    if isinstance(value, Mapping):
        beside = " ".join(str(v) for v in value.values() if isinstance(v, str) and len(v) < 200)
        for key, inner in value.items():
            yield from _leaves(inner, f"{path} {key.replace('_', ' ')} {beside}"[-400:])
    elif isinstance(value, list):
        yield f"{path} {len(value)}"
        for inner in value:
            yield from _leaves(inner, path)
    elif value is not None:
        yield f"{path} {value}"
