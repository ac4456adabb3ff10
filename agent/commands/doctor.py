"""``steward doctor``: what is configured, reachable, missing, and how to mend it."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from agent.bootstrap import App
from agent.commands.exits import FAILED, OK
from tools.contract import as_json
from tools.errors import ToolError

Mark = Literal["ok", "missing", "fault"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    what: str
    mark: Mark
    """``missing`` is optional and absent; ``fault`` needs mending."""
    text: str


def run(options: argparse.Namespace) -> int:
    """Check everything; exit 1 when something needs mending."""
    app = App.start(fleet=options.fleet)
    checks = list(_checks(app))
    if options.json:
        print(json.dumps(as_json(checks), ensure_ascii=False, indent=2))
    else:
        signs = {"ok": "ok     ", "missing": "-      ", "fault": "FAULT  "}
        for check in checks:
            print(f"{signs[check.mark]}{check.what}: {check.text}")
    return FAILED if any(c.mark == "fault" for c in checks) else OK


def _checks(app: App) -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", "ok", version)
    yield Check("fleet", "ok", str(app.settings.fleet or "embedded default (no steward.yaml)"))
    yield Check("brain", "ok", app.brain_line)
    yield from _model(app)
    yield _guarded("state", lambda: _state(app))
    yield _guarded("ledger", lambda: _ledger(app))
    yield _guarded("catalogue", lambda: f"{len(app.tools)} tools")
    for name in app.fleet.platforms:
        yield _guarded(f"platform {name}", lambda name=name: _platform(app, name))
    yield from _extras()
    for section, what in (("prometheus", "metrics of the fleet"), ("slack", "Slack")):
        if section not in app.fleet.sections:
            yield Check(
                section, "missing", f"not configured; add {section}: to steward.yaml for {what}"
            )


def _guarded(what: str, look: Callable[[], str]) -> Check:
    try:
        return Check(what, "ok", look())
    except ToolError as error:
        return Check(what, "fault", error.en)
    except ImportError as error:
        return Check(what, "missing", f"{error.name} is not installed")


def _state(app: App) -> str:
    begin = time.perf_counter()
    app.ledger.find(limit=1)
    return f"{app.store.url.rsplit('@', 1)[-1]} ({(time.perf_counter() - begin) * 1000:.0f} ms)"


def _ledger(app: App) -> str:
    audit = app.ledger.verify()
    if audit.faults:
        raise ToolError("altered: " + "; ".join(audit.faults[:3]))
    return f"{audit.lines} lines, {audit.actions} actions, unaltered (head {audit.head[:12]}…)"


def _platform(app: App, name: str) -> str:
    found = app.world.platforms.named(name).deployments()
    return f"{len(found)} deployments"


def _model(app: App) -> Iterator[Check]:
    settings = app.settings.model
    if settings is None:
        yield Check(
            "model",
            "missing",
            "set STEWARD_MODEL (and STEWARD_BASE_URL, STEWARD_API_KEY) to use a language model",
        )
        return
    import httpx

    url = (settings.base_url or "https://api.openai.com/v1").rstrip("/") + "/models"
    try:
        answer = httpx.get(url, headers={"Authorization": f"Bearer {settings.api_key}"}, timeout=5)
        if answer.status_code >= 400:
            raise httpx.HTTPError(f"HTTP {answer.status_code}")
        yield Check("model", "ok", f"{settings.name} answers")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        said = f"the endpoint does not answer ({error}); the embedded planner takes over"
        yield Check("model", "fault", said)


def _extras() -> Iterator[Check]:
    for module, extra, what in (
        ("torch", "models", "training and model operations"),
        ("onnxruntime", "models", "serving"),
        ("kubernetes", "kubernetes", "Kubernetes"),
        ("docker", "docker", "Docker"),
        ("slack_bolt", "slack", "Slack"),
        ("apprise", "notices", "notices"),
    ):
        if importlib.util.find_spec(module):
            yield Check(module, "ok", f"installed ({what})")
        else:
            yield Check(module, "missing", f'for {what}: pip install "model-steward[{extra}]"')
