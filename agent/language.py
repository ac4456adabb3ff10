"""Which language a person writes in."""

from __future__ import annotations

import re

from tools.words import Lang

_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")


def language_of(text: str, default: Lang = "en") -> Lang:
    """Chinese if any Chinese is written, English if there are words, else ``default``.

    Names of deployments and English terms inside a Chinese sentence do not make it English.
    """
    if _HAN.search(text):
        return "zh"
    return "en" if _LATIN_WORD.search(text) else default
