"""``steward serve``: the service, with what watches and reports beside the fronts."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from agent.bootstrap import App
from agent.commands.exits import OK

if TYPE_CHECKING:
    from agent.fronts.notes import IncidentNote
    from agent.fronts.service import Job
    from tools.words import Lang


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM."""
    from agent import work
    from agent.fronts.service import Parts, serve
    from tools.alerts.base import alerts

    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    app = App.start(fleet=options.fleet)
    book = alerts(app.world)
    parts = Parts(
        gone=work.is_gone,
        receive_alerts=book.receive,
        incident_notes=_incidents(app),
        jobs=_jobs(app),
    )
    serve(app.assistant, app.settings, parts)
    return OK


def _jobs(app: App) -> tuple[Job, ...]:
    """The sampler (it evaluates the alert rules too) and the duties of the clock."""
    from agent.fronts.scheduler import Hands, Scheduler
    from agent.fronts.service import Job
    from tools.notices.base import notices
    from tools.observe.sampler import build_sampler
    from tools.schedules.base import schedules
    from tools.summary.chart import chart
    from tools.summary.reporting import summarise

    world = app.world
    sampler = build_sampler(world)
    clock = Scheduler(
        Hands(
            slots=schedules(world),
            outbox=notices(world),
            ask=app.assistant.handle,
            summary=lambda window, lang: summarise(world, window).say(lang),
            now=world.clock.now,
            language=cast("Lang", app.fleet.language),
            chart=lambda window: chart(world, window),
        ),
        owner=app.door.owner,
    )
    duties = tuple(Job(d.name, d.every, d.run) for d in clock.duties())
    return (Job("sample", 5.0, lambda _post: _ignore(sampler.tick())), *duties)


def _ignore(_value: object) -> None:
    return None


def _incidents(app: App) -> Callable[[], Sequence[IncidentNote]]:
    """Open and newly resolved incidents as notes; the front tells each once."""
    from agent.fronts.notes import IncidentNote
    from tools.alerts.base import alerts

    def notes() -> Sequence[IncidentNote]:
        found: list[IncidentNote] = []
        book = alerts(app.world)
        for incident in book.incidents(open_only=False, limit=50):
            name = str(incident.number)
            change = "opened" if incident.firing else "resolved"
            first = next(iter(book.members(incident.number)), None)
            touched = ", ".join(incident.entities[:8])
            text = f"{incident.firing} firing, {incident.resolved} resolved. {touched}"
            ask = f"diagnose {first.name}" if first and incident.firing else ""
            found.append(
                IncidentNote(f"{name}:{change}", name, change, incident.title, text, ask=ask)
            )
        return found

    return notes
