"""Alerts received: stored before they are acknowledged, deduplicated, grouped into incidents.

One transaction per delivery: its alerts and the incidents they form become durable together, so a
process killed at any point loses nothing that was acknowledged and repeats nothing it is sent
again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tools.alerts.base import AlertRecord, Received
from tools.alerts.entities import entities
from tools.alerts.grouping import WINDOW, Batch, Group, Grouper, key_of
from tools.alerts.payload import Rejected, parse_payload
from tools.alerts.rows import alert_row, group_of, group_row, seconds
from tools.alerts.tables import metadata, table, upsert

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tools.store import Store
    from tools.world import Clock

_CHUNK = 400
_GROUP_COLUMNS = (
    "root",
    "name",
    "own",
    "level",
    "cluster",
    "opened_at",
    "updated_at",
    "upstream",
    "roots",
)


class Inbox:
    """Where deliveries arrive."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def receive(self, payload: Mapping[str, Any], source: str = "alertmanager") -> Received:
        """Store a webhook v4 payload; returns after the commit. See :class:`base.Alerts`."""
        now = self._clock.now()
        good, bad = parse_payload(payload, now, source)
        self._store.ensure(metadata())
        with self._store.write() as connection:
            self._alone(connection)
            new = self._new(connection, good)
            self._keep(connection, new, bad, now)
        return Received(tuple(new), len(good) - len(new), tuple(b.reason for b in bad))

    def _alone(self, connection: Connection) -> None:
        """Group one delivery at a time: what is new, and the next number, depend on the last one.

        SQLite's write transaction is alone already; on Postgres readers go on beside this lock.
        """
        if not self._store.is_sqlite:
            from sqlalchemy import text

            connection.execute(text("LOCK TABLE alert_incidents IN SHARE ROW EXCLUSIVE MODE"))

    def _new(self, connection: Connection, alerts: Sequence[AlertRecord]) -> list[AlertRecord]:
        """Those not stored yet, a firing and its resolution being two things."""
        by_key: dict[tuple[str, str], AlertRecord] = {}
        for alert in alerts:
            by_key.setdefault((key_of(alert), alert.state), alert)
        stored: dict[str, bool] = {}
        keys = sorted({key for key, _ in by_key})
        rows = table("alerts")
        for chunk in _chunks(keys):
            found = connection.execute(
                rows.select()
                .with_only_columns(rows.c.key, rows.c.firing)
                .where(rows.c.key.in_(chunk))
            )
            stored |= {row.key: bool(row.firing) for row in found}
        new: list[AlertRecord] = []
        for (key, state), alert in by_key.items():
            resolves = state == "resolved" and stored.get(key, True)
            if key not in stored or resolves:
                new.append(alert)
        return new

    def _keep(
        self,
        connection: Connection,
        new: Sequence[AlertRecord],
        bad: Sequence[Rejected],
        now: datetime,
    ) -> None:
        firing = [a for a in new if a.state == "firing"]
        resolved = [a for a in new if a.state == "resolved"]
        batch = self._group(connection, firing) if firing else Batch()
        self._write_groups(connection, batch)
        if firing:
            rows = [alert_row(a, batch.placed.get(key_of(a))) for a in firing]
            connection.execute(self._store.insert_ignoring(table("alerts")), rows)
        for alert in resolved:
            self._resolve(connection, alert)
        if bad:
            rejects = [
                {"received_at": seconds(now), "reason": b.reason[:256], "body": b.body} for b in bad
            ]
            connection.execute(table("alert_rejects").insert(), rejects)

    def _resolve(self, connection: Connection, alert: AlertRecord) -> None:
        rows = table("alerts")
        ends = seconds(alert.ends_at or alert.received_at)
        changed = connection.execute(
            rows.update().where(rows.c.key == key_of(alert)).values(firing=0, ends_at=ends)
        )
        if not changed.rowcount:  # the firing was never seen: keep the resolution by itself
            connection.execute(self._store.insert_ignoring(rows), [alert_row(alert, None)])

    def _group(self, connection: Connection, firing: Sequence[AlertRecord]) -> Batch:
        first = min(seconds(a.starts_at) for a in firing) - WINDOW.total_seconds()
        groups = self._open_groups(connection, first)
        claims = self._claims(connection, firing)
        from sqlalchemy import func, select

        top = connection.execute(select(func.max(table("alert_incidents").c.number))).scalar()
        rows = table("alerts")
        recent = connection.execute(
            select(func.count()).select_from(rows).where(rows.c.starts_at >= first)
        ).scalar()
        return Grouper(groups, claims, int(top or 0) + 1, int(recent or 0)).place(firing)

    def _open_groups(self, connection: Connection, since: float) -> list[Group]:
        rows = table("alert_incidents")
        found = connection.execute(
            rows.select()
            .where(rows.c.updated_at >= since, rows.c.absorbed_by.is_(None))
            .order_by(rows.c.number)
        )
        return [group_of(row) for row in found]

    def _claims(self, connection: Connection, firing: Iterable[AlertRecord]) -> dict[str, int]:
        wanted: set[str] = set()
        for alert in firing:
            about = entities(alert.name, alert.labels)
            wanted |= {about.own, *about.upstream, *about.downstream}
        rows = table("alert_claims")
        claims: dict[str, int] = {}
        for chunk in _chunks(sorted(e[:512] for e in wanted)):
            found = connection.execute(rows.select().where(rows.c.entity.in_(chunk)))
            claims |= {row.entity: row.incident for row in found}
        return claims

    def _write_groups(self, connection: Connection, batch: Batch) -> None:
        sqlite = self._store.is_sqlite
        alerts, incidents = table("alerts"), table("alert_incidents")
        # A number is given once: for a new incident its key refuses a second owner.
        if fresh := [group_row(g) for g in batch.groups.values() if g.new]:
            connection.execute(incidents.insert(), fresh)
        if grown := [group_row(g) for g in batch.groups.values() if not g.new]:
            statement = upsert(sqlite, "alert_incidents", "number", _GROUP_COLUMNS)
            connection.execute(statement, grown)
        for old, into in batch.absorbed.items():
            connection.execute(
                alerts.update().where(alerts.c.incident == old).values(incident=into)
            )
            connection.execute(
                incidents.update().where(incidents.c.number == old).values(absorbed_by=into)
            )
            claims = table("alert_claims")
            connection.execute(
                claims.update().where(claims.c.incident == old).values(incident=into)
            )
        if batch.claims:
            pairs = [{"entity": e[:512], "incident": n} for e, n in batch.claims.items()]
            connection.execute(upsert(sqlite, "alert_claims", "entity", ("incident",)), pairs)


def _chunks(items: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
