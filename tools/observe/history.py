"""The embedded history: numbers over time in the store, thinned out as they age.

Raw samples are kept for six hours and five-minute roll-ups (mean, low, high) for thirty days, so
that a machine with a hundred series stays below a hundred megabytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tools.observe.base import Point, Sample, Series
from tools.observe.history_tables import tables
from tools.observe.metrics import unit_of
from tools.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

RAW_KEPT = timedelta(hours=6)
ROLLED_KEPT = timedelta(days=30)
BUCKET = timedelta(minutes=5)
MOST_POINTS = 2000
"""At most so many points a series are answered; more are averaged."""
_ENOUGH_BUCKETS = 12


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is usual for a series: from its roll-ups of the last seven days."""

    median: float
    high: float
    """The 95th percentile."""
    hours: float
    """Hours of history behind it."""


class History:
    """Numbers over time, safe to use from several processes at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._data, self._series, self._samples, self._rollups, self._turns = tables()
        self._ids: dict[tuple[str, str], int] = {}
        self._there = False

    def _open(self) -> None:
        if not self._there:
            self._store.ensure(self._data)
            self._there = True

    def record(self, samples: Sequence[Sample], now: datetime) -> None:
        """Keep the finite ones; the same series at the same millisecond is kept once."""
        kept = [s for s in samples if math.isfinite(s.value)]
        if not kept:
            return
        self._open()
        keys = [(s.metric, _label_text(s.labels)) for s in kept]
        with self._store.write() as connection:
            ids = self._identities(connection, set(keys))
            rows = [
                {"series": ids[key], "at": _ms(s.at or now), "value": float(s.value)}
                for s, key in zip(kept, keys, strict=True)
            ]
            connection.execute(self._store.insert_ignoring(self._samples), rows)
        self._ids.update(ids)  # only now are they certain to be committed

    def _identities(
        self, connection: Connection, keys: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], int]:
        from sqlalchemy import select

        ids = dict(self._ids)
        new = [{"metric": m, "labels": t} for m, t in keys if (m, t) not in ids]
        if new:
            table = self._series
            connection.execute(self._store.insert_ignoring(table), new)
            names = {row["metric"] for row in new}
            known = connection.execute(select(table).where(table.c.metric.in_(names)))
            ids.update({(metric, labels): identity for identity, metric, labels in known})
        return ids

    def metrics(self) -> Sequence[str]:
        """Names with at least one series."""
        from sqlalchemy import select

        self._open()
        with self._store.read() as connection:
            column = self._series.c.metric
            return list(connection.execute(select(column).distinct().order_by(column)).scalars())

    def series(
        self, metric: str, since: datetime, until: datetime, labels: Mapping[str, str] | None = None
    ) -> Sequence[Series]:
        """Series of ``metric`` whose labels include ``labels``; those without points are left out.

        Beyond the raw samples the mean of each five minutes stands in.
        """
        self._open()
        found: list[Series] = []
        with self._store.read() as connection:
            for identity, kept in self._matching(connection, metric, labels or {}):
                points = self._points(connection, identity, _ms(since), _ms(until))
                if points:
                    found.append(Series(metric, kept, unit_of(metric), _thin(points)))
        return found

    def _matching(
        self, connection: Connection, metric: str, labels: Mapping[str, str]
    ) -> list[tuple[int, dict[str, str]]]:
        from sqlalchemy import select

        table = self._series
        query = select(table.c.id, table.c.labels).where(table.c.metric == metric)
        rows = [(i, json.loads(text)) for i, text in connection.execute(query.order_by(table.c.id))]
        return [(i, d) for i, d in rows if all(d.get(k) == v for k, v in labels.items())]

    def _points(self, connection: Connection, identity: int, since: int, until: int) -> list[Point]:
        from sqlalchemy import select

        raw, old = self._samples, self._rollups
        recent = connection.execute(
            select(raw.c.at, raw.c.value)
            .where(raw.c.series == identity, raw.c.at >= since, raw.c.at <= until)
            .order_by(raw.c.at)
        ).all()
        first = recent[0][0] if recent else until
        width = int(BUCKET.total_seconds() * 1000)
        earlier = connection.execute(
            select(old.c.at, old.c.mean)
            .where(old.c.series == identity, old.c.at >= since, old.c.at + width <= first)
            .order_by(old.c.at)
        ).all()
        middle = width // 2
        return [
            *((_time(at + middle), value) for at, value in earlier),
            *((_time(at), value) for at, value in recent),
        ]

    def baseline(self, metric: str, labels: Mapping[str, str], until: datetime) -> Baseline | None:
        """What was usual in the week before ``until``; ``None`` with less than an hour of it."""
        from sqlalchemy import select

        self._open()
        table = self._rollups
        since = _ms(until - timedelta(days=7))
        with self._store.read() as connection:
            for identity, kept in self._matching(connection, metric, labels):
                if kept != dict(labels):
                    continue
                query = select(table.c.mean).where(
                    table.c.series == identity, table.c.at >= since, table.c.at < _ms(until)
                )
                values = sorted(connection.execute(query).scalars())
                if len(values) < _ENOUGH_BUCKETS:
                    return None
                high = values[min(int(0.95 * len(values)), len(values) - 1)]
                hours = len(values) * BUCKET.total_seconds() / 3600
                return Baseline(values[len(values) // 2], high, hours)
        return None

    def compact(self, now: datetime) -> None:
        """Roll up complete five-minute buckets, then drop what is too old. Safe to repeat."""
        from sqlalchemy import delete, func, select

        self._open()
        raw, old = self._samples, self._rollups
        width = int(BUCKET.total_seconds() * 1000)
        bucket = raw.c.at - raw.c.at % width
        with self._store.write() as connection:
            done = connection.execute(select(func.max(old.c.at))).scalar()
            query = (
                select(
                    raw.c.series,
                    bucket.label("at"),
                    func.avg(raw.c.value),
                    func.min(raw.c.value),
                    func.max(raw.c.value),
                    func.count(),
                )
                .where(raw.c.at >= (0 if done is None else done + width))
                .where(raw.c.at < _ms(now) - _ms(now) % width)
                .group_by(raw.c.series, bucket)
            )
            names = ["series", "at", "mean", "low", "high", "samples"]
            connection.execute(self._store.insert_ignoring(old).from_select(names, query))
            connection.execute(delete(raw).where(raw.c.at < _ms(now - RAW_KEPT)))
            connection.execute(delete(old).where(old.c.at < _ms(now - ROLLED_KEPT)))

    def my_turn(self, owner: str, now: datetime, interval: timedelta) -> bool:
        """Whether ``owner`` should sample now; another process that does so keeps the turn."""
        from sqlalchemy import insert, select, update

        self._open()
        table = self._turns
        with self._store.write() as connection:
            row = connection.execute(select(table.c.owner, table.c.at)).first()
            if row is None:
                connection.execute(insert(table).values(id=1, owner=owner, at=_ms(now)))
                return True
            if row[0] != owner and _ms(now) - row[1] < 3 * interval.total_seconds() * 1000:
                return False
            connection.execute(update(table).values(owner=owner, at=_ms(now)))
            return True


def _thin(points: Sequence[Point]) -> tuple[Point, ...]:
    if len(points) <= MOST_POINTS:
        return tuple(points)
    width = -(-len(points) // MOST_POINTS)
    groups = (points[i : i + width] for i in range(0, len(points), width))
    return tuple((g[len(g) // 2][0], sum(v for _, v in g) / len(g)) for g in groups)


def _label_text(labels: Mapping[str, str]) -> str:
    return json.dumps(dict(sorted(labels.items())), ensure_ascii=False)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
