"""``steward serve``: the service, with what watches and reports beside the fronts."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from agent.bootstrap import App
from agent.commands.exits import OK
from tools.contract import Call
from tools.errors import ToolError

if TYPE_CHECKING:
    from agent.fronts.notes import IncidentNote, Post
    from agent.fronts.service import Job
    from tools.schedules.base import Due
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
    from agent.fronts.service import Job
    from tools.notices.base import notices
    from tools.observe.sampler import build_sampler

    sampler = build_sampler(app.world)
    outbox = notices(app.world)
    return (
        Job("sample", 5.0, lambda _post: _ignore(sampler.tick())),
        Job("schedules", 5.0, lambda post: post_due_summaries(app, post)),
        Job("notices", 5.0, lambda _post: _ignore((outbox.escalate(), outbox.drain()))),
    )


def post_due_summaries(app: App, post: Post) -> None:
    """Write each summary that is due and post it; the slot is taken first, so one replica does."""
    from tools.schedules.base import schedules

    book, owner = schedules(app.world), app.door.owner
    for due in book.claim(owner):
        try:
            _post_summary(app, due, post)
        except ToolError as error:
            book.finish(due, owner, "failed", error.en)
        else:
            book.finish(due, owner, "done", f"posted to {due.schedule.channel}")


def _post_summary(app: App, due: Due, post: Post) -> None:
    """To a notice target of the fleet where the channel is one, else to Slack; once per slot."""
    from tools.notices.base import notices
    from tools.summary.chart import chart

    lang = cast("Lang", app.fleet.language)
    call = Call("status_summary", {"window": due.schedule.window})
    text = app.assistant.toolbox.look_all([call], lang)[0].seen.text
    picture = chart(app.world, due.schedule.window)
    outbox = notices(app.world)
    if due.schedule.channel in [t.name for t in outbox.targets()]:
        outbox.send(
            due.key, due.schedule.channel, text, subject="Status summary", attachment=picture
        )
        outbox.deliver(due.key)
    else:
        post(due.schedule.channel, text, [picture] if picture else [], due.key)


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
