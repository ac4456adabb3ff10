"""Saying "I have it" from anywhere: HTTP, command line, terminal chat, Slack. Escalation stops."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from agent.cli import main
from agent.commands.incident_desk import desk_of
from agent.commands.incident_notes import notes_of
from agent.commands.incident_notices import publisher
from agent.commands.incidents import commands
from agent.errors import NotAllowed, TooLate
from agent.events import Actor
from agent.fronts.http import make_app
from agent.fronts.http_callers import read_tokens
from agent.fronts.http_desk import Desk
from agent.fronts.http_server import listen
from agent.fronts.slack_options import SlackOptions
from agent.fronts.terminal import Terminal
from tests.fronts.rooms import PEOPLE, make_assistant
from tests.fronts.serving import Loop
from tests.fronts.slack_standin import SlackStandin
from tests.fronts.test_incident_notices import SECTION, alert, notifying_world
from tests.support import FakeClock
from tools.alerts.base import alerts
from tools.errors import BadArguments
from tools.notices.base import notices
from tools.world import World

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(tmp_path: Path, clock: FakeClock) -> World:
    """One page fires; it would call the boss in ten minutes."""
    world = notifying_world(tmp_path, SECTION, clock)
    world.fleet = replace(world.fleet, people=PEOPLE)
    alerts(world).receive(alert(clock, "firing", clock.now().isoformat()))
    publisher(world, notes_of(world))()
    return world


def called(world: World, clock: FakeClock) -> int:
    """How often the boss was called an hour later."""
    clock.sleep(3600)
    notices(world).escalate()
    return [n.target for n in notices(world).recent()].count("boss")


def test_nobody_further_is_called_once_a_person_has_it(world: World, clock: FakeClock) -> None:
    desk = desk_of(world)
    (open_one,) = desk.incidents()
    assert (open_one.number, open_one.state, open_one.escalates) == (1, "firing", True)
    assert open_one.taken_by == ""
    assert desk.have(1, "ana").taken_by == "ana"
    assert desk.have(1, "ana").taken_by == "ana", "saying so again is harmless"
    with pytest.raises(TooLate, match="ana has incident 1 already"):
        desk.have(1, "bob")
    assert called(world, clock) == 0


def test_without_anybody_it_climbs(world: World, clock: FakeClock) -> None:
    assert called(world, clock) == 1


def test_it_may_be_taken_before_its_first_notice(tmp_path: Path, clock: FakeClock) -> None:
    world = notifying_world(tmp_path, SECTION, clock)
    world.fleet = replace(world.fleet, people=PEOPLE)
    alerts(world).receive(alert(clock, "firing", clock.now().isoformat()))
    assert desk_of(world).have(1, "ana").taken_by == "ana"
    publisher(world, notes_of(world))()
    assert called(world, clock) == 0


def test_what_cannot_be_taken_says_why(world: World, clock: FakeClock) -> None:
    desk = desk_of(world)
    with pytest.raises(NotAllowed, match=r"not a person of steward\.yaml"):
        desk.have(1, "token:robot")
    with pytest.raises(BadArguments, match="no incident"):
        desk.have(9, "ana")
    begun = clock.now().isoformat()
    world.fleet = replace(world.fleet, sections={**world.fleet.sections, "notices": {}})
    with pytest.raises(BadArguments, match="calls nobody further"):
        desk.have(1, "ana")
    alerts(world).receive(alert(clock, "resolved", begun))
    with pytest.raises(TooLate, match="is over"):
        desk.have(1, "ana")


@pytest.fixture
def url(world: World, tmp_path: Path, loop: Loop) -> Generator[str]:
    tokens = [
        {"name": n, "person": p, "scopes": s, "sha256": hashlib.sha256(n.encode()).hexdigest()}
        for n, p, s in (
            ("ana", "ana", ["read", "decide"]),
            ("bob", "bob", ["decide"]),
            ("look", None, ["read"]),
            ("robot", None, ["decide"]),
        )
    ]
    assistant = make_assistant(tmp_path / "own")
    read = read_tokens({"tokens": tokens})
    desk = Desk(assistant, user="ana", tokens=read, incidents=desk_of(world))
    unix = tmp_path / "s.sock"
    listening = loop.do(listen(make_app(desk), tcp=("127.0.0.1", 0), unix=unix, drain=1))
    assert listening.address is not None
    yield f"http://127.0.0.1:{listening.address[1]}/v1/incidents"
    loop.do(listening.stop())


def bearer(name: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {name}"}, "timeout": 20}


def test_over_http(url: str, world: World, clock: FakeClock) -> None:
    (seen,) = httpx.get(url, **bearer("look")).json()["incidents"]
    assert (seen["number"], seen["taken_by"], seen["escalates"]) == (1, "", True)
    have = f"{url}/1/have"
    refused = {name: httpx.post(have, **bearer(name)) for name in ("nobody", "look", "robot")}
    assert {n: r.status_code for n, r in refused.items()} == {
        "nobody": 401,
        "look": 403,
        "robot": 403,
    }
    assert refused["robot"].json()["error"]["code"] == "not_allowed"
    taken = httpx.post(have, **bearer("ana"))
    assert (taken.status_code, taken.json()["taken_by"]) == (200, "ana")
    late = httpx.post(have, **bearer("bob"))
    assert (late.status_code, late.json()["error"]["code"]) == (409, "too_late")
    assert httpx.post(f"{url}/77/have", **bearer("ana")).status_code == 400
    assert called(world, clock) == 0


def test_in_the_terminal_chat(world: World, clock: FakeClock) -> None:
    out = io.StringIO()
    assistant = make_assistant(world.home / "own")
    chat = Terminal(
        assistant=lambda: assistant,
        actor=Actor("ana", "terminal", "ana"),
        conversation="terminal:ana",
        lang="en",
        out=out,
        width=96,
        interactive=False,
        more=commands(lambda: desk_of(world), "ana"),
    )
    chat.run(iter(["/incidents", "/have", "/have 1", "/incidents", "I have incident 1"]), "hello")
    said = out.getvalue()
    assert "nobody has it (/have 1)" in said
    assert "Say which incident by its number" in said
    assert said.count("ana has it") == 2
    assert called(world, clock) == 0


def test_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = FakeClock()
    world = notifying_world(tmp_path, SECTION, clock)
    alerts(world).receive(alert(clock, "firing", clock.now().isoformat()))
    fleet = tmp_path / "steward.yaml"
    people = {"ana": {"unix": "ana"}}
    fleet.write_text(yaml.safe_dump({"name": "t", "people": people, "notices": SECTION}))
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    monkeypatch.delenv("STEWARD_DATABASE", raising=False)
    monkeypatch.setenv("USER", "ana")
    common = ["--fleet", str(fleet), "--json"]
    assert main(["incidents", *common]) == 0
    (seen,) = json.loads(capsys.readouterr().out)
    assert (seen["number"], seen["taken_by"]) == (1, "")
    assert main(["incidents", *common, "have", "1"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["taken_by"] == "ana"
    assert main(["incidents", *common, "have", "9"]) == 1
    assert "incident" in capsys.readouterr().err


def test_slack_hears_of_it_however_it_was_said(
    world: World,
    clock: FakeClock,
    start: Any,
    slack: SlackStandin,
    loop: Loop,
) -> None:
    running = start(SlackOptions(alerts="CALERTS"))
    notes = notes_of(world)

    def tell() -> None:
        for note in notes():
            loop.do(running.front.tell(replace(note, chart=None, ask="")))

    tell()
    root = next(m for m in slack.state.messages.values() if m["channel"] == "CALERTS")
    assert "I have it" in json.dumps(root["blocks"])
    desk_of(world).have(1, "bob")
    for _ in range(2):
        tell()
    assert "I have it" not in json.dumps(root["blocks"]), "the button goes"
    assert "bob has it" in json.dumps(root["blocks"])
    said = [m["text"] for m in slack.thread("CALERTS", root["ts"])]
    assert said.count("bob has it") == 1
