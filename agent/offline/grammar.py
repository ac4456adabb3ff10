"""Rules of English and Chinese that tell acts of speech apart, kept as text.

``grammar/en.txt`` and ``grammar/zh.txt`` hold one regular expression a line under the name of the
rule it belongs to. They know function words, aspect and word order, and no tool. Capitals stand
for what was found before: ``NAME`` a name, ``TIME`` a duration, ``NUM`` a number, ``METRIC``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from agent.offline.text import pattern

_FOLDER = Path(__file__).parent / "grammar"
_HEAD = re.compile(r"\[([a-z_]+)\]")


@cache
def _lines() -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name in ("en", "zh", "words"):
        section = ""
        for line in (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
            head = _HEAD.fullmatch(line)
            if head:
                section = head[1]
            elif line.strip():
                found[section].append(line)
    return found


@cache
def rule(name: str) -> re.Pattern[str]:
    """One rule: any of its lines, in both languages."""
    return pattern("|".join(_lines()[name]))


@cache
def words(name: str) -> frozenset[str]:
    """A list of words from ``grammar/words.txt``."""
    return frozenset(" ".join(_lines()[name]).split())
