"""On which side of a number its word stands: ``12 trials``, or ``trials 12 workers 2``."""

from __future__ import annotations

from agent.offline.slots import numbers
from agent.offline.text import pattern as compiled

_WORDS = (
    r"(?:trials?|workers?|process(?:es)?|procs?|gpus?|replicas?|pods?|epochs?|steps|lr|learning[ _-]?rate|batch(?:[ _-]?size)?|seed|dropout|momentum"
    r"|weight[ _-]?decay|进程数?|并发|并行度?|副本数?|轮数|(?:试验|搜索|尝试)?次数|学习率|批(?:次|量)?大小|随机种子)"
)
_NUMBER = rf"(?:\d+(?:\.\d+)?(?:e-?\d+)?|{numbers.ENGLISH}|{numbers.HAN})"
_LABEL_BEFORE = compiled(rf"(?<![a-z0-9_-]){_WORDS}\s*(?:=|:|of|is|为|是|用|给)?\s*$")
_VALUE_AFTER = compiled(
    rf"\s*(?:=|:|of|is|为|是|用|给)?\s*(?<![\d.]){_NUMBER}(?![\w.%])(?!\s*(?:个|张|块)?\s*{_WORDS}(?![a-z])(?!\s*(?:=|:)?\s*\d))"
)


def labels_first(low: str, number: tuple[int, int], word: tuple[int, int]) -> bool:
    """Does the number belong to a word before it, and the word after it to a further number?"""
    return bool(_LABEL_BEFORE.search(low[: number[0]]) and _VALUE_AFTER.match(low, word[1]))
