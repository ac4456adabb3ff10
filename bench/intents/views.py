"""Requests as the model will see them: with the names of the fleet listed, and with none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from zlib import crc32

from joblib import Parallel, delayed

from agent.offline import declared
from agent.offline.features import View, view
from agent.offline.grammar import rule
from agent.offline.lexicon import Lexicon
from agent.offline.mentions import find
from agent.offline.names import Gazetteer, Names
from agent.offline.text import read
from bench.intents import corpus
from bench.intents.corpus import Sample
from bench.intents.fit import Example
from tools.catalog import TOOLS

_WORD = re.compile(r"(?<![\w#@./:-])[a-z]{2,}(?![\w@/:-])")


def vocabulary(samples: Sequence[Sample]) -> dict[str, int]:
    """Latin words that are no names, with how often."""
    counted: Counter[str] = Counter()
    for sample in samples:
        low = read(sample.text).low
        names = " ".join(n for kind in sample.names.entries().values() for e in kind for n in e)
        own = set(re.findall(r"[a-z]+", names.lower())) | corpus.plain_names()
        counted.update(w for w in set(_WORD.findall(low)) if w not in own or _usual(w))
    return {word: n for word, n in sorted(counted.items()) if n >= 2}


def _usual(word: str) -> bool:
    return word in ("production", "staging", "node", "gpu", "cpu", "model", "alerts", "job")


def lexicon(words: dict[str, int]) -> Lexicon:
    """The words of requests, and the values of closed arguments."""
    values = {v.lower() for t in TOOLS for p in t.parameters for v in declared.choices(p)}
    return Lexicon(words, values)


def seen(text: str, gazetteer: Gazetteer, words: Lexicon) -> View:
    """One request with the names of a fleet listed."""
    message = read(text)
    return view(message.low, find(message, gazetteer, words.words, words.strange))


_RULES = ("negation", "condition")


def worded(samples: Iterable[Sample]) -> dict[str, dict[str, float]]:
    """For each rule the tools some of whose requests it fits, with their share."""
    total: Counter[str] = Counter()
    fitting: dict[str, Counter[str]] = {name: Counter() for name in _RULES}
    for sample in samples:
        if len(sample.labels) == 1:
            total.update(sample.labels)
            low = read(sample.text).low
            for name in _RULES:
                fitting[name].update(sample.labels if rule(name).search(low) else ())
    return {
        name: {
            tool: round(n / total[tool], 4) for tool, n in sorted(found.items()) if tool[0] != "@"
        }
        for name, found in fitting.items()
    }


_NONE = Names()
_PROCESSES, _SHARES = 4, 16


def examples(samples: Sequence[Sample], words: Lexicon) -> list[Example]:
    """Two views of each request somebody wrote, one of each that was put together."""
    known = [s for s in samples if "@?" not in s.labels]
    size = max(1, len(known) // _SHARES + 1)
    parts = [known[at : at + size] for at in range(0, len(known), size)]
    found = Parallel(n_jobs=_PROCESSES)(delayed(_examples)(part, words) for part in parts)
    return [example for part in found for example in part]


def _examples(samples: Sequence[Sample], words: Lexicon) -> list[Example]:
    found: list[Example] = []
    known = {id(names): Gazetteer(names) for names in _fleets(samples)}
    for sample in samples:
        fleets = (sample.names, _NONE)
        if sample.weight < 1:
            fleets = (fleets[crc32(sample.text.encode()) % 2],)
        views = {seen(sample.text, known[id(names)], words) for names in fleets}
        share = sample.weight / len(views)
        found += [
            Example(v, sample.labels, share, sample.by)
            for v in sorted(views, key=lambda v: (v.text, sorted(v.marks)))
        ]
    return found


def _fleets(samples: Sequence[Sample]) -> list[Names]:
    return list({id(names): names for names in (_NONE, *(s.names for s in samples))}.values())
