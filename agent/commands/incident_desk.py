"""Incidents and who has them, for the HTTP API, the command line and the terminal chat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.commands.incident_notes import notes_of, recent, thread_of, worst_of
from agent.commands.incident_notices import publisher
from agent.errors import NotAllowed, TooLate
from agent.fronts.notes import IncidentState
from agent.redaction import visible
from tools.alerts.base import AlertRecord, Incident, alerts
from tools.errors import BadArguments, unknown
from tools.notices.base import notices

if TYPE_CHECKING:
    from tools.world import World


def desk_of(world: World) -> Desk:
    """The desk of a world."""
    return Desk(world, publisher(world, notes_of(world)))


@dataclass(frozen=True, slots=True)
class Desk:
    """:class:`agent.fronts.notes.IncidentDesk` over the alert book and the outbox."""

    world: World
    publish: Callable[[], None]
    """Writes the notices of new incidents: only then does anything escalate."""

    def incidents(self) -> Sequence[IncidentState]:
        """Those that fire, and those that ended lately; newest first."""
        found = reversed(recent(self.world))
        return [self._state(i, m) for i in found if (m := self._members(i))]

    def have(self, number: int, who: str) -> IncidentState:
        """A person has it: nobody further is called."""
        if who not in self.world.fleet.people:
            raise NotAllowed(
                f"{who} is not a person of steward.yaml; only they can take an incident.",
                f"{who} 不在 steward.yaml 的人员名单中，不能接手事件。",
            )
        members, thread = self._escalating(number)
        box = notices(self.world)
        if not box.acknowledge(thread, who) and box.acknowledged_by(thread) is None:
            self.publish()
            box.acknowledge(thread, who)
        state = self._state(self._incident(number), members)
        if state.taken_by != who:
            raise TooLate(
                f"{state.taken_by} has incident {number} already.",
                f"{state.taken_by} 已在处理事件 {number}。",
            )
        return state

    def _escalating(self, number: int) -> tuple[Sequence[AlertRecord], str]:
        incident = self._incident(number)
        members = self._members(incident)
        if not incident.firing:
            raise TooLate(f"Incident {number} is over.", f"事件 {number} 已结束。")
        thread = thread_of(self.world, number, members)
        if not thread:
            severity = worst_of(members)
            raise BadArguments(
                f"Incident {number} ({severity}) calls nobody further: notices.escalation does "
                "not name its severity.",
                f"事件 {number}（{severity}）不会通知其他人：notices.escalation 没有该级别。",
            )
        return members, thread

    def _incident(self, number: int) -> Incident:
        found = {incident.number: incident for incident in recent(self.world)}
        if number not in found:
            raise unknown("incident", str(number), [str(n) for n in found], "事件")
        return found[number]

    def _members(self, incident: Incident) -> Sequence[AlertRecord]:
        return alerts(self.world).members(incident.number)

    def _state(self, incident: Incident, members: Sequence[AlertRecord]) -> IncidentState:
        thread = thread_of(self.world, incident.number, members)
        taken = notices(self.world).acknowledged_by(thread) if thread else None
        return IncidentState(
            number=incident.number,
            title=visible(incident.title),
            state="firing" if incident.firing else "resolved",
            severity=worst_of(members),
            alerts=len(members),
            opened_at=incident.opened_at,
            escalates=bool(thread),
            taken_by=(taken or "") if incident.firing else "",
        )
