"""Silences and verdicts as changes: planned twice alike, carried out once, undone."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.stage import fire
from tests.support import RecordingAct, carry_out, make_world
from tools.alerts.base import alerts
from tools.alerts.book import build
from tools.alerts.catalog import TOOLS
from tools.contract import Happened
from tools.errors import BadArguments, Refused, Unavailable
from tools.fleet import Fleet
from tools.world import World

TOOL = {tool.name: tool for tool in TOOLS}


class Manager(BaseHTTPRequestHandler):
    """The part of Alertmanager's API v2 that is used, over real HTTP."""

    silences: dict[str, dict[str, Any]]
    held: list[dict[str, Any]]

    def do_GET(self) -> None:
        self._answer(self.held if self.path.startswith("/api/v2/alerts") else self._listed())

    def _listed(self) -> list[dict[str, Any]]:
        return list(self.silences.values())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not body["matchers"]:
            self._answer("no matchers", 400)
            return
        made = uuid.uuid4().hex
        self.silences[made] = {**body, "id": made, "status": {"state": "active"}}
        self._answer({"silenceID": made})

    def do_DELETE(self) -> None:
        self.silences[self.path.rsplit("/", 1)[1]]["status"]["state"] = "expired"
        self._answer(None)

    def _answer(self, value: object, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def manager() -> Iterator[tuple[str, type[Manager]]]:
    kind = type("M", (Manager,), {"silences": {}, "held": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", kind
    server.shutdown()
    server.server_close()


def world_of(home: Path, **sections: Any) -> World:
    return make_world(home, fleet=Fleet(path=None, sections=sections), more={"alerts": build})


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = world_of(tmp_path)
    fire(made, "NodeDown", node="n1")
    return made


def test_a_silence_hides_and_is_lifted(world: World):
    plan, outcome, verdict = carry_out(
        world, TOOL["silence_alert"], alert="nodedown", duration="2h"
    )
    assert verdict.ok, verdict
    assert plan.title == "Silence NodeDown for 2h"
    assert alerts(world).alerts("firing") == []
    assert len(alerts(world).alerts("silenced")) == 1
    change = TOOL["silence_alert"].change
    assert change is not None
    assert change.happened(world, plan, "test-1") is Happened.YES
    assert change.happened(world, plan, "other") is Happened.NO
    call = change.undo(world, plan, outcome)
    _, _, verdict = carry_out(world, TOOL[call.tool], "undo", **dict(call.args))
    assert verdict.ok, verdict
    assert len(alerts(world).alerts("firing")) == 1


def test_applying_twice_makes_one_silence(world: World):
    change = TOOL["silence_alert"].change
    assert change is not None
    args = TOOL["silence_alert"].bind({"alert": "NodeDown", "duration": "1h"})
    plan = change.plan(world, args)
    again = change.plan(world, args)
    assert (plan.target, plan.diff) == (again.target, again.diff)
    first = change.apply(world, plan, RecordingAct("a"))
    assert change.apply(world, plan, RecordingAct("a")).details == first.details
    assert len(alerts(world).silences()) == 1


@pytest.mark.parametrize(
    ("tool", "args", "kind", "said"),
    [
        ("silence_alert", {"alert": "NodeDwon", "duration": "1h"}, BadArguments, "NodeDown"),
        ("silence_alert", {"alert": "NodeDown", "duration": "90d"}, Refused, "at most 30 days"),
        ("unsilence_alert", {"alert": "NodeDown"}, BadArguments, "is not silenced"),
        ("record_cause", {"cause": "gremlins", "alert": "NodeDown"}, BadArguments, "power_or_panic"),
        ("record_cause", {"cause": "power", "alert": "NodeDown", "withdraw": True}, BadArguments, "Nobody recorded"),
    ],
)  # fmt: skip
def test_nonsense_is_refused(world: World, tool: str, args: dict, kind: type[Exception], said: str):
    chosen = TOOL[tool]
    assert chosen.change is not None
    with pytest.raises(kind, match=said):
        chosen.change.plan(world, chosen.bind(chosen.arguments(args)))


def test_alertmanager_is_asked_where_there_is_one(
    tmp_path: Path, manager: tuple[str, type[Manager]]
):
    url, double = manager
    world = world_of(tmp_path, alertmanager={"url": url})
    now = datetime.now(UTC)
    double.held.append(
        {
            "fingerprint": "abcdef0123456789",
            "labels": {"alertname": "NodeDown", "node": "n7"},
            "annotations": {},
            "startsAt": (now - timedelta(minutes=5)).isoformat(),
            "status": {"state": "active", "silencedBy": []},
        }
    )
    plan, _, verdict = carry_out(
        world, TOOL["silence_alert"], "act-7", alert="NodeDown", duration="1h"
    )
    assert verdict.ok, verdict
    [held] = double.silences.values()
    assert held["comment"].endswith("[steward-action:act-7]")
    assert held["matchers"] == [
        {"name": "alertname", "value": "NodeDown", "isRegex": False, "isEqual": True}
    ]
    change = TOOL["silence_alert"].change
    assert change is not None
    assert change.happened(world, plan, "act-7") is Happened.YES
    _, _, verdict = carry_out(world, TOOL["unsilence_alert"], "act-8", alert="NodeDown")
    assert verdict.ok, verdict
    assert held["status"]["state"] == "expired"


def test_an_alertmanager_that_does_not_answer_is_a_line_and_no_failure(tmp_path: Path):
    world = world_of(tmp_path, alertmanager={"url": "http://127.0.0.1:9"})
    fire(world, "NodeDown", node="n1")
    listing = TOOL["list_alerts"]
    assert listing.read is not None
    said = listing.read(world).say("en")
    assert said.startswith("1 alert is firing")
    assert "does not answer" in said
    with pytest.raises(Unavailable):
        carry_out(world, TOOL["silence_alert"], alert="NodeDown", duration="1h")


def test_a_verdict_moves_the_prior_and_is_withdrawn(world: World):
    plan, outcome, verdict = carry_out(
        world, TOOL["record_cause"], cause="the power brake", alert="GPUPowerBrake"
    )
    assert verdict.ok, verdict
    assert plan.diff == (
        "- prior of power_supply in GPUPowerBrake: 60%\n"
        "+ prior of power_supply in GPUPowerBrake: 64%"
    )
    change = TOOL["record_cause"].change
    assert change is not None
    assert change.happened(world, plan, "test-1") is Happened.YES
    call = change.undo(world, plan, outcome)
    plan, _, verdict = carry_out(world, TOOL[call.tool], "undo", **dict(call.args))
    assert verdict.ok, verdict
    assert plan.diff.endswith("60%")


def test_without_a_name_the_newest_incident_is_meant(world: World):
    carry_out(world, TOOL["record_cause"], cause="kernel panic")
    [incident] = alerts(world).incidents()
    assert incident.cause == "power_or_panic"


def test_without_a_name_the_incident_that_the_cause_could_explain_is_meant(world: World):
    earlier = datetime.now(UTC) - timedelta(minutes=20)
    fire(world, "GPUPowerBrake", began=earlier, node="gpu-9", gpu="2", UUID="GPU-9-2")
    fire(world, "NodeDiskFull", node="n2", mountpoint="/var")
    plan, _, _ = carry_out(world, TOOL["record_cause"], cause="the power brake")
    assert "(GPUPowerBrake): A power supply failed" in plan.title


def test_alerts_of_one_kind_in_one_incident_are_one_line(world: World):
    for i in range(5):
        fire(world, "KubePodCrashLooping", node="n1", namespace="ml", pod=f"llm-{i}")
    listing = TOOL["list_alerts"]
    assert listing.read is not None
    said = listing.read(world).say("en")
    assert said.count("KubePodCrashLooping") == 1
    assert "KubePodCrashLooping ×5" in said
    assert "pod=llm-0, llm-1, llm-2, … (5)" in said
