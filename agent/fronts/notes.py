"""What the service tells people of its own accord: incidents, and posts of schedules and notices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class IncidentNote:
    """One thing that happened to an incident; told once per ``id``."""

    id: str
    """Unique: ``7:opened``, ``7:joined:FINGERPRINT``, ``7:resolved``."""
    incident: str
    """All notes of one incident share a thread."""
    change: Literal["opened", "joined", "taken", "resolved"]
    title: str
    text: str
    """What is known at once: which alert, since when, what it affects; for ``resolved`` the
    timeline."""
    chart: Callable[[], Path] | None = None
    """Draws a picture inside STEWARD_HOME; asked for after everything else is said."""
    ask: str = ""
    """A question Steward asks itself in the thread (``diagnose HighLatency``): the answer is the
    diagnosis, and a change it proposes gets its card there."""
    severity: str = ""
    """The worst among its alerts, in the words of their labels."""
    thread: str = ""
    """What escalates until a person says that they have it; empty where nothing does."""
    quiet: bool = False
    """Not worth a thread of its own: told only where the incident has one."""


@dataclass(frozen=True, slots=True)
class IncidentState:
    """Where an incident stands, for people and programs."""

    number: int
    title: str
    state: Literal["firing", "resolved"]
    severity: str
    alerts: int
    opened_at: datetime
    escalates: bool
    """Whether it calls further people until somebody has it."""
    taken_by: str
    """Who has it; empty while nobody does."""


class IncidentDesk(Protocol):
    """Incidents and who has them."""

    def incidents(self) -> Sequence[IncidentState]:
        """Those that fire, and those that ended lately; newest first."""
        ...

    def have(self, number: int, who: str) -> IncidentState:
        """A person has it: nobody further is called. The same person may say so again.

        Raises:
            BadArguments: there is no such incident, or it calls nobody.
            NotAllowed: ``who`` is not a person of steward.yaml.
            TooLate: it is over, or somebody else has it.
        """
        ...


class Post(Protocol):
    """Posts a message somewhere; blocking, callable from any thread but the event loop's."""

    def __call__(self, target: str, text: str, files: Sequence[Path] = (), key: str = "") -> None:
        """Post ``text`` to a channel; the same ``key`` posts once.

        Raises:
            Unavailable: no front posts there, or it could not be done now.
        """
        ...
