"""The alerts port: what was received and kept here, joined with Alertmanager where there is one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tools.alerts.alertmanager import Alertmanager, from_fleet
from tools.alerts.base import AlertRecord, Feedback, Incident, Received, Silence
from tools.alerts.inbox import Inbox
from tools.alerts.rows import alert_of, feedback_of, incident_of, seconds, silence_of, text
from tools.alerts.tables import metadata, table
from tools.errors import Unavailable

if TYPE_CHECKING:
    from tools.store import Store
    from tools.world import Clock, World


class AlertBook:
    """See :class:`tools.alerts.base.Alerts`."""

    def __init__(self, store: Store, clock: Clock, manager: Alertmanager | None = None) -> None:
        self._store = store
        self._clock = clock
        self._manager = manager
        self._inbox = Inbox(store, clock)
        self.trouble: Unavailable | None = None
        """Why Alertmanager could not be asked the last time; ``None`` when it answered."""

    def receive(self, payload: Mapping[str, Any], source: str = "alertmanager") -> Received:
        """Store a delivery; returns after the commit."""
        return self._inbox.receive(payload, source)

    def alerts(self, state: str | None = None, *, limit: int = 500) -> Sequence[AlertRecord]:
        """Newest first; ``None`` is everything that fires, silenced or not."""
        self._store.ensure(metadata())
        rows = table("alerts")
        wanted = rows.c.firing == (0 if state == "resolved" else 1)
        query = rows.select().where(wanted).order_by(rows.c.starts_at.desc()).limit(limit)
        with self._store.read() as connection:
            found = [alert_of(row) for row in connection.execute(query)]
        if state == "resolved":
            return found
        found = self._with_silences(self._with_live(found, limit))
        if state == "silenced":
            return [a for a in found if a.silenced_by]
        return [a for a in found if not a.silenced_by] if state == "firing" else found

    def _with_live(self, held: list[AlertRecord], limit: int) -> list[AlertRecord]:
        if self._manager is None:
            return held
        try:
            live = self._manager.alerts(self._clock.now())
            self.trouble = None
        except Unavailable as error:
            self.trouble = error
            return held
        incidents = {a.fingerprint: a.incident for a in held}
        joined = [replace(a, incident=incidents.get(a.fingerprint)) for a in live]
        known = {a.fingerprint for a in live}
        # What Alertmanager sent and no longer holds has ended; its own list is the truth.
        own = [a for a in held if a.fingerprint not in known and a.source != "alertmanager"]
        joined.sort(key=lambda a: a.starts_at, reverse=True)
        return (joined + own)[:limit]

    def _with_silences(self, found: list[AlertRecord]) -> list[AlertRecord]:
        now = self._clock.now()
        live = [s for s in self._own_silences() if s.starts_at <= now < s.ends_at]
        return [a if a.silenced_by else replace(a, silenced_by=_silencer(live, a)) for a in found]

    def named(self, name: str) -> Sequence[AlertRecord]:
        """Alerts with this name or fingerprint, firing first, newest first."""
        wanted = name.lower()
        firing = [
            a for a in self.alerts(limit=5000) if wanted in (a.name.lower(), a.fingerprint.lower())
        ]
        from sqlalchemy import func

        rows = table("alerts")
        same = (func.lower(rows.c.name) == wanted) | (rows.c.fingerprint == wanted)
        query = (
            rows.select().where(same, rows.c.firing == 0).order_by(rows.c.starts_at.desc())
        ).limit(50)
        with self._store.read() as connection:
            resolved = [alert_of(row) for row in connection.execute(query)]
        return [*firing, *resolved]

    def incidents(self, *, open_only: bool = True, limit: int = 100) -> Sequence[Incident]:
        """Newest first."""
        from sqlalchemy import case, func, select

        self._store.ensure(metadata())
        groups, rows = table("alert_incidents"), table("alerts")
        firing = func.coalesce(func.sum(case((rows.c.firing == 1, 1), else_=0)), 0)
        query = (
            select(groups, firing.label("firing"), func.count(rows.c.id).label("members"))
            .select_from(groups.outerjoin(rows, rows.c.incident == groups.c.number))
            .where(groups.c.absorbed_by.is_(None))
            .group_by(*groups.c)
            .order_by(groups.c.opened_at.desc(), groups.c.number.desc())
            .limit(limit)
        )
        if open_only:
            query = query.having(firing > 0)
        with self._store.read() as connection:
            found = connection.execute(query).all()
        return [incident_of(r, int(r.firing), int(r.members) - int(r.firing)) for r in found]

    def members(self, incident: int) -> Sequence[AlertRecord]:
        """Alerts of an incident, oldest first, at most 1,000."""
        self._store.ensure(metadata())
        rows = table("alerts")
        query = rows.select().where(rows.c.incident == incident).order_by(rows.c.starts_at)
        with self._store.read() as connection:
            return [alert_of(row) for row in connection.execute(query.limit(1000))]

    def silences(self) -> Sequence[Silence]:
        """In force or still to come, here and in Alertmanager."""
        now = self._clock.now()
        own = [s for s in self._own_silences() if s.ends_at > now]
        if self._manager is None:
            return own
        try:
            own += self._manager.silences()
            self.trouble = None
        except Unavailable as error:
            self.trouble = error
        return own

    def _own_silences(self) -> list[Silence]:
        self._store.ensure(metadata())
        rows = table("alert_silences")
        with self._store.read() as connection:
            return [silence_of(row) for row in connection.execute(rows.select())]

    def silence(self, silence: Silence) -> str:
        """Put a silence in force: in Alertmanager where there is one, else here."""
        if self._manager is not None:
            return self._manager.silence(silence)
        for held in self._own_silences():
            if silence.action_id and held.action_id == silence.action_id:
                return held.id
        row = {
            "id": silence.id or uuid.uuid4().hex[:12],
            "matchers": text(silence.matchers),
            "starts_at": seconds(silence.starts_at),
            "ends_at": seconds(silence.ends_at),
            "created_by": silence.created_by[:256],
            "comment": silence.comment,
            "action_id": silence.action_id,
        }
        with self._store.write() as connection:
            connection.execute(table("alert_silences").insert(), [row])
        return str(row["id"])

    def lift(self, silence_id: str) -> None:
        """End a silence now."""
        now = seconds(self._clock.now())
        self._store.ensure(metadata())
        rows = table("alert_silences")
        ending = rows.update().where(rows.c.id == silence_id, rows.c.ends_at > now)
        with self._store.write() as connection:
            ended = connection.execute(ending.values(ends_at=now)).rowcount
        if not ended and self._manager is not None:
            self._manager.expire(silence_id)

    def feedback(self, playbook: str | None = None) -> Sequence[Feedback]:
        """Verdicts, oldest first."""
        self._store.ensure(metadata())
        rows = table("alert_feedback")
        query = rows.select().order_by(rows.c.id)
        if playbook is not None:
            query = query.where(rows.c.playbook == playbook)
        with self._store.read() as connection:
            return [feedback_of(row) for row in connection.execute(query)]

    def remember(self, feedback: Feedback) -> None:
        """Keep a verdict and mark its incident."""
        self._store.ensure(metadata())
        row = {
            "alert": feedback.alert[:256],
            "playbook": feedback.playbook[:256],
            "cause": feedback.cause[:256],
            "who": feedback.who[:256],
            "at": seconds(feedback.at),
            "incident": feedback.incident,
            "action_id": feedback.action_id,
            "weight": feedback.weight,
        }
        groups = table("alert_incidents")
        taken_back = feedback.weight < 0
        with self._store.write() as connection:
            connection.execute(self._store.insert_ignoring(table("alert_feedback")), [row])
            if feedback.incident is not None:
                connection.execute(
                    groups.update()
                    .where(groups.c.number == feedback.incident)
                    .values(
                        cause=None if taken_back else feedback.cause,
                        confirmed_by=None if taken_back else feedback.who,
                    )
                )


def _silencer(silences: Sequence[Silence], alert: AlertRecord) -> str | None:
    for silence in silences:
        if silence.matchers and all(
            alert.labels.get(name) == value for name, value in silence.matchers.items()
        ):
            return silence.id
    return None


def build(world: World) -> AlertBook:
    """The alerts port of a world."""
    return AlertBook(world.store, world.clock, from_fleet(world.fleet))
