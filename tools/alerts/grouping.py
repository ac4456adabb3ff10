"""Alerts into incidents, along directed cause edges; a batch at a time, with no state of its own.

An alert joins an incident that claims something above it (its node, its GPU, its job); an alert
that arrives late absorbs the incidents it explains; many roots of one name in a short time are one
burst. Nothing is ever linked through two weak keys, so independent incidents stay apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tools.alerts.base import AlertRecord
from tools.alerts.entities import LEVELS, Entities, entities, level_of

WINDOW = timedelta(minutes=5)
"""Alerts further apart than this are not linked."""
BURST = 5
"""So many roots of one name within the window are one incident."""
STORM = 500
"""So many alerts within the window lower :data:`BURST` to two."""
OVERLAP = 3
"""Bursts at one level that meet on so many entities are one incident."""
_JOB = LEVELS.index("job")
_FUNDAMENTAL = (
    "NodeDown",
    "KubeNodeNotReady",
    "NVSwitchFatalSXid",
    "GPUFallenOffBus",
    "GPUXidFatal",
)
"""Names that explain others about the same entity, most fundamental first."""


@dataclass(slots=True)
class Group:
    """An open incident while a batch is grouped."""

    number: int
    root: str
    name: str
    own: str
    level: int
    cluster: str
    opened_at: datetime
    updated_at: datetime
    upstream: tuple[str, ...] = ()
    roots: int = 1
    """How many alerts of the root's name stand at its top."""
    new: bool = False
    dirty: bool = False


@dataclass(slots=True)
class Batch:
    """The outcome: where each alert goes, which incidents changed, which were absorbed."""

    placed: dict[str, int] = field(default_factory=dict[str, int])
    """Key of an alert (see :func:`key_of`) → incident number."""
    absorbed: dict[int, int] = field(default_factory=dict[int, int])
    """Incident → the one that took it over."""
    claims: dict[str, int] = field(default_factory=dict[str, int])
    """Entity → incident; new or changed ones only."""
    groups: dict[int, Group] = field(default_factory=dict[int, Group])


def key_of(alert: AlertRecord) -> str:
    """What makes a firing of an alert one thing: fingerprint and start."""
    return f"{alert.fingerprint}@{alert.starts_at.timestamp():.3f}"


