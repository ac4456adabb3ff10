"""A whole service in a process of its own, for drills: ``python -m tests.fronts.service_process``.

Arguments: home, Slack API URL (or ``-``), a JSON object of fleet sections, and where to die:
``never`` or the name of a point below.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from agent.fronts import service
from agent.fronts.notes import IncidentNote
from agent.settings import Settings, SlackSettings
from agent.work import is_gone
from tests.fronts.rooms import make_assistant
from tests.fronts.slack_standin import APP, BOT, SECRET


def main() -> None:
    home, url, sections, die = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]
    logging.basicConfig(level=logging.WARNING)
    database = os.environ.get("TEST_DATABASE")
    assistant = make_assistant(home, sections=sections, database=database)
    slack = None if url == "-" else SlackSettings(BOT, APP, SECRET, url)
    own = Path(os.environ.get("TEST_OWN_HOME", home))
    settings = Settings(own, None, database, None, "ana", colour=False, slack=slack)
    arm(die)
    notes = home / "notes.json"

    def read_notes() -> list[IncidentNote]:
        raw: list[dict[str, Any]] = json.loads(notes.read_text()) if notes.exists() else []
        return [IncidentNote(**n) for n in raw]

    def receive(payload: Any) -> None:
        alerts = [n for a in payload["alerts"] for n in note_of(a)]
        temporary = notes.with_suffix(".new")
        temporary.write_text(json.dumps(alerts))
        temporary.rename(notes)

    parts = service.Parts(gone=is_gone, receive_alerts=receive, incident_notes=read_notes, drain=5)
    service.serve(assistant, settings, parts)


def note_of(alert: dict[str, Any]) -> list[dict[str, Any]]:
    name = alert["labels"]["alertname"]
    base = {"incident": name, "title": name, "text": alert["annotations"].get("summary", "")}
    opened = {**base, "id": f"{name}:opened", "change": "opened", "ask": "set 5"}
    if alert["status"] == "firing":
        return [opened]
    resolved = {**base, "id": f"{name}:resolved", "change": "resolved", "text": "timeline: …"}
    return [opened, resolved]


def arm(die: str) -> None:
    """Kill this process, as hard as it gets, when a certain call begins."""
    if die == "never":
        return
    method, _, count = die.partition("#")
    left = [int(count or 1)]
    from agent.fronts.slack_api import SlackApi

    real = SlackApi.call

    async def call(self: SlackApi, name: str, **args: Any) -> Any:
        after = name == method.removesuffix("+")
        if after and not method.endswith("+"):
            die_now(left)
        answer = await real(self, name, **args)
        if after and method.endswith("+"):
            die_now(left)
        return answer

    SlackApi.call = call  # type: ignore[method-assign]


def die_now(left: list[int]) -> None:
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), 9)


if __name__ == "__main__":
    main()
