"""Notices as values, and the port that keeps and delivers them.

A notice is a row before it is a message: it is written with a key that names its cause for ever
(an action's id, a schedule's slot), so that asking twice writes it once. Delivery is at least
once: where a process dies between sending and noting it, the notice is sent again with the same
id in its header or text, by which a receiver can tell. A file target gets it exactly once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from tools.world import World

Severity = Literal["info", "warning", "critical"]
NoticeState = Literal["queued", "sending", "delivered", "failed", "cancelled"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


@dataclass(frozen=True, slots=True)
class NoticeTarget:
    """Where notices can go. Carries no secret: the URL is looked up again when sending."""

    name: str
    kind: str
    """``file``, ``e-mail``, ``webhook``, ``slack``, or the service's URL scheme."""
    address: str
    """What a person may see of it: a path, a host, a masked mail address, a service."""
    version: str
    """Changes when the target's definition changes."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one target."""

    id: str
    """Short; the message carries it."""
    key: str
    target: str
    kind: str
    severity: Severity
    subject: str
    text: str
    state: NoticeState
    created_at: datetime
    next_try: datetime
    gives_up: datetime
    attempts: int = 0
    delivered_at: datetime | None = None
    error: str = ""
    """Why the last attempt did not work, without addresses or secrets."""
    thread: str | None = None
    attachment: Path | None = None


Sender: TypeAlias = Callable[[Notice], None]
"""Delivers one notice. Raises ``Unavailable`` to be tried again, ``Failed`` to be given up."""


class Notices(Protocol):
    """The outbox, its targets and its rules. Durable, shared by every process of the database."""

    def targets(self) -> Sequence[NoticeTarget]:
        """Every target of the fleet; a broken definition raises ``BadArguments`` naming it."""
        ...

    def target(self, name: str) -> NoticeTarget:
        """One target by name; raises ``BadArguments`` with the nearest names."""
        ...

    def check(self, name: str) -> None:
        """Raise ``Failed`` when the target's URL cannot be understood; touches no network."""
        ...

    def send(
        self,
        key: str,
        target: str,
        text: str,
        *,
        subject: str = "",
        severity: Severity = "info",
        attachment: Path | None = None,
    ) -> Notice:
        """Write a notice to one target once per ``key``; somebody asked for it, so at any hour."""
        ...

    def publish(
        self, key: str, severity: Severity, text: str, *, subject: str, thread: str | None = None
    ) -> Sequence[Notice]:
        """Write a notice to every target that the routes give ``severity``, once per ``key``.

        Quiet hours hold it back. With a ``thread`` it escalates until somebody acknowledges.
        """
        ...

    def notice(self, key: str) -> Notice | None:
        """The notice of a key."""
        ...

    def deliver(self, key: str) -> Notice:
        """Try this notice now if nobody else is at it; what became of it. Never raises for that."""
        ...

    def drain(self, limit: int = 20) -> int:
        """Try what is due now; how many were delivered."""
        ...

    def escalate(self) -> int:
        """Write the next level of every thread nobody acknowledged in time; how many."""
        ...

    def acknowledge(self, thread: str, who: str) -> bool:
        """A person has it: no further escalation. False when it was acknowledged or is unknown."""
        ...

    def acknowledged_by(self, thread: str) -> str | None:
        """Who acknowledged a thread; ``None`` while nobody did."""
        ...

    def cancel(self, key: str) -> bool:
        """Do not send it; false when it was sent, or is being sent."""
        ...

    def recent(self, limit: int = 20) -> Sequence[Notice]:
        """Newest first."""
        ...

    def deliver_with(self, kind: str, sender: Sender) -> None:
        """Let this process deliver notices of a kind that only a front can (``slack``)."""
        ...


def notices(world: World) -> Notices:
    """The notices of a world."""
    port: Notices = world.port("notices")
    return port
