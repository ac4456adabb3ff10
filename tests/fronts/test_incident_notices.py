"""Incidents as notices: routed by severity, escalated until somebody has them or they are over."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from agent.commands.incident_notes import notes_of
from agent.commands.incident_notices import acknowledger, publisher
from tests.support import FakeClock, make_world
from tools.alerts.base import alerts
from tools.alerts.book import build as build_alerts
from tools.fleet import Fleet
from tools.notices.base import notices
from tools.notices.outbox import build as build_notices
from tools.world import World

SECTION = {
    "targets": {"team": {"file": "team.log"}, "boss": {"file": "boss.log"}},
    "routes": {"critical": ["team"]},
    "escalation": {"critical": {"after": "10m", "to": ["boss"]}},
}


def notifying_world(home: Path, section: Any, clock: FakeClock) -> World:
    fleet = Fleet(path=None, sections={"notices": section, "schedules": {"timezone": "UTC"}})
    ports = {"notices": build_notices, "alerts": build_alerts}
    return make_world(home, fleet=fleet, clock=clock, more=ports)


def alert(clock: FakeClock, status: str, starts: str, severity: str = "page") -> dict[str, Any]:
    labels = {"alertname": "HighLatency", "deployment": "digits", "severity": severity}
    one = {"status": status, "labels": labels, "startsAt": starts, "fingerprint": "f"}
    one["annotations"] = {"summary": "p99 is 3 s"}
    if status == "resolved":
        one["endsAt"] = clock.now().isoformat()
    return {"version": "4", "alerts": [one]}


def lines(world: World, name: str) -> list[str]:
    notices(world).drain()
    path = world.home / name
    return [x for x in path.read_text().splitlines() if "HighLatency" in x] if path.exists() else []


def test_a_page_reaches_its_route_and_climbs_until_somebody_has_it(tmp_path: Path) -> None:
    clock = FakeClock()
    world = notifying_world(tmp_path, SECTION, clock)
    notes = notes_of(world)
    publish = publisher(world, notes)
    begun = clock.now().isoformat()
    alerts(world).receive(alert(clock, "firing", begun))
    for _ in range(3):
        publish()
    publisher(world, notes_of(world))()  # another process
    assert len([x for x in lines(world, "team.log") if "p99 is 3 s" in x or "Incident 1" in x]) > 0
    sent = [n for n in notices(world).recent() if n.target == "team"]
    assert len(sent) == 1
    clock.sleep(timedelta(minutes=11).total_seconds())
    notices(world).escalate()
    assert [n.target for n in notices(world).recent()].count("boss") == 1
    thread = next(note.thread for note in notes() if note.change == "opened")
    assert acknowledger(world)(thread, "ana")
    assert not acknowledger(world)(thread, "bob")
    alerts(world).receive(alert(clock, "resolved", begun))
    publish()
    assert len([n for n in notices(world).recent() if n.target == "team"]) == 2
    clock.sleep(3600)
    notices(world).escalate()
    assert [n.target for n in notices(world).recent()].count("boss") == 1


def test_what_fires_again_after_its_end_is_told_anew_and_its_end_stops_the_calls(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    world = notifying_world(tmp_path, SECTION, clock)
    publish = publisher(world, notes_of(world))
    for _ in range(2):
        begun = clock.now().isoformat()
        alerts(world).receive(alert(clock, "firing", begun))
        publish()
        clock.sleep(30)
        alerts(world).receive(alert(clock, "resolved", begun))
        publish()
        clock.sleep(30)
    assert len([n for n in notices(world).recent() if n.target == "team"]) == 4
    clock.sleep(7200)
    assert notices(world).escalate() == 0


def test_a_severity_without_a_route_is_silent(tmp_path: Path) -> None:
    clock = FakeClock()
    world = notifying_world(tmp_path, SECTION, clock)
    alerts(world).receive(alert(clock, "firing", clock.now().isoformat(), "warning"))
    publisher(world, notes_of(world))()
    assert notices(world).recent() == []
