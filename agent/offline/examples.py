"""More ways to say what a tool's declaration already says, kept as text: slang, word orders, terse forms.

A tool works without any: its declared phrases are enough to be understood. These widen the reach
of the tools everybody uses, and would bury the declarations if they stood beside them.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from agent.offline.speech import declares
from tools.contract import Phrases

_HOLE = re.compile(r"\{\w+\}")
_FOLDER = Path(__file__).parent / "paraphrases"


@cache
def paraphrases() -> Mapping[str, Phrases]:
    """Tool name → further example phrases, from ``paraphrases/{en,zh}.txt``."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: {"en": [], "zh": []})
    for lang in ("en", "zh"):
        tool = ""
        for line in (_FOLDER / f"{lang}.txt").read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                tool = line.strip("[] ")
            elif line.strip():
                found[tool][lang].append(line.strip())
    return {name: Phrases(tuple(p["en"]), tuple(p["zh"])) for name, p in found.items()}


@cache
def every(name: str, declared: Phrases) -> tuple[str, ...]:
    """The declared phrases of a tool with its paraphrases, without what only sets the scene."""
    more = paraphrases().get(name, Phrases((), ()))
    return tuple(_request(p) for p in (*declared.en, *more.en, *declared.zh, *more.zh))


def digest() -> bytes:
    """Changes when the paraphrases do."""
    found = hashlib.sha256()
    for lang in ("en", "zh"):
        found.update((_FOLDER / f"{lang}.txt").read_bytes())
    return found.digest()


def _request(phrase: str) -> str:
    """``{deployment} is stuck, restart it`` asks only in its second half."""
    head, comma, tail = phrase.replace("，", ",").partition(",")
    if not comma or not tail.strip() or "{" not in head:
        return phrase
    return tail.strip() if declares(_HOLE.sub(" NAME ", head)) else phrase
