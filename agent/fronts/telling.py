"""Tells a front what happens to incidents: at once after a webhook, else every few seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agent.fronts.inbox import Inbox
from agent.fronts.leadership import lead
from agent.fronts.notes import IncidentNote
from agent.fronts.threads import call, kicked
from tools.errors import ToolError

EVERY = 2.0
"""Seconds between looks; incidents of this machine's own rules come without a webhook."""
log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who is told."""

    async def tell(self, note: IncidentNote) -> None:
        """Tell one note, once however often it is handed over."""
        ...


@dataclass(slots=True)
class Telling:
    """One of all replicas tells, so that each note is told once."""

    listener: Listener
    notes: Callable[[], Sequence[IncidentNote]]
    inbox: Inbox
    arrived: asyncio.Event
    """Set when alerts were stored."""
    _told: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Incident → notes this process told last: the same ones need no second look."""

    async def run(self, ready: Callable[[], bool]) -> None:
        """Until cancelled."""
        while True:
            try:
                if ready() and await call(lambda: lead(self.inbox, "incidents"), "lead-incidents"):
                    await self._round()
            except ToolError as error:
                log.warning("incidents could not be told", extra={"why": error.en})
            except Exception as error:  # the next alert must still be told
                log.error("telling incidents broke", exc_info=error)
            await kicked(self.arrived, EVERY)

    async def _round(self) -> None:
        by_incident: dict[str, list[IncidentNote]] = {}
        for note in await call(self.notes, "incidents"):
            by_incident.setdefault(note.incident, []).append(note)
        for incident, notes in by_incident.items():
            ids = [note.id for note in notes]
            if self._told.get(incident) == ids:
                continue
            try:
                for note in notes:
                    await self.listener.tell(note)
                self._told[incident] = ids
            except ToolError as error:
                said = {"incident": incident, "why": error.en}
                log.warning("an incident could not be told", extra=said)
