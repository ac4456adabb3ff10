"""To whom a message speaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.offline import speech
from agent.offline.step import Step
from agent.offline.text import Text
from agent.offline.text import pattern as compiled

_FIRST_WORD = compiled(r"^((?:hey |hi |yo |ok |so |u+m+ |u+h+ |h+m+ |erm )*)([a-z]{2,14})(?=,|\b)")


def elsewhere(strange: Callable[[str], bool], text: Text, steps: Sequence[Step]) -> bool:
    """Is it said to somebody else, or only mused about?

    A message that opens with a word nobody knows (``strange``) is judged by it only where a change
    is meant.
    """
    if speech.counterfactual(text.low):
        return not any(s.parse.tool and not s.parse.changes for s in steps)
    first = _FIRST_WORD.match(text.low)
    low = text.low
    if first and any(s.parse.changes for s in steps) and strange(first[2]):
        low = f"{first[1]}STRANGER{low[first.end() :]}"
    return speech.addressed(low)
