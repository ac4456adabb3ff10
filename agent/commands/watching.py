"""What a command says about an action at work: on stderr, and no more than a person reads."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from agent.events import Changed, Event, Progress
from agent.say import state_words
from tools.amounts import span
from tools.words import Lang

SIGN_OF_LIFE = 30.0
"""Seconds after which progress is told even where it is less than a twentieth."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was last written of a running action."""

    line: str = ""
    twentieths: int = -1
    at: float = 0.0


def tell(event: Event, last: Spoken, lang: Lang) -> Spoken:
    """Write what is new: each state, each twentieth of the work, and a sign of life between."""
    now, twentieths = time.monotonic(), -1
    match event:
        case Progress(text=text, fraction=fraction, eta=eta):
            parts = [text]
            if fraction is not None:
                parts.append(f"{fraction:.0%}")
                twentieths = int(20 * fraction)
            if eta:
                parts.append(
                    f"约剩 {span(eta, lang)}" if lang == "zh" else f"about {span(eta)} left"
                )
            line = "  " + ", ".join(parts)
        case Changed(action=action):
            line = f"  {state_words(action.state, lang)}"
        case _:
            return last
    little = twentieths >= 0 and twentieths == last.twentieths and now - last.at < SIGN_OF_LIFE
    if line == last.line or little:
        return last
    sys.stderr.write(line + "\n")
    return Spoken(line, twentieths, now)
