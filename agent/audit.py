"""The proof that a ledger was not altered: every hash and every fold, made anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.events import Action
from agent.record import Entry, canonical, chain, fold, to_json

GENESIS = "0" * 64
"""The hash before the first line."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found."""

    lines: int
    actions: int
    head: str
    """Hash of the newest line: note it elsewhere, and a rewritten history shows."""
    faults: tuple[str, ...]


def audit(lines: Iterable[Entry], head: tuple[int, str] | None, rows: Mapping[int, str]) -> Audit:
    """Check lines against their chain, the head (number, hash) they end in, and kept actions."""
    faults: list[str] = []
    folded: dict[int, Action] = {}
    previous, count = GENESIS, 0
    for count, entry in enumerate(lines, 1):
        at = entry.at.isoformat()
        expected = chain(previous, count, entry.action, at, entry.kind, entry.who, entry.body)
        if (entry.seq, entry.previous, entry.hash) != (count, previous, expected):
            faults.append(f"line {entry.seq} was altered, removed or inserted")
        previous = entry.hash
        if entry.action:
            try:
                folded[entry.action] = fold(folded.get(entry.action), entry)
            except (ValueError, KeyError, TypeError) as error:
                faults.append(f"line {entry.seq} does not fit: {error}")
    if head is not None and head != (count, previous):
        faults.append("the newest lines are missing")
    for number in sorted(folded.keys() | rows.keys()):
        kept = folded.get(number)
        if kept is None or rows.get(number) != canonical(to_json(kept)):
            faults.append(f"action {number} differs from its lines")
    return Audit(count, len(folded), previous, tuple(faults))
