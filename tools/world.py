"""The world as tools see it: a few ports, each built when first asked for.

Only :mod:`agent.bootstrap` constructs a :class:`World`; a tool receives it and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tools.contract import Json
    from tools.fleet import Fleet
    from tools.models.base import Jobs, Registry
    from tools.platforms.base import Platforms
    from tools.store import Store


class Clock(Protocol):
    """Time, replaceable in tests."""

    def now(self) -> datetime:
        """The current time, timezone-aware, UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""
        import time

        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One person's yes or no."""

    who: str
    verdict: str
    """``approve`` or ``reject``."""
    at: datetime
    reason: str
    front: str


@dataclass(frozen=True, slots=True)
class DetailWords:
    """What an action says of itself in Chinese; English in the parts that have none."""

    blast_radius: str
    undo: str
    verification: str
    warnings: tuple[str, ...]
    outcome: str
    evidence: str
    reason: str


@dataclass(frozen=True, slots=True)
class ActionDetail:
    """The rest of an action: its preview, its decisions and its evidence."""

    diff: str
    blast_radius: str
    undo: str
    verification: str
    risk: str
    warnings: tuple[str, ...]
    requested_at: str
    """The front the request came from."""
    expires_at: datetime
    needed: int
    approvers: tuple[str, ...]
    decisions: tuple[DecisionRow, ...]
    rule: str | None
    """The pre-approved class (or the approval of another action) that said yes."""
    outcome: str
    evidence: str
    reason: str
    undone_by: int | None
    zh: DetailWords | None = None


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action of the ledger as tools may read it (``what changed lately?``)."""

    number: int
    id: str
    tool: str
    args: Mapping[str, Json]
    title: str
    target: str
    """``kind/name`` of what it acts on."""
    state: str
    requested_by: str
    decided_by: tuple[str, ...]
    created_at: datetime
    changed_at: datetime
    summary: str = ""
    """Outcome, evidence or reason, in one sentence."""
    undoes: int | None = None
    details: Mapping[str, Json] = field(default_factory=dict[str, "Json"])
    more: ActionDetail | None = None
    title_zh: str = ""
    summary_zh: str = ""

    def title_in(self, lang: str) -> str:
        """The title; English where there is no Chinese."""
        return (lang == "zh" and self.title_zh) or self.title

    def summary_in(self, lang: str) -> str:
        """The summary; English where there is no Chinese."""
        return (lang == "zh" and self.summary_zh) or self.summary


class ActionLog(Protocol):
    """The ledger, read only."""

    def rows(
        self,
        *,
        since: datetime | None = None,
        states: Sequence[str] = (),
        target: str | None = None,
        limit: int = 200,
    ) -> Sequence[ActionRow]:
        """Newest first."""
        ...

    def row(self, number: int) -> ActionRow | None:
        """One action, or ``None``."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """How each port is built: given to :class:`World` by the composition root."""

    platforms: Callable[[World], Platforms]
    registry: Callable[[World], Registry]
    jobs: Callable[[World], Jobs]
    more: Mapping[str, Callable[[World], Any]] = field(
        default_factory=dict[str, "Callable[[World], Any]"]
    )
    """Ports of further rooms by name; each room offers a typed accessor over :meth:`World.port`."""


class World:
    """What a tool may look at and act on."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        home: Path,
        store: Store,
        clock: Clock,
        actions: ActionLog,
        ports: Ports,
    ) -> None:
        self.fleet = fleet
        self.home = home
        """STEWARD_HOME: state, artefacts, logs, charts."""
        self.store = store
        self.clock = clock
        self.actions = actions
        self._ports = ports
        self._built: dict[str, Any] = {}
        self._building = RLock()

    @cached_property
    def platforms(self) -> Platforms:
        """Where deployments run."""
        return self._ports.platforms(self)

    @cached_property
    def registry(self) -> Registry:
        """Model versions."""
        return self._ports.registry(self)

    @cached_property
    def jobs(self) -> Jobs:
        """Training and other long work."""
        return self._ports.jobs(self)

    def port(self, name: str) -> Any:
        """A further port by name (``telemetry``, ``alerts``, ``schedules``, ``notices``)."""
        with self._building:  # a summary asks from several threads
            if name not in self._built:
                self._built[name] = self._ports.more[name](self)
            return self._built[name]
