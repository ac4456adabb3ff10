"""The trained weights of the intent model: read from one file of the package, or written to it."""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

PATH = Path(__file__).parent / "intents.bin"
FORMAT = "3"
"""Changes when a file of before cannot be read any more."""
IDF_STEPS = 24.0
"""Inverse document frequencies are kept in units of 1/24."""
ZERO = 128
"""The byte that stands for a weight of nothing."""
_ONE_READS = Lock()


@dataclass(frozen=True, slots=True)
class Net:
    """One hidden layer over hashed features: ``relu(x @ rows * scale + bias) @ out + tops``."""

    scale: float
    """What one unit of ``rows`` is worth."""
    bias: tuple[float, ...]
    """One for each hidden unit."""
    out: tuple[tuple[float, ...], ...]
    """One row for each hidden unit, one column for each label."""
    tops: tuple[float, ...]
    """One for each label."""
    rows: memoryview
    """One byte for each feature and hidden unit, :data:`ZERO` more than the weight."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A model over hashed features, and what else was learnt from the corpus."""

    labels: tuple[str, ...]
    """Tools and kinds of replies, then the heads that stand beside them."""
    vocabulary: Mapping[str, int]
    """Latin words of requests, with how often."""
    cues: Mapping[str, Any]
    worded: Mapping[str, Mapping[str, float]]
    """Rule of grammar → tool → share of its requests that the rule fits: ``stop paging me``."""
    declared: Mapping[str, str]
    """Tool → digest of the declaration that it was trained with."""
    corpus: str
    """Digest of the corpus and of the code that reads it."""
    row: Mapping[int, int]
    """Feature → its row."""
    idf: bytes
    net: Net


def shipped() -> Weights:
    """The weights of the package; whoever asks while another thread reads them waits for it."""
    with _ONE_READS:
        return _shipped()


@cache
def _shipped() -> Weights:
    return loads(PATH.read_bytes())


def dumps(head: Mapping[str, Any], keys: array[int], idf: bytes, rows: bytes) -> bytes:
    """One file: the length of the head, the head, keys, frequencies, rows of the network."""
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    sizes = len(text).to_bytes(4, "little") + len(keys).to_bytes(4, "little")
    return zlib.compress(sizes + text + keys.tobytes() + idf + rows, 9)


def loads(data: bytes) -> Weights:
    """Read what :func:`dumps` wrote."""
    body = memoryview(zlib.decompress(data))
    size, count = int.from_bytes(body[:4], "little"), int.from_bytes(body[4:8], "little")
    head: dict[str, Any] = json.loads(bytes(body[8 : 8 + size]))
    at = 8 + size
    keys = array("I")
    keys.frombytes(body[at : at + 4 * count])
    at += 4 * count
    rows = at + count
    net = head["net"]
    return Weights(
        tuple(head["labels"]),
        head["vocabulary"],
        head["cues"],
        head["worded"],
        head["declared"],
        head["corpus"],
        {key: number for number, key in enumerate(keys)},
        bytes(body[at:rows]),
        Net(
            net["scale"],
            tuple(net["bias"]),
            tuple(map(tuple, net["out"])),
            tuple(net["tops"]),
            body[rows:],
        ),
    )
