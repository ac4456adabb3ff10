"""``steward serve``: the service, with what watches and reports beside the fronts."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from typing import TYPE_CHECKING, cast

from agent.bootstrap import App
from agent.commands.exits import OK
from agent.commands.log_lines import log_to

if TYPE_CHECKING:
    from agent.fronts.service import Job
    from tools.words import Lang


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM."""
    from agent import work
    from agent.commands.incident_desk import desk_of
    from agent.commands.incident_notes import notes_of
    from agent.commands.incident_notices import acknowledger, publisher
    from agent.fronts.service import Job, Parts, serve
    from tools.alerts.base import alerts

    log_to(sys.stderr)
    app = App.start(fleet=options.fleet)
    book, notes = alerts(app.world), notes_of(app.world)
    publish = publisher(app.world, notes)
    parts = Parts(
        gone=work.is_gone,
        receive_alerts=book.receive,
        incident_notes=notes,
        acknowledge=acknowledger(app.world),
        incidents=desk_of(app.world),
        warm=lambda: _warm(app),
        jobs=(*_jobs(app), Job("alert-notices", 2.0, lambda _post: publish())),
    )
    serve(app.assistant, app.settings, parts)
    return OK


def _warm(app: App) -> None:
    """Load what the first question and the first chart need before anybody waits for them."""
    try:
        _ = app.brain
        importlib.import_module("matplotlib.figure")
    except Exception as error:  # noqa: BLE001  whoever needs it says it better
        logging.getLogger(__name__).info("could not warm up: %s", type(error).__name__)


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
            names=lambda: _names(app),
        ),
        owner=app.door.owner,
    )
    duties = tuple(Job(d.name, d.every, d.run) for d in clock.duties())
    return (Job("sample", 5.0, lambda _post: _ignore(sampler.tick())), *duties)


def _names(app: App) -> frozenset[str]:
    """Whom and what a summary may speak of."""
    fleet = app.fleet
    return frozenset((*fleet.people, *fleet.deployments, *fleet.models))


def _ignore(_value: object) -> None:
    return None
