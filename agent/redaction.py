"""Secrets do not leave: masked before the model, the log, the chat and the ledger. Pure.

Recognises the published shapes of common credentials and values that stand behind a telling
name (``password=``, ``Authorization:``, …). Masking is idempotent, and keeps the name so that a
reader still sees which secret was there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tools.contract import Json

MASK = "•••"

_SHAPES = re.compile(
    r"""
      -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----.*?(?:-----END[ ][A-Z ]*PRIVATE[ ]KEY-----|\Z)
    | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b
    | \bgh[pousr]_[A-Za-z0-9]{20,}\b | \bgithub_pat_[A-Za-z0-9_]{20,}\b | \bglpat-[\w-]{16,}
    | \bxox[abeoprs]-[\w-]{10,} | \bxapp-[\w-]{10,}
    | \bsk-[\w-]{16,} | \bhf_[A-Za-z0-9]{20,}\b | \bnvapi-[\w-]{20,}
    | \bAIza[\w-]{30,} | \bya29\.[\w-]{20,}
    | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*
    """,
    re.VERBOSE | re.DOTALL,
)
# The cause "bad config or secret: …" is followed by what is missing, not by a secret's value.
# Every repetition is bounded or begins at a fixed word: a hostile line must not cost seconds.
_NAMED = re.compile(
    r"""(?P<name>(?:passw(?:or)?d|passwd|(?<!bad[ ]config[ ]or[ ])secret|token|api[_-]?key|access[_-]?key
        |private[_-]?key|credential|authorization|密码|口令|密钥)[\w.-]{0,40}["']?\s{0,4}(?:[:=]|：)\s{0,4})
        (?P<value>(?:(?:bearer|basic)\s{1,4})?(?:"[^"\n]{0,4096}"|'[^'\n]{0,4096}'|[^\s,;&"'}\]]{1,4096}))""",
    re.VERBOSE | re.IGNORECASE,
)
_BEARER = re.compile(
    r"(?P<name>\b(?:bearer|basic)\s{1,4})(?P<value>[\w.~+/=-]{12,4096})", re.IGNORECASE
)
_USERINFO = re.compile(r"(?P<name>://[^\s/:@]{1,200}:)(?P<value>[^\s@/]{1,200})(?=@)")
_TELLING = re.compile(
    r"passw|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|authorization",
    re.IGNORECASE,
)
_HARMLESS = re.compile(r"^(?:true|false|none|null|\d{1,6}|•••|max|min|total|count)$", re.IGNORECASE)
_COUNTERS = re.compile(
    r"tokens?[\w.-]*(?:count|total|per|used|limit|s)\b|max[_-]tokens", re.IGNORECASE
)


def mask(text: str) -> str:
    """``text`` with every recognised secret replaced by ``•••``."""
    text = _SHAPES.sub(MASK, text)
    text = _NAMED.sub(_hide, text)
    text = _BEARER.sub(_hide, text)
    return _USERINFO.sub(_hide, text)


def _hide(match: re.Match[str]) -> str:
    name, value = match["name"], match["value"]
    bare = value.strip("\"'")
    if not bare or _HARMLESS.match(bare) or _COUNTERS.search(name):
        return match[0]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{name}{quote}{MASK}{quote}"


def mask_json(value: Json, name: str = "") -> Json:
    """Plain JSON with every string masked; a string behind a telling name goes whole."""
    match value:
        case str():
            if name and _TELLING.search(name) and not _COUNTERS.search(name):
                return value if _HARMLESS.match(value) or not value else MASK
            return mask(value)
        case list():
            return [mask_json(item, name) for item in value]
        case Mapping():
            return {key: mask_json(item, key) for key, item in value.items()}
        case _:
            return value


_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def visible(text: str) -> str:
    """``text`` with control, zero-width and direction-changing characters made visible.

    What a person approves must look like what it is: such characters could hide or reorder it.
    Newlines and tabs stay.
    """
    return _CONTROL.sub(lambda m: f"\\u{ord(m[0]):04x}", text)
