"""The example phrases as an inverted index of flat arrays; built once, then read from a file."""

from __future__ import annotations

import hashlib
import json
import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.offline import examples
from agent.offline.cues import Cues, collect
from agent.offline.declared import Label, holes, template
from agent.offline.features import features, measured, words

SMOOTHING = 0.1
"""Additive smoothing of naive Bayes, in units of one normalised phrase."""
_FORMAT = 5


@dataclass(slots=True)
class Postings:
    """For each feature a run of (owner, weight): ``start[f]`` to ``start[f + 1]``."""

    start: array[int] = field(default_factory=lambda: array("I", [0]))
    owner: array[int] = field(default_factory=lambda: array("H"))
    weight: array[float] = field(default_factory=lambda: array("f"))

    def add(self, row: Sequence[tuple[int, float]]) -> None:
        """Append the run of the next feature."""
        self.owner.extend(o for o, _ in row)
        self.weight.extend(w for _, w in row)
        self.start.append(len(self.owner))


@dataclass(slots=True)
class Index:
    """Everything the planner learns from phrases."""

    labels: list[str]
    features: dict[str, int]
    vocabulary: dict[str, int]
    """Latin words of the phrases, with how often."""
    phrases: list[str]
    cues: Cues
    idf: array[float]
    of_label: array[int]
    """Phrase → label."""
    totals: array[float]
    """Label → log of its smoothed mass."""
    by_label: Postings
    """Weights are ``log(1 + mass / SMOOTHING)``."""
    by_phrase: Postings
    """Weights of unit vectors."""


def obtain(labels: Sequence[Label], folder: Path | None) -> Index:
    """The index of these labels, from ``folder`` when it was built before, else built and kept.

    A file that cannot be read or written only costs time.
    """
    if folder is None:
        return build(labels)
    path = folder / f"understanding-{_key(labels)}.bin"
    try:
        return _loads(path.read_bytes())
    except (OSError, ValueError, KeyError, EOFError):
        index = build(labels)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(_dumps(index))
        fresh.replace(path)
    except OSError:
        pass
    return index


def build(labels: Sequence[Label]) -> Index:
    """Count every phrase of every label."""
    bags, owners, phrases = _bags(labels)
    vocabulary: Counter[str] = Counter()
    for _, low in phrases:
        vocabulary.update(
            w
            for w in low.replace("'", " ").split()
            if w.isascii() and w.isalpha() and w.islower() and len(w) > 1
        )
    seen: Counter[str] = Counter()
    for bag in bags:
        seen.update(bag.keys())
    known = {feature: number for number, feature in enumerate(seen)}
    idf = array("f", (math.log((1 + len(bags)) / (1 + n)) + 1 for n in seen.values()))
    rows: list[list[tuple[int, float]]] = [[] for _ in known]
    masses: list[dict[int, float]] = [{} for _ in known]
    totals = [0.0] * len(labels)
    for number, bag in enumerate(bags):
        owner = owners[number]
        for feature, weight in weigh(bag, known, idf).items():
            rows[feature].append((number, weight))
            masses[feature][owner] = masses[feature].get(owner, 0.0) + weight
            totals[owner] += weight
    by_label, by_phrase = Postings(), Postings()
    for row, mass in zip(rows, masses, strict=True):
        by_phrase.add(row)
        by_label.add([(o, math.log1p(w / SMOOTHING)) for o, w in mass.items()])
    size = SMOOTHING * len(known)
    return Index(
        [item.name for item in labels],
        known,
        dict(vocabulary),
        [phrase for phrase, _ in phrases],
        collect(labels),
        idf,
        array("H", owners),
        array("f", (math.log(total + size) for total in totals)),
        by_label,
        by_phrase,
    )


def weigh(
    bag: Mapping[str, int], known: Mapping[str, int], idf: Sequence[float]
) -> dict[int, float]:
    """A bag as a unit vector over the known features (sublinear tf, idf)."""
    weights = {known[f]: (1 + math.log(n)) * idf[known[f]] for f, n in bag.items() if f in known}
    norm = math.sqrt(sum(w * w for w in weights.values())) or 1.0
    return {f: w / norm for f, w in weights.items()}


def _bags(
    labels: Sequence[Label],
) -> tuple[list[Counter[str]], list[int], list[tuple[str, str]]]:
    bags: list[Counter[str]] = []
    owners: list[int] = []
    phrases: list[tuple[str, str]] = []
    seen: dict[int, set[tuple[str, ...]]] = defaultdict(set)
    for number, item in enumerate(labels):
        put = holes(item.parameters)
        for phrase in examples.every(item.name, item.phrases):
            low = measured(template(phrase, put))
            tokens = tuple(words(low))
            if tokens in seen[number]:
                continue
            seen[number].add(tokens)
            bags.append(Counter(features(tokens)))
            owners.append(number)
            phrases.append((phrase, low))
    return bags, owners, phrases


def _key(labels: Sequence[Label]) -> str:
    digest = hashlib.sha256(f"{_FORMAT}".encode())
    for item in labels:
        digest.update(repr((item.name, item.phrases)).encode())
        digest.update(repr([(p.name, p.word, p.required) for p in item.parameters]).encode())
    digest.update(examples.digest())
    return digest.hexdigest()[:24]


_ARRAYS = (("idf", "f"), ("of_label", "H"), ("totals", "f"))
_POSTINGS = ("by_label", "by_phrase")


def _dumps(index: Index) -> bytes:
    arrays = [getattr(index, name) for name, _ in _ARRAYS]
    for name in _POSTINGS:
        postings: Postings = getattr(index, name)
        arrays += [postings.start, postings.owner, postings.weight]
    head = {
        "labels": index.labels,
        "features": list(index.features),
        "vocabulary": index.vocabulary,
        "phrases": index.phrases,
        "cues": index.cues,
        "lengths": [len(a) * a.itemsize for a in arrays],
    }
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()
    body = len(text).to_bytes(8, "little") + text + b"".join(a.tobytes() for a in arrays)
    return hashlib.sha256(body).digest() + body


def _loads(data: bytes) -> Index:
    body = memoryview(data)[32:]
    if hashlib.sha256(body).digest() != data[:32]:
        raise ValueError("the index is damaged")
    size = int.from_bytes(body[:8], "little")
    head = json.loads(bytes(body[8 : 8 + size]))
    codes = [code for _, code in _ARRAYS] + ["I", "H", "f"] * len(_POSTINGS)
    at = 8 + size
    arrays: list[array[Any]] = []
    for code, length in zip(codes, head["lengths"], strict=True):
        part: array[Any] = array(code)
        part.frombytes(body[at : at + length])
        arrays.append(part)
        at += length
    idf, of_label, totals, *rest = arrays
    known = {feature: number for number, feature in enumerate(head["features"])}
    return Index(
        head["labels"], known, head["vocabulary"], head["phrases"], head["cues"],
        idf, of_label, totals, Postings(*rest[:3]), Postings(*rest[3:]),
    )  # fmt: skip
