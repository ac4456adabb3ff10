"""``steward plan``: what would be called. Reads steward.yaml and the request, nothing else."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.bootstrap import App
from agent.commands.exits import FAILED, OK
from tools.errors import BadArguments

if TYPE_CHECKING:
    from agent.offline.brain import Brain


def run(options: argparse.Namespace) -> int:
    """Print one JSON document, or one JSON line for each request of a file."""
    app = App.start(fleet=options.fleet)
    brain = planning_brain(app)
    if options.batch:
        return _batch(brain, options.batch)
    if not options.request:
        raise BadArguments('Give a request: steward plan "restart ranker", or --batch FILE.')
    print(json.dumps(plan_of(brain, " ".join(options.request)), ensure_ascii=False, indent=2))
    return OK


def planning_brain(app: App) -> Brain:
    """The embedded planner with the names of steward.yaml only."""
    from agent.names import fleet_names
    from agent.offline.brain import Brain
    from tools.catalog import TOOLS

    return Brain(TOOLS, fleet_names(app.fleet))


def plan_of(brain: Brain, text: str) -> dict[str, Any]:
    """``{"calls": [{"tool", "args"}], "clarify": null or a question}``."""
    understood = brain.understand(text)
    calls = [{"tool": c.tool, "args": dict(c.args)} for c in understood.calls]
    return {"calls": calls, "clarify": understood.clarify}


def _batch(brain: Brain, name: str) -> int:
    status = OK
    for line in _lines(name):
        text = _request(line)
        if text is None:
            status = FAILED
            print(json.dumps({"calls": [], "clarify": None, "error": "no text"}))
        else:
            print(json.dumps(plan_of(brain, text), ensure_ascii=False), flush=True)
    return status


def _lines(name: str) -> Iterator[str]:
    if name == "-":
        yield from sys.stdin
        return
    try:
        with Path(name).open(encoding="utf-8") as file:
            yield from file
    except OSError as error:
        raise BadArguments(f"{name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadArguments(f"{name} is not UTF-8 text.") from None


def _request(line: str) -> str | None:
    """The text of a line: the line itself, or ``text``/``request`` of a JSON object."""
    line = line.strip()
    if not line.startswith("{"):
        return line
    try:
        data = json.loads(line)
    except ValueError:
        return line
    for key in ("text", "request", "question", "input", "utterance"):
        if isinstance(data.get(key), str):
            return data[key]
    return None
