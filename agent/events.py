"""The vocabulary between fronts and the assistant. Frozen values; the unions are closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from tools.contract import Call, Json, Outcome, Plan, Verdict
from tools.words import Lang


class State(StrEnum):
    """Where an action stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    APPLYING = "applying"
    APPLIED = "applied"
    VERIFIED = "verified"
    REJECTED = "rejected"
    EXPIRED = "expired"
    STALE = "stale"
    FAILED = "failed"
    UNVERIFIED = "unverified"
    UNKNOWN = "unknown"
    UNDONE = "undone"


OPEN = frozenset({State.PROPOSED, State.APPROVED, State.APPLYING, State.APPLIED})
"""States that something still has to happen to; every other state is an outcome."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who speaks or decides: a person of steward.yaml where known, and the front they are at."""

    name: str
    front: Literal["terminal", "slack", "http", "mcp", "scheduler", "alert", "door"]
    identity: str = ""
    """The front's own proof of identity: Slack user id, unix user, token name."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a person (or the clock, or an alert) said. ``id`` makes a retry harmless."""

    conversation: str
    id: str
    actor: Actor
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """One person's yes or no to one exact action. Free text never becomes one."""

    action: int
    digest: str
    actor: Actor
    verdict: Literal["approve", "reject"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as the ledger keeps it."""

    who: str
    verdict: Literal["approve", "reject"]
    at: datetime
    reason: str = ""
    front: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """A proposed change and all that became of it: the ledger folded up to now."""

    number: int
    id: str
    key: str
    call: Call
    plan: Plan
    digest: str
    requester: Actor
    conversation: str
    state: State
    created_at: datetime
    changed_at: datetime
    expires_at: datetime
    needed: int
    """How many different people must say yes."""
    approvers: tuple[str, ...]
    """Who may (names and ``group:NAME``)."""
    decisions: tuple[Decided, ...] = ()
    outcome: Outcome | None = None
    verdict: Verdict | None = None
    reason: str = ""
    """Why it ended as it did, in one sentence."""
    undoes: int | None = None
    undone_by: int | None = None
    rule: str | None = None
    """The pre-approved class (or the approval of another action) that said yes."""
    cancel_requested: bool = False
    kept: bool = False
    """Its effect stays, because undoing it was refused: what follows is a person's choice."""
    reason_zh: str = ""
    """The reason in Chinese; empty where nobody said one."""

    @property
    def approved_by(self) -> tuple[str, ...]:
        """Who said yes so far, each once."""
        return tuple(dict.fromkeys(d.who for d in self.decisions if d.verdict == "approve"))

    def why(self, lang: Lang) -> str:
        """Why it ended as it did, in ``lang``; English where there is no Chinese."""
        return (lang == "zh" and self.reason_zh) or self.reason

    @property
    def done(self) -> bool:
        """Whether it reached an outcome."""
        return self.state not in OPEN


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer, as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Replace:
    """What was streamed so far is void; the answer starts again (an endpoint died mid-sentence)."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One line about Steward itself: a takeover, a limit, something that could not be collected."""

    text: str


@dataclass(frozen=True, slots=True)
class Looking:
    """A reading tool begins."""

    call: Call


@dataclass(frozen=True, slots=True)
class Seen:
    """A reading tool ended; ``text`` is the finding or the one-line reason there is none."""

    call: Call
    text: str
    data: Json
    ok: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Proposed:
    """A change waits for a decision (or, pre-approved, is about to run)."""

    action: Action


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a running action stands."""

    action: int
    text: str
    fraction: float | None
    eta: timedelta | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """An action entered another state."""

    action: Action


@dataclass(frozen=True, slots=True)
class Usage:
    """What a turn cost at the language model."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    steps: int = 0
    cost: float = 0.0
    """In the currency of the configured prices; 0 when none are configured."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole answer of a turn; always the last event of ``handle``."""

    text: str
    brain: Literal["offline", "model"]
    proposed: tuple[int, ...] = ()
    failed: bool = False
    usage: Usage = field(default_factory=Usage)
    data: tuple[Mapping[str, Json], ...] = ()
    """For ``--json``: one object per tool result."""
    facts: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """For the next turn: a question that waits for its answer, steps held for later."""


Event = Text | Replace | Notice | Looking | Seen | Proposed | Progress | Changed | Reply
