"""MCP servers of other people: they add what can be looked at; what they change waits for a yes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from agent.bootstrap import App
from agent.events import Actor, Decision, State
from agent.settings import load
from tests.fronts.composed import free_port
from tests.fronts.serving import eventually
from tools.contract import Call, Effect
from tools.errors import BadArguments, ToolError
from tools.outside.spec import servers

pytestmark = pytest.mark.timeout(400)  # a loaded machine is slow, not wrong

SCRIPT = Path(__file__).parent / "wiki_server.py"
CHANGE = {
    "create_page": {
        "verify": {"tool": "get_page", "args": {"title": "{title}"}, "contains": "{body}"},
        "undo": {"tool": "delete_page", "args": {"title": "{title}"}},
    },
    "delete_page": None,
}
READ = ["search_pages", "get_page", "hang", "die"]
ANA = Actor("ana", "terminal", "ana")
Start = Callable[..., App]


@pytest.fixture
def start(tmp_path: Path) -> Generator[Start]:
    made: list[App] = []

    def make(**server: Any) -> App:
        command = [sys.executable, str(SCRIPT), str(tmp_path)]
        usual: dict[str, Any] = {"command": command, "timeout": "30s", "read": READ}
        if "url" in server:
            del usual["command"]
        section = {"servers": {"wiki": {**usual, "change": CHANGE, **server}}}
        fleet = tmp_path / "steward.yaml"
        fleet.write_text(yaml.safe_dump({"mcp": section}))
        environment = {"STEWARD_HOME": str(tmp_path / "home"), "USER": "ana", "HOME": str(tmp_path)}
        made.append(App(load(environment, fleet=str(fleet))))
        return made[-1]

    yield make
    for app in made:
        app.world.port("outside").close()


def looked(app: App, tool: str, **args: Any) -> tuple[bool, str]:
    seen = app.assistant.toolbox.look_all([Call(tool, args)], "en")[0].seen
    return seen.ok, seen.text


def carried_out(app: App, tool: str, **args: Any) -> Any:
    door = app.assistant.door
    action = door.propose(Call(tool, args), ANA, "test", f"{tool}/{time.monotonic()}")
    app.assistant.decide(Decision(action.number, action.digest, ANA, "approve"))
    return app.assistant.run(action.number)


def test_a_foreign_tool_looks_and_its_words_are_marked_as_data(start: Start) -> None:
    app = start()
    tool = app.tools["wiki_search_pages"]
    assert tool.effect is Effect.READ
    assert tool.summary.startswith("Of the MCP server wiki, in its own words: “")
    assert tool.schema()["required"] == ["query"]
    ok, text = looked(app, "wiki_search_pages", query="gpu")
    assert (ok, text.splitlines()[0]) == (True, "wiki answered search_pages (data from outside):")
    assert text.splitlines()[1] == "no page mentions gpu"
    ok, text = looked(app, "wiki_get_page", title="nothing")
    assert not ok
    assert "wiki refused get_page" in text
    for wrong in ({}, {"query": "x", "colour": "red"}, {"query": "x", "most": "many"}):
        with pytest.raises(BadArguments):
            tool.arguments(wrong)
    assert tool.arguments({"query": "x", "most": "3"}) == {"query": "x", "most": 3}


def test_a_foreign_change_is_proposed_applied_verified_and_undone(
    start: Start, tmp_path: Path
) -> None:
    app = start()
    assert app.assistant.toolbox.is_change("wiki_create_page")
    assert not looked(app, "wiki_create_page", title="a", body="b")[0]
    action = app.assistant.door.propose(
        Call("wiki_create_page", {"title": "runbook", "body": "restart it"}), ANA, "t", "k"
    )
    assert not (tmp_path / "calls").exists()
    assert '+ body = "restart it"' in action.plan.diff
    assert "wiki" in action.plan.blast_radius
    app.assistant.decide(Decision(action.number, action.digest, ANA, "approve"))
    done = app.assistant.run(action.number)
    assert done.state is State.VERIFIED
    assert done.verdict.evidence.endswith("get_page shows it: restart it")
    undo = app.assistant.door.propose_undo(action.number, ANA)
    assert undo.plan.risk is Effect.DESTROY, "the server itself calls it destructive"
    assert undo.call == Call("wiki_delete_page", {"title": "runbook"})
    assert (tmp_path / "calls").read_text() == "runbook\n"


def test_what_is_not_there_or_cannot_be_checked_is_not_verified(start: Start) -> None:
    app = start()
    lost = carried_out(app, "wiki_create_page", title="lost", body="forget me")
    assert (lost.state, "it is not there" in lost.reason) == (State.UNVERIFIED, True)
    app = start(change={"create_page": None})
    blind = carried_out(app, "wiki_create_page", title="blind", body="b")
    assert (blind.state, "cannot be verified" in blind.reason) == (State.UNVERIFIED, True)


def test_a_change_without_an_answer_is_unknown_and_never_sent_again(
    start: Start, tmp_path: Path
) -> None:
    app = start(timeout="12s", change={"create_page": None})
    looked(app, "wiki_search_pages", query="warm")
    done = carried_out(app, "wiki_create_page", title="slow", body="and hang")
    assert done.state is State.UNKNOWN
    assert "did not answer create_page within 12 s" in done.reason
    app.assistant.reconcile()
    assert (tmp_path / "calls").read_text() == "slow\n"


def test_a_server_that_dies_or_hangs_costs_one_sentence(start: Start) -> None:
    app = start(timeout="12s")
    looked(app, "wiki_search_pages", query="warm")
    for tool in ("die", "hang"):
        ok, text = looked(app, f"wiki_{tool}")
        assert not ok
        assert text.startswith("The MCP server wiki ")
        assert len(text.splitlines()) == 1
        assert "Traceback" not in text
    assert looked(app, "wiki_search_pages", query="again")[0], "it is started anew"


def test_without_its_server_everything_else_works(start: Start) -> None:
    begin = time.monotonic()
    app = start(command=["/does/not/exist"])
    assert "which has not described it" in app.tools["wiki_search_pages"].summary
    assert looked(app, "list_deployments")[0]
    ok, text = looked(app, "wiki_search_pages", query="x")
    assert not ok
    assert text.startswith("The MCP server wiki could not answer search_pages")
    with pytest.raises(ToolError, match="could not list its tools"):
        carried_out(app, "wiki_create_page", title="a", body="b")
    assert time.monotonic() - begin < 60


def test_over_http_with_a_token_from_the_environment(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    command = [sys.executable, str(SCRIPT), str(tmp_path), str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: _answers(port))
        monkeypatch.setenv("WIKI_TOKEN", "wiki-token-value")
        app = start(url=f"http://127.0.0.1:{port}/mcp", token_env="WIKI_TOKEN")
        assert looked(app, "wiki_search_pages", query="gpu")[0]
    finally:
        process.kill()
        process.wait(10)
    ok, text = looked(app, "wiki_search_pages", query="gpu")
    assert (ok, text.startswith("The MCP server wiki ")) == (False, True)
    assert "wiki-token-value" not in text


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/mcp", timeout=2).status_code < 500
    except httpx.TransportError:
        return False


def test_a_changed_tool_makes_a_waiting_yes_stale(start: Start, tmp_path: Path) -> None:
    text = SCRIPT.read_text()
    script = tmp_path / "own_server.py"
    script.write_text(text)
    app = start(command=[sys.executable, str(script), str(tmp_path)])
    door = app.assistant.door
    action = door.propose(Call("wiki_create_page", {"title": "a", "body": "b"}), ANA, "t", "k")
    app.assistant.decide(Decision(action.number, action.digest, ANA, "approve"))
    script.write_text(text.replace("Write a page.", "Write a page, and mail it to everybody."))
    app.world.port("outside").connection("wiki").close()
    assert app.assistant.run(action.number).state is State.STALE
    assert not (tmp_path / "calls").exists()


@pytest.mark.parametrize(
    ("section", "part"),
    [
        ({"servers": {"Wiki!": {"url": "https://x"}}}, "a server's name"),
        ({"servers": {"w": {}}}, "either a command"),
        ({"servers": {"w": {"url": "https://x", "command": ["y"]}}}, "either a command"),
        ({"servers": {"w": {"url": "file:///etc/passwd"}}}, "https://"),
        ({"servers": {"w": {"url": "https://x", "tools": []}}}, "there is no 'tools'"),
        ({"servers": {"w": {"url": "https://x", "timeout": "soon"}}}, "duration"),
        ({"servers": {"w": {"url": "https://x", "change": {"a": {"risk": "none"}}}}}, "destroy"),
        ({"servers": {"w": {"url": "https://x", "change": {"a": {"undo": {}, "verify": 3}}}}}, "a"),
        ({"servers": ["w"]}, "must be a mapping"),
    ],
)
def test_a_wrong_section_is_named(section: Any, part: str) -> None:
    with pytest.raises(BadArguments, match=part):
        servers(section)
