"""The tools over MCP with real clients: stdio and HTTP; a change is only ever a proposal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport

from agent.assistant import Assistant
from agent.events import Actor
from agent.fronts.mcp import make_server
from tests.fronts.rooms import effects, make_assistant
from tests.fronts.slack_standin import SlackStandin
from tests.fronts.test_service import STARTED, Process

pytestmark = pytest.mark.timeout(300)  # a loaded machine is slow, not wrong


@pytest.fixture
def assistant(tmp_path: Path) -> Assistant:
    return make_assistant(tmp_path)


def talk(target: Any, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    async def work() -> list[Any]:
        async with Client(target) as client:
            return [await client.call_tool(n, a, raise_on_error=False) for n, a in calls]

    return asyncio.run(work())


def server(assistant: Assistant) -> Any:
    return make_server(assistant, lambda: Actor("ana", "mcp", "ana"))


def test_the_catalogue_is_offered_with_its_effects(assistant: Assistant) -> None:
    async def work() -> Any:
        async with Client(server(assistant)) as client:
            return {tool.name: tool for tool in await client.list_tools()}

    tools = asyncio.run(work())
    assert set(tools) == {"set_value", "reset_toy", "burn_toy", "toy_status", "action_status"}
    assert tools["toy_status"].annotations.read_only_hint is True
    assert tools["burn_toy"].annotations.destructive_hint is True
    assert "request_id" in tools["set_value"].input_schema["properties"]


def test_looking_answers_and_secrets_stay(assistant: Assistant) -> None:
    seen = talk(server(assistant), ("toy_status", {}))[0]
    assert seen.structured_content["data"]["value"] == 0
    assert "hunter2" not in str(seen.structured_content)


def test_a_change_is_proposed_and_nothing_more(assistant: Assistant) -> None:
    same = {"value": 5, "request_id": "r1"}
    first, again, other = talk(
        server(assistant), ("set_value", same), ("set_value", same), ("set_value", {"value": 5})
    )
    facts = first.structured_content
    assert (facts["action"], facts["state"]) == (1, "proposed")
    assert "set_value(value=5" in facts["card"]
    assert again.structured_content["action"] == 1
    assert other.structured_content["action"] == 2
    status = talk(server(assistant), ("action_status", {"action": 1}))[0]
    assert status.structured_content["digest"] == assistant.door.ledger.get(1).digest
    assert effects(assistant) == []
    assert assistant.door.ledger.get(1).requester.front == "mcp"


def test_nonsense_is_refused_in_one_sentence(assistant: Assistant) -> None:
    results = talk(
        server(assistant),
        ("set_value", {"value": "many"}),
        ("set_value", {"value": 1, "mood": "password=hunter2hunter2"}),
        ("action_status", {"action": 99}),
        ("toy_status", {"deployment": "../../etc/passwd"}),
    )
    assert all(r.is_error for r in results)
    assert all("Traceback" not in r.content[0].text for r in results)
    assert assistant.door.ledger.find() == []


def test_nothing_offered_can_decide(assistant: Assistant) -> None:
    results = talk(
        server(assistant),
        ("set_value", {"value": 5}),
        ("decide", {"action": 1, "verdict": "approve"}),
        ("approve_action", {"action": 1}),
        ("action_status", {"action": 1, "verdict": "approve"}),
    )
    assert results[1].is_error
    assert results[2].is_error
    assert assistant.door.ledger.get(1).decisions == ()


def test_stdio_speaks_to_a_real_client(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path;"
        "from agent.fronts.mcp import run_stdio; from tests.fronts.rooms import make_assistant;"
        "asyncio.run(run_stdio(make_assistant(Path(sys.argv[1])), 'ana'))"
    )
    transport = StdioTransport(sys.executable, ["-c", code, str(tmp_path)])
    seen, proposed = talk(transport, ("toy_status", {}), ("set_value", {"value": 7}))
    assert seen.structured_content["text"].startswith("The toy is 0.")
    assert proposed.structured_content["details"]["requested_by"] == "ana"


@pytest.fixture
def service(tmp_path: Path) -> Generator[Process]:
    slack = SlackStandin()
    process = Process(tmp_path, slack)
    process.start()
    yield process
    for one in STARTED:
        one.kill()
        one.wait(10)
    STARTED.clear()
    slack.close()


def test_http_asks_for_a_token_and_serves_the_same_tools(service: Process) -> None:
    def at(token: str) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return StreamableHttpTransport(f"{service.url}/mcp/", headers=headers)

    seen, proposed = talk(at("ana"), ("toy_status", {}), ("set_value", {"value": 7}))
    assert seen.structured_content["ok"] is True
    assert proposed.structured_content["details"]["requested_by"] == "ana"
    hello = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    for token, status in (("am", 403), ("nobody", 401)):
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.post(f"{service.url}/mcp/", headers=headers, json=hello)
        assert answer.status_code == status
