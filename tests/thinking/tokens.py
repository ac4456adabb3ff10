"""Counting tokens without a network: the Qwen vocabulary that a package bundles."""

from __future__ import annotations

import base64
import importlib.metadata
import json
from functools import cache
from typing import Any

PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@cache
def _encoding() -> Any:
    import tiktoken

    files = importlib.metadata.files("dashscope") or []
    (vocabulary,) = [f for f in files if f.name == "qwen.tiktoken"]
    ranks: dict[bytes, int] = {}
    for line in vocabulary.locate().read_bytes().splitlines():
        token, rank = line.split()
        ranks[base64.b64decode(token)] = int(rank)
    return tiktoken.Encoding("qwen", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})


def count(value: Any) -> int:
    """Tokens of a text, or of the JSON of a request body."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return len(_encoding().encode(text, disallowed_special=()))
