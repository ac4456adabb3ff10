"""What a language model reads of a conversation, within a fixed number of tokens.

Every step of a turn costs about the same, however long the conversation and its results are:

* decisions come first (what was proposed, how it ended: always with its number),
* then what was said,
* then evidence, newest first; older evidence shrinks to one line, then goes.

Nothing is lost by it: evidence keeps its number, and ``more_of`` reads any part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.conversations import Line
from tools.contract import Json

ROOM = 720
"""Tokens for the past and for evidence, beside the instructions, the tools and the message."""
NEWEST = 400
"""Of these, at most so many for the results of the newest step."""
PER_CALL = 45
"""Tokens of a call and of the frame around its result."""

Kind = Literal["decision", "words", "evidence"]
_SHORT: Mapping[Kind, int] = {"decision": 60, "words": 30, "evidence": 12}
_WHOLE: Mapping[Kind, int] = {"decision": 60, "words": 160, "evidence": 250}
_UP_TO: Mapping[Kind, float] = {"decision": 0.4, "words": 0.65, "evidence": 1.0}
"""The part of the room that a kind and those before it may fill in their short form."""
_FRAME = 6
"""Tokens of brackets, roles and line ends around one piece."""
_TOKEN = re.compile(r"[A-Za-z]{1,5}|\s*\n\s*|[^\sA-Za-z]")


@dataclass(frozen=True, slots=True)
class Said:
    """One message for the model."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Something to tell the model, as whole as there is room for."""

    kind: Kind
    text: str
    role: Literal["user", "assistant"] = "user"
    label: str = ""
    """What stands before it, where it is no words of a person's or of Steward's."""
    number: int | None = None
    """Of a piece of evidence: what ``more_of`` asks for."""
    start: int = 0
    """The character of the evidence at which ``text`` begins."""

    def shown(self, limit: int, *, labelled: bool = True) -> str:
        """Within about ``limit`` tokens of its text, and how to read the rest."""
        begin, end = _ends(self.text, limit, whole=self.start > 0)
        if not end and len(begin) == len(self.text):
            part, more = begin, ""
        else:
            part = f"{begin.rstrip()} … {end.lstrip()}".rstrip()
            left = len(self.text) - len(begin) - len(end)
            more = f" ({left} more characters: more_of({self.number}, {self.start + len(begin)}))"
        part = part.replace("⟦", "[").replace("⟧", "]")
        if self.kind == "words":
            return part
        label = self.label if labelled or self.kind == "decision" else ""
        return f"{label}⟦{part}⟧{more if self.number is not None else ''}"

    def cost(self, limit: int) -> int:
        """Tokens of what is shown."""
        return tokens(self.shown(limit)) + _FRAME


def looked(tool: str, args: Mapping[str, Json]) -> str:
    """The label of what a reading tool told."""
    told = ", ".join(f"{k}={v}" for k, v in args.items())
    return f"[looked {tool}({told[:80]})] "


def pieces(history: Sequence[Line]) -> list[Piece]:
    """The past of a conversation, oldest first; evidence is numbered from 1."""
    found: list[Piece] = []
    number = 0
    for line in history:
        match line.role:
            case "user":
                found.append(Piece("words", line.text))
            case "assistant":
                found.append(Piece("words", line.text, "assistant"))
            case "tool" if line.call:
                number += 1
                label = looked(line.call.tool, line.call.args)
                found.append(Piece("evidence", line.text, label=label, number=number))
            case "event" if line.text:
                found.append(Piece("decision", line.text, label="[event] "))
            case _:
                pass
    return found


def fitted(told: Sequence[Piece], room: int) -> list[str | None]:
    """The text of each piece so that all cost at most ``room`` tokens; ``None`` is left out."""
    limits: dict[int, int] = {}
    left = room
    newest = range(len(told) - 1, -1, -1)
    for kind in _SHORT:
        floor = room * (1 - _UP_TO[kind])
        for n in newest:
            if told[n].kind == kind:
                cost = told[n].cost(_SHORT[kind])
                if left - cost < floor:
                    break
                limits[n] = _SHORT[kind]
                left -= cost
    for n in newest:
        if n in limits:
            whole = _WHOLE[told[n].kind]
            cost = told[n].cost(whole) - told[n].cost(limits[n])
            if cost <= left:
                limits[n] = whole
                left -= cost
    return [told[n].shown(limits[n]) if n in limits else None for n in range(len(told))]


def said(told: Sequence[Piece], texts: Sequence[str | None]) -> Iterator[Said]:
    """Messages for the model, oldest first; neighbours of one role become one message."""
    held: Said | None = None
    gap = False
    for piece, text in zip(told, texts, strict=True):
        if text is None:
            gap = gap or piece.kind == "words"
            continue
        if gap:
            text, gap = f"[some earlier lines are left out]\n{text}", False
        if held is not None and held.role == piece.role:
            held = Said(held.role, f"{held.text}\n{text}")
            continue
        if held is not None:
            yield held
        held = Said(piece.role, text)
    if held is not None:
        yield held


def newest(results: Sequence[Piece], *, labelled: bool) -> list[str]:
    """The results of the newest step, side by side in what one step may cost."""
    if not results:
        return []
    share = max(12, min(NEWEST, ROOM - PER_CALL * len(results)) // len(results))
    return [piece.shown(share, labelled=labelled) for piece in results]


def tokens(text: str) -> int:
    """About how many tokens a text has, rather too many than too few.

    Counted as the vocabularies of the common models split it: a short word, a digit, a mark and a
    Chinese character are one each. ``tests/thinking/test_cost.py`` holds it against a real one.
    """
    return sum(1 for _ in _TOKEN.finditer(text))


def _ends(text: str, limit: int, *, whole: bool) -> tuple[str, str]:
    """The beginning of a text, and its end where there is room: of a log, the last lines count.

    ``whole`` is for who reads on: nothing is left out in between.
    """
    begin = _begin(text, limit)
    if whole or len(begin) == len(text) or limit < _WHOLE["evidence"]:
        return begin, ""
    head = _begin(text, 2 * limit // 3)
    return head, _begin(text[len(head) :][: -8 * limit : -1], limit // 3)[::-1]


def _begin(text: str, limit: int) -> str:
    for count, match in enumerate(_TOKEN.finditer(text)):
        if count >= limit:
            return text[: match.start()]
    return text
