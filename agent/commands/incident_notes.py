"""Incidents as notes for people: what fires, since when, what it touches; at the end the timeline."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from agent.commands.incident_notices import escalates
from agent.fronts.notes import IncidentNote
from agent.redaction import mask, visible
from tools.actions.wording import state_words
from tools.alerts.base import AlertRecord, Incident, alerts
from tools.amounts import span
from tools.notices.base import notices
from tools.zone import moment, zone_of

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World

MEMBERS = 5
"""Alerts told in a note; the rest is a count."""
STEPS = (2, 3, 5, 10, 30, 100, 300, 1000)
"""An incident that grows is told again at these sizes, so that a storm stays a few lines."""
LOUDEST = ("page", "critical", "error", "warning", "info")
LINES = 30
"""Lines of a timeline."""
CHART = "1h"
RECENT = timedelta(days=7)
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,79}")


def notes_of(world: World) -> Callable[[], Sequence[IncidentNote]]:
    """What happened to the newest incidents; the front tells each note once."""
    known: dict[int, tuple[tuple[int, int], list[IncidentNote]]] = {}

    def notes() -> Sequence[IncidentNote]:
        found: list[IncidentNote] = []
        for incident in recent(world):
            stands = (incident.firing, incident.resolved)
            if incident.number not in known or known[incident.number][0] != stands:
                known[incident.number] = (stands, list(_notes(world, incident)))
            told = known[incident.number][1]
            found += [*told, *(t for note in told if (t := _taken(world, note)))]
        return found

    return notes


def _taken(world: World, opened: IncidentNote) -> IncidentNote | None:
    """That a person has it, once one does; however they said so."""
    if opened.change != "opened" or not opened.thread:
        return None
    who = notices(world).acknowledged_by(opened.thread)
    if who is None:
        return None
    said = f"{who} 正在处理" if world.fleet.language == "zh" else f"{who} has it"
    id = f"{opened.incident}:taken:{opened.thread}"
    return replace(opened, id=id, change="taken", text=said, ask="", chart=None)


def recent(world: World) -> Sequence[Incident]:
    """Oldest first: those that fire, and those that ended not long ago."""
    since = world.clock.now() - RECENT
    found = alerts(world).incidents(open_only=False, limit=100)
    return [i for i in reversed(found) if i.firing or i.updated_at >= since]


def _notes(world: World, incident: Incident) -> Iterator[IncidentNote]:
    members = list(alerts(world).members(incident.number))
    if not members:
        return
    lang = cast("Lang", world.fleet.language)
    name, title = str(incident.number), visible(incident.title)
    worst, episode = worst_of(members), _episode(members)
    thread = thread_of(world, incident.number, members)
    if not incident.firing:
        ended = max(_end(m) for m in members)
        id = f"{name}:resolved:{len(members)}:{int(ended.timestamp())}"
        late = world.clock.now() - ended > timedelta(hours=1)
        said = _Story(world, incident, members, lang).text(ended)
        told = IncidentNote(id, name, "resolved", title, said, severity=worst, thread=thread)
        yield replace(told, quiet=late)
        return
    said = "\n".join(_what_fires(world, incident, members, lang))
    draw = partial(_chart, world)
    id, ask = f"{name}:opened{episode}", _ask(members, lang)
    yield IncidentNote(id, name, "opened", title, said, draw, ask, worst, thread)
    size = max((s for s in STEPS if s <= len(members)), default=0)
    if size:
        said = _joined(members[1:], len(members), lang)
        yield IncidentNote(f"{name}:joined:{size}", name, "joined", title, said)


def thread_of(world: World, number: int, members: Sequence[AlertRecord]) -> str:
    """What escalates for an incident until somebody has it; empty where nothing does."""
    escalating = escalates(world, worst_of(members))
    return f"incident:{number}{_episode(members)}" if escalating else ""


def _episode(members: Sequence[AlertRecord]) -> str:
    """Marks that everything had ended before it fired again: worth telling anew."""
    episode, until = "", None
    for alert in sorted(members, key=lambda m: m.starts_at):
        if until is not None and alert.starts_at >= until:
            episode = f":{int(until.timestamp())}"
        end = _end(alert) if alert.state == "resolved" else datetime.max.replace(tzinfo=UTC)
        until = end if until is None else max(until, end)
    return episode


def worst_of(members: Sequence[AlertRecord]) -> str:
    """The loudest severity of those that fire, or of all when none does."""
    firing = [m.severity for m in members if m.state == "firing"]
    found = firing or [m.severity for m in members]
    return next((s for s in LOUDEST if s in found), found[0])


def _what_fires(
    world: World, incident: Incident, members: Sequence[AlertRecord], lang: Lang
) -> Iterator[str]:
    zh = lang == "zh"
    firing = [m for m in members if m.state == "firing"]
    zone = zone_of(world.fleet)
    for alert in firing[:MEMBERS]:
        since = moment(alert.starts_at, zone, lang)
        told = alert.annotations.get("summary") or alert.annotations.get("description") or ""
        stop = ("：" if zh else ": ") if told else ("。" if zh else ".")
        severity = f" ({alert.severity})" if alert.severity else ""
        fires = f"自 {since} 起触发" if zh else f"fires since {since}"
        yield f"{_clean(alert.name)}{severity} {fires}{stop}{_clean(told)}"
    if len(firing) > MEMBERS:
        rest = len(firing) - MEMBERS
        yield f"另有 {rest} 条告警。" if zh else f"{rest} more alerts fire with it."
    if incident.entities:
        touched = ", ".join(_clean(e).replace(":", " ", 1) for e in incident.entities[:8])
        yield f"涉及：{touched}" if zh else f"It is about {touched}."


def _joined(rest: Sequence[AlertRecord], count: int, lang: Lang) -> str:
    newest = list(dict.fromkeys(_clean(m.name) for m in rest[-MEMBERS:]))
    names = ", ".join(newest)
    if lang == "zh":
        return f"同一事件现有 {count} 条告警，最近加入：{names}。"
    return f"{count} alerts belong to this incident now; the latest: {names}."


def _ask(members: Sequence[AlertRecord], lang: Lang) -> str:
    """The question Steward asks itself. A name that is not plainly a name is not repeated."""
    first = next((m for m in members if m.state == "firing"), members[0])
    name = first.name if _PLAIN.fullmatch(first.name) else first.fingerprint
    if not _PLAIN.fullmatch(name) and not name.isalnum():
        return ""
    return f"诊断告警 {name}" if lang == "zh" else f"diagnose {name}"


def _chart(world: World) -> Path:
    from tools.summary.chart import chart

    return chart(world, CHART)


@dataclass(frozen=True, slots=True)
class _Story:
    """One incident from its first alert to its end."""

    world: World
    incident: Incident
    members: Sequence[AlertRecord]
    lang: Lang

    def text(self, ended: datetime) -> str:
        """How long it took, and what happened when."""
        began = min(m.starts_at for m in self.members)
        zone = zone_of(self.world.fleet)
        events = sorted([*self._alerts(), *self._actions(began, ended)])
        lines = [f"{at.astimezone(zone):%H:%M:%S} {said}" for at, said in events]
        if len(lines) > LINES:
            left = len(lines) - LINES
            lines[LINES // 2 : -(LINES // 2)] = [f"… {left}"]
        length = span(ended - began, self.lang)
        if self.lang == "zh":
            return "\n".join([f"已恢复，历时 {length}。时间线（{zone.key}）：", *lines])
        return "\n".join([f"Resolved after {length}. Timeline ({zone.key}):", *lines])

    def _alerts(self) -> Iterator[tuple[datetime, str]]:
        zh = self.lang == "zh"
        for alert in self.members:
            name = _clean(alert.name)
            severity = f" ({alert.severity})" if alert.severity else ""
            yield alert.starts_at, f"{name}{severity} {'触发' if zh else 'fires'}"
            yield _end(alert), f"{name} {'恢复' if zh else 'resolved'}"

    def _actions(self, began: datetime, ended: datetime) -> Iterator[tuple[datetime, str]]:
        zh = self.lang == "zh"
        for row in self.world.actions.rows(since=began, limit=50):
            if row.created_at > ended:
                continue
            what = f"操作 {row.number}" if zh else f"action {row.number}"
            proposed = "提议" if zh else "proposed"
            yield row.created_at, f"{what} {proposed}: {_clean(row.title_in(self.lang))}"
            for said in row.more.decisions if row.more else ():
                verb = _VERBS[said.verdict][1 if zh else 0]
                yield said.at, f"{what} {verb} {_clean(said.who)}"
            yield row.changed_at, f"{what}: {state_words(row.state, 'zh') if zh else row.state}"


_VERBS = {"approve": ("approved by", "批准："), "reject": ("rejected by", "拒绝：")}


def _end(alert: AlertRecord) -> datetime:
    return alert.ends_at or alert.received_at


def _clean(text: str) -> str:
    one = " ".join(visible(mask(text)).split())
    return one if len(one) <= 300 else f"{one[:299]}…"
