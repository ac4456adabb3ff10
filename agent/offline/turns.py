"""What passes between turns: what was understood, what was asked back."""

from __future__ import annotations

from dataclasses import dataclass

from agent.offline.text import Lang
from tools.contract import Call


@dataclass(frozen=True, slots=True)
class Pending:
    """Our question, and what its answer completes."""

    call: Call
    """The tool with the arguments known so far."""
    ask: str | None = None
    """The argument asked for; ``None`` asks yes or no."""
    options: tuple[str, ...] = ()
    rest: tuple[Call, ...] = ()
    """Further calls of the same plan, to be made after it."""
    before: tuple[Call, ...] = ()
    """Calls of the same plan that were complete and come first."""


@dataclass(frozen=True, slots=True)
class Past:
    """One earlier turn."""

    text: str
    calls: tuple[Call, ...] = ()
    pending: Pending | None = None
    lang: Lang = "en"


@dataclass(frozen=True, slots=True)
class Understanding:
    """Calls to make in order, or a question, or a reply; never more than one of the three."""

    calls: tuple[Call, ...] = ()
    clarify: str | None = None
    reply: str | None = None
    lang: Lang = "en"
    confidence: float = 0.0
    pending: Pending | None = None

    def past(self, text: str) -> Past:
        """This turn as the next one sees it."""
        return Past(text, self.calls, self.pending, self.lang)
