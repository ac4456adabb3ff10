"""Numbers in digits and in words, English and Chinese."""

from __future__ import annotations

import re

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
]
UNITS: dict[str, int] = {
    **{word: i for i, word in enumerate(_ONES)},
    **{word: 20 + 10 * i for i, word in enumerate(_TENS)},
}
ORDINALS: dict[str, int] = {
    **{word: i + 1 for i, word in enumerate(_ORDINALS)},
    **{f"{i}{s}": i for i in range(1, 32) for s in ("st", "nd", "rd", "th")},
}
_HAN_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {
    "两": 2,
    "俩": 2,
    "仨": 3,
    "〇": 0,
}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000}

_SMALL = "|".join(sorted(_ONES, key=len, reverse=True))
_WORD = rf"(?:(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_ONES[1:10])}))?|{_SMALL})"
ENGLISH = (
    rf"(?:(?:(?:an?|{_WORD}) )?(?:hundred|dozen|thousand)(?: and {_WORD}| {_WORD})?"
    rf"|a couple(?: of)?|couple of|half a dozen|{_WORD})"
)
HAN = r"(?:零点[零一二三四五六七八九]+|[零一二三四五六七八九十百千两俩仨〇]+)"
NUMBER = rf"(?:\d+(?:\.\d+)?|{ENGLISH}|{HAN})"
"""A pattern for any number; give what it matched to :func:`value`."""


def value(said: str) -> float | None:
    """The number ``said`` means, or ``None``."""
    text = said.strip().lower()
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return float(text)
    if re.fullmatch(r"\d+(?:\.\d+)?k", text):
        return float(text[:-1]) * 1000
    if text.startswith("零点"):
        return float("0." + "".join(str(_HAN_DIGITS[c]) for c in text[2:]))
    if re.fullmatch(HAN, text):
        return _han(text)
    if text in ORDINALS:
        return float(ORDINALS[text])
    return _english(text)


def whole(said: str) -> int | None:
    """The whole number ``said`` means, or ``None``."""
    number = value(said)
    return int(number) if number is not None and number == int(number) else None


def _english(text: str) -> float | None:
    if "couple" in text:
        return 2.0
    if text == "half a dozen":
        return 6.0
    total, current, seen = 0, 0, False
    for word in re.split(r"[ -]+", text):
        if word in UNITS:
            current += UNITS[word]
        elif word in ("hundred", "dozen", "thousand"):
            current = (current or 1) * {"hundred": 100, "dozen": 12, "thousand": 1000}[word]
        elif word in ("a", "an", "and"):
            continue
        else:
            return None
        seen = True
    return float(total + current) if seen else None


def _han(text: str) -> float | None:
    if not any(c in _HAN_UNITS for c in text):
        digits = "".join(str(_HAN_DIGITS[c]) for c in text)
        return float(digits)
    total, current = 0, 0
    for char in text:
        if char in _HAN_UNITS:
            total += (current or 1) * _HAN_UNITS[char]
            current = 0
        else:
            current = _HAN_DIGITS[char]
    return float(total + current)
