"""Schedules kept in the database, together with those of steward.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, cast

from tools.errors import Refused, unknown
from tools.schedules.base import Due, Missed, Run, Schedule
from tools.schedules.cron import count, following, newest
from tools.schedules.runs import Runs, text_of, time_of
from tools.schedules.written import written
from tools.zone import zone_named

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tools.world import World

PUNCTUAL = timedelta(minutes=2)
"""A slot this young is served even where missed ones are skipped."""


def build(world: World) -> SqlSchedules:
    """The schedules port of a world."""
    return SqlSchedules(world)


class SqlSchedules:
    """:class:`tools.schedules.base.Schedules` over the store."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._runs = Runs(world.store)
        self._asleep: dict[str, datetime] = {}
        """Schedule → nothing before then needs looking at (this process's own memory)."""

    @property
    def _t(self) -> Any:
        from tools.schedules import tables

        self._world.store.ensure(tables.tables)
        return tables

    def all(self) -> Sequence[Schedule]:
        """Those in force, by name."""
        found = [*self._kept(), *self._written()]
        return tuple(sorted(found, key=lambda s: s.name))

    def _written(self) -> list[Schedule]:
        wanted = written(self._world.fleet)
        if not wanted:
            return []
        t = self._t
        query = t.select(t.jobs.c.uid, t.jobs.c.since).where(
            t.jobs.c.uid.in_([s.uid for s in wanted])
        )
        with self._world.store.read() as c:
            since = {row.uid: time_of(row.since) for row in c.execute(query)}
        met = self._world.clock.now()
        for schedule in wanted:
            if schedule.uid not in since:
                with self._world.store.write() as c:
                    self._insert(c, replace(schedule, name=schedule.uid, since=met))
        return [replace(s, since=since.get(s.uid, met)) for s in wanted]

    def _kept(self) -> list[Schedule]:
        t = self._t
        query = t.select(t.jobs).where(
            t.jobs.c.ended_at.is_(None) & (t.jobs.c.name != t.jobs.c.uid)
        )
        with self._world.store.read() as c:
            return [_schedule(row) for row in c.execute(query)]

    def named(self, name: str) -> Schedule:
        """Raises ``BadArguments`` with the nearest names."""
        found = {s.name: s for s in self.all()}
        folded = {n.casefold(): s for n, s in found.items()}
        schedule = found.get(name) or folded.get(name.casefold())
        if schedule is None:
            raise unknown("scheduled summary", name, found, "定时总结")
        return schedule

    def add(self, schedule: Schedule) -> None:
        """Put it in force; the same ``uid`` does so once."""
        t = self._t
        taken = t.jobs.c.ended_at.is_(None) & (t.jobs.c.name == schedule.name)
        with self._world.store.write() as c:
            if self._insert(c, schedule):
                return
            row = c.execute(t.select(t.jobs.c.uid).where(taken)).first()
            if row is not None and row.uid != schedule.uid:
                raise Refused(
                    f"There is a scheduled summary named {schedule.name} already.",
                    f"已存在名为 {schedule.name} 的定时总结。",
                )

    def _insert(self, c: Connection, s: Schedule) -> bool:
        values = {
            "uid": s.uid,
            "name": s.name,
            "cron": s.cron,
            "timezone": s.timezone,
            "channel": s.channel,
            "window": s.window,
            "missed": s.missed,
            "grace": int(s.grace.total_seconds()),
            "since": text_of(s.since),
        }
        statement = self._world.store.insert_ignoring(self._t.jobs).values(**values)
        return c.execute(statement).rowcount == 1

    def end(self, uid: str, action_id: str) -> bool:
        """Take it out of force; false when it was out already."""
        t = self._t
        statement = (
            t.update(t.jobs)
            .where((t.jobs.c.uid == uid) & t.jobs.c.ended_at.is_(None))
            .values(ended_at=text_of(self._world.clock.now()), ended_by=action_id)
        )
        with self._world.store.write() as c:
            return c.execute(statement).rowcount == 1

    def made_by(self, action_id: str) -> bool:
        """Whether this action put a schedule in force."""
        return self._any(self._t.jobs.c.uid == action_id)

    def ended_by(self, action_id: str) -> bool:
        """Whether this action ended one."""
        return self._any(self._t.jobs.c.ended_by == action_id)

    def _any(self, condition: Any) -> bool:
        t = self._t
        with self._world.store.read() as c:
            return c.execute(t.select(t.jobs.c.uid).where(condition)).first() is not None

    def claim(self, owner: str) -> Sequence[Due]:
        """Slots due now that nobody serves."""
        now = self._world.clock.now()
        taken: list[Due] = []
        for schedule in self.all():
            if self._asleep.get(schedule.uid, now) > now:
                continue
            due = self._claim_one(schedule, owner, now)
            if due is not None:
                taken.append(due)
        return taken

    def _claim_one(self, schedule: Schedule, owner: str, now: datetime) -> Due | None:
        zone = zone_named(schedule.timezone)
        patience = schedule.grace if schedule.missed == "catch_up" else PUNCTUAL
        at = newest(schedule.cron, zone, max(schedule.since, now - max(patience, PUNCTUAL)), now)
        if at is None or self._runs.over(schedule.uid, at):
            upcoming = following(schedule.cron, zone, now, 1)
            self._asleep[schedule.uid] = upcoming[0] if upcoming else now + timedelta(days=1)
            return None
        last = self._runs.last(schedule.uid)
        attempt = self._runs.take(schedule.uid, at, owner, now)
        if not attempt:
            return None
        after = last.at if last else schedule.since
        return Due(schedule, at, attempt, missed=count(schedule.cron, zone, after, at))

    def renew(self, due: Due, owner: str) -> bool:
        """Say that ``owner`` still serves it."""
        return self._runs.renew(due.schedule.uid, due.at, owner, self._world.clock.now())

    def finish(self, due: Due, owner: str, state: Literal["done", "failed"], note: str) -> bool:
        """Record how it went."""
        now = self._world.clock.now()
        return self._runs.finish(due.schedule.uid, due.at, owner, now, state, note)

    def last_run(self, uid: str) -> Run | None:
        """The newest slot anybody took."""
        return self._runs.last(uid)


def _schedule(row: Any) -> Schedule:
    return Schedule(
        uid=row.uid,
        name=row.name,
        cron=row.cron,
        timezone=row.timezone,
        channel=row.channel,
        window=row.window,
        since=time_of(row.since),
        missed=cast("Missed", row.missed),
        grace=timedelta(seconds=row.grace),
    )