class Grouper:
    """Places one batch of new firing alerts among the open incidents."""

    def __init__(
        self, groups: Iterable[Group], claims: dict[str, int], next_number: int, recent: int
    ) -> None:
        self._groups = {g.number: g for g in groups}
        self._claims = {e: n for e, n in claims.items() if n in self._groups}
        self._next = next_number
        self._recent = recent
        self._batch = Batch()
        self._by_name: dict[tuple[str, str], list[int]] = {}
        self._met: dict[tuple[int, int], int] = {}
        self._waiting: dict[str, set[int]] = {}
        for group in self._groups.values():
            self._index(group)

    def place(self, alerts: Sequence[AlertRecord]) -> Batch:
        """Group them; parents first, so that children find them."""
        found = [(entities(a.name, a.labels), a) for a in alerts]
        self._recent += len(alerts)
        for about, alert in sorted(found, key=lambda p: (p[0].level, p[1].starts_at)):
            self._one(about, alert)
        return self._result()

    def _result(self) -> Batch:
        batch = self._batch
        batch.placed = {k: self._final(n) for k, n in batch.placed.items()}
        batch.claims = {e: self._final(n) for e, n in batch.claims.items()}
        batch.absorbed = {a: self._final(b) for a, b in batch.absorbed.items()}
        batch.groups = {n: g for n, g in self._groups.items() if g.new or g.dirty}
        return batch

    def _final(self, number: int) -> int:
        while number in self._batch.absorbed:
            number = self._batch.absorbed[number]
        return number

    def _one(self, about: Entities, alert: AlertRecord) -> None:
        group = self._above(about, alert) or self._burst(about, alert)
        if group is None:
            group = self._open(about, alert)
        elif (about.level, _fundamental(alert.name)) < (group.level, _fundamental(group.name)):
            self._lift(group, about, alert)
            group = self._merged(alert) or group
        group = self._meet(group, about, alert)
        group.updated_at = max(group.updated_at, alert.starts_at)
        group.dirty = True
        self._batch.placed[key_of(alert)] = group.number
        self._absorb(group, about, alert)
        for entity in (about.own, *about.downstream):
            self._claim(entity, group)

    def _claim(self, entity: str, group: Group) -> None:
        holder = self._groups.get(self._final(self._claims.get(entity, -1)))
        if holder is None or holder is group or holder.level > group.level:
            self._claims[entity] = group.number
            self._batch.claims[entity] = group.number

    def _above(self, about: Entities, alert: AlertRecord) -> Group | None:
        """The most fundamental open incident that claims this alert's entity or one above it."""
        edges = [*about.upstream, about.own]
        if LEVELS.index("pod") == about.level:
            edges += [e for e in about.downstream if level_of(e) == _JOB]  # a job fails as one
        for entity in edges:
            group = self._groups.get(self._final(self._claims.get(entity, -1)))
            if group is not None and self._near(group, alert):
                return group
        return None

    def _near(self, group: Group, alert: AlertRecord) -> bool:
        early, late = group.opened_at - WINDOW, group.updated_at + WINDOW
        return early <= alert.starts_at <= late

    def _burst(self, about: Entities, alert: AlertRecord) -> Group | None:
        """Join, or make, the one incident of many equal roots."""
        first = self._merged(alert, extra=1)
        if first is None:
            return None
        first.roots += 1
        if about.own != first.own:
            first.upstream = tuple(e for e in first.upstream if e in about.upstream)
        return first

    def _merged(self, alert: AlertRecord, *, extra: int = 0) -> Group | None:
        """The incidents whose root has this alert's name as one, if they are many enough."""
        names = (alert.name, alert.labels.get("cluster", ""))
        near = [
            g
            for n in dict.fromkeys(self._by_name.get(names, ()))
            if (g := self._groups.get(n)) is not None
            and g.name == alert.name
            and self._near(g, alert)
        ]
        limit = 2 if self._recent >= STORM else BURST
        if not near or sum(g.roots for g in near) + extra < limit:
            return None
        first = min(near, key=lambda g: (g.opened_at, g.number))
        for other in near:
            if other is not first:
                self._take_over(first, other)
        return first

    def _meet(self, group: Group, about: Entities, alert: AlertRecord) -> Group:
        """Two bursts about the same entities under different names are one."""
        if about.level != group.level or alert.name == group.name:
            return group
        names = (alert.name, alert.labels.get("cluster", ""))
        for number in self._by_name.get(names, ()):
            other = self._groups.get(number)
            if other is None or other is group or not self._near(other, alert):
                continue
            if other.level != group.level or min(other.roots, group.roots) < 2:
                continue
            pair = (min(number, group.number), max(number, group.number))
            self._met[pair] = self._met.get(pair, 0) + 1
            if self._met[pair] < OVERLAP:
                continue
            first, second = sorted((group, other), key=lambda g: (_fundamental(g.name), g.number))
            self._take_over(first, second)
            return first
        return group

    def _open(self, about: Entities, alert: AlertRecord) -> Group:
        group = Group(
            self._next,
            alert.fingerprint,
            alert.name,
            about.own,
            about.level,
            alert.labels.get("cluster", ""),
            alert.starts_at,
            alert.starts_at,
            about.upstream,
            new=True,
        )
        self._next += 1
        self._groups[group.number] = group
        self._index(group)
        return group

    def _index(self, group: Group) -> None:
        self._by_name.setdefault((group.name, group.cluster), []).append(group.number)
        for entity in group.upstream:
            self._waiting.setdefault(entity, set()).add(group.number)

    def _lift(self, group: Group, about: Entities, alert: AlertRecord) -> None:
        """A more fundamental alert about the same thing becomes the root."""
        group.root, group.name = alert.fingerprint, alert.name
        group.own, group.level, group.upstream = about.own, about.level, about.upstream
        group.opened_at = min(group.opened_at, alert.starts_at)
        self._index(group)

    def _absorb(self, group: Group, about: Entities, alert: AlertRecord) -> None:
        """Take over incidents that waited for this alert: their roots are below its entity."""
        for number in list(self._waiting.get(about.own, ())):
            other = self._groups.get(number)
            if other is None or other is group or not self._near(other, alert):
                continue
            if other.level > group.level and about.own in other.upstream:
                self._take_over(group, other)

    def _take_over(self, group: Group, other: Group) -> None:
        self._batch.absorbed[other.number] = group.number
        group.opened_at = min(group.opened_at, other.opened_at)
        group.updated_at = max(group.updated_at, other.updated_at)
        if other.name == group.name:
            group.roots += other.roots
        group.dirty = True
        del self._groups[other.number]


def _fundamental(name: str) -> int:
    return _FUNDAMENTAL.index(name) if name in _FUNDAMENTAL else len(_FUNDAMENTAL)
