"""Which of many log lines say that something is wrong, and what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tools.alerts.signatures.base import Role, Signature
from tools.alerts.signatures.line import parse_line
from tools.alerts.signatures.rules import recognise
from tools.platforms.base import LogLine

_MOST_TELLING = 6


@dataclass(frozen=True, slots=True)
class Telling:
    """A line that means something, and what."""

    line: LogLine
    times: int
    en: str
    zh: str


def telling(lines: Sequence[LogLine]) -> tuple[Telling, ...]:
    """The kinds of trouble among these lines, roots before what follows from them."""
    found: dict[str, tuple[LogLine, Signature]] = {}
    times: Counter[str] = Counter()
    for line in lines:
        signature = recognise(parse_line(line.text))
        if signature is None or signature.role is Role.ADVICE:
            continue
        if signature.line.level == "info" and signature.weak:
            continue
        times[signature.key] += 1
        found[signature.key] = (line, signature)
    order = [Role.ROOT, Role.CASCADE, Role.CONFIRMATION]
    ranked = sorted(found.values(), key=lambda f: (order.index(f[1].role), f[1].weak))
    return tuple(Telling(line, times[s.key], s.en, s.zh) for line, s in ranked[:_MOST_TELLING])
