"""A conversation as a language model reads it: compact, and with a prefix that stays the same.

Older turns shrink to what matters later: who asked what, which actions were proposed and how they
ended, and the first line of each piece of evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.conversations import Line

WHOLE_TURNS = 4
EVIDENCE_CHARS = 1200
SHORT_CHARS = 160
TOTAL_CHARS = 24_000


@dataclass(frozen=True, slots=True)
class Said:
    """One message for the model."""

    role: Literal["user", "assistant"]
    text: str


def said(history: Sequence[Line]) -> list[Said]:
    """The history, oldest first, within a fixed budget; roles alternate sensibly."""
    turns = [n for n, line in enumerate(history) if line.role == "user"]
    whole_from = turns[-WHOLE_TURNS] if len(turns) >= WHOLE_TURNS else 0
    parts = [_one(line, number >= whole_from) for number, line in enumerate(history)]
    kept: list[Said] = []
    left = TOTAL_CHARS
    for part in reversed([p for p in parts if p]):
        left -= len(part.text)
        if left < 0:
            kept.append(Said("user", "[earlier turns are left out]"))
            break
        kept.append(part)
    return _merged(kept[::-1])


def _one(line: Line, whole: bool) -> Said | None:
    limit = EVIDENCE_CHARS if whole else SHORT_CHARS
    match line.role:
        case "user":
            return Said("user", line.text if whole else _short(line.text, SHORT_CHARS * 2))
        case "assistant":
            return Said("assistant", line.text if whole else _short(line.text, SHORT_CHARS * 2))
        case "tool" if line.call:
            args = ", ".join(f"{k}={v}" for k, v in line.call.args.items())
            return Said("user", f"[looked {line.call.tool}({args})] ⟦{_short(line.text, limit)}⟧")
        case "event" if line.text:
            return Said("user", f"[event] ⟦{_short(line.text, limit)}⟧")
        case _:
            return None


def _short(text: str, limit: int) -> str:
    text = text.replace("⟦", "[").replace("⟧", "]")
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _merged(parts: Sequence[Said]) -> list[Said]:
    merged: list[Said] = []
    for part in parts:
        if merged and merged[-1].role == part.role:
            merged[-1] = Said(part.role, f"{merged[-1].text}\n{part.text}")
        else:
            merged.append(part)
    return merged
