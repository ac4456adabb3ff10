"""The labelled requests that the intent model learns from, each with the names of its fleet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agent.offline import declared, examples, features, intent, replies, weights
from agent.offline.evaluate import Case
from agent.offline.names import Names
from tools.catalog import TOOLS
from tools.contract import Call

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "agent" / "offline" / "corpus"
DEVELOPMENT = ROOT / "tests" / "understanding" / "data"
PHRASES = "phrases"
"""The author of everything that stands in declarations and paraphrases."""
SEVERAL, CHANGE = intent.SEVERAL, intent.CHANGE
_LISTED = ("deployments", "models", "nodes", "jobs", "alerts", "channels")
"""Kinds of names that a fleet lists."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One request and what it means."""

    by: str
    text: str
    labels: tuple[str, ...]
    """One tool for each call in order; for a request without calls, the kind of reply."""
    names: Names
    weight: float = 1.0


def labels() -> list[declared.Label]:
    """Everything a request can mean."""
    return [*(declared.label(tool) for tool in TOOLS), *replies.LABELS]


def samples() -> Iterator[Sample]:
    """Whole requests by people, of the corpus and of the development set."""
    for lang in ("en", "zh"):
        for line in (CORPUS / f"{lang}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield Sample(row["by"], row["text"], _meant(row), fleet(row["by"]))
        for line in (DEVELOPMENT / f"dev_{lang}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield Sample(f"dev_{lang}", row["text"], _meant(row), fleet("old"))


def _meant(row: dict) -> tuple[str, ...]:
    return tuple(c["tool"] for c in row["calls"]) or (row["as"],)


@cache
def fleet(author: str) -> Names:
    """The names an author's requests use."""
    kinds = _fleets()[author]
    return Names(**{kind: tuple((name,) for name in kinds[kind]) for kind in _LISTED})


@cache
def _fleets() -> dict[str, dict[str, list[str]]]:
    return json.loads((CORPUS / "names.json").read_text(encoding="utf-8"))


def few(author: str) -> Names:
    """Only the models and deployments of an author's fleet."""
    names = fleet(author)
    return Names(models=names.models, deployments=names.deployments)


def cases(author: str) -> list[Case]:
    """An author's requests as ``steward eval`` reads them."""
    found: list[Case] = []
    for lang in ("en", "zh"):
        for line in (CORPUS / f"{lang}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["by"] == author:
                asked = () if row["clarify"] else row["calls"]
                calls = tuple(Call(c["tool"], c["args"]) for c in asked)
                found.append(Case(row["text"], calls, row["clarify"]))
    return found


@cache
def plain_names() -> frozenset[str]:
    """Names of one word in any fleet: no word of requests, though another author may use them."""
    kinds = ("deployments", "models")
    listed = (name for fleet in _fleets().values() for kind in kinds for name in fleet[kind])
    return frozenset(name.lower() for name in listed if name.isalpha())


def fleets() -> list[str]:
    """All authors with a fleet, in a fixed order."""
    return sorted(_fleets())


def digest() -> str:
    """Changes when the weights should be trained again."""
    found = hashlib.sha256(examples.digest())
    found.update(SEVERAL.encode() + CHANGE.encode())
    for path in (*sorted(CORPUS.iterdir()), *sorted(DEVELOPMENT.glob("dev_*.jsonl"))):
        found.update(path.read_bytes())
    found.update(Path(features.__file__).read_bytes())
    for item in labels():
        found.update(declared.digest(item).encode())
    found.update(weights.FORMAT.encode())
    return found.hexdigest()[:16]
