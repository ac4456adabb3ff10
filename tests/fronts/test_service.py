"""The whole service as a process: kills, restarts, incidents, HTTP mode, a graceful end."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.fronts.client import ServiceClient
from tests.fronts.rooms import make_assistant
from tests.fronts.serving import eventually
from tests.fronts.slack_standin import SlackStandin
from tests.postgres import database, postgres_url  # noqa: F401

TOKENS = [
    {"name": n, "person": p, "scopes": s, "sha256": hashlib.sha256(n.encode()).hexdigest()}
    for n, p, s in (("ana", "ana", ["ask", "read", "decide"]), ("am", None, ["alerts"]))
]


pytestmark = pytest.mark.timeout(600)  # a loaded machine is slow, not wrong

STARTED: list[subprocess.Popen[bytes]] = []


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Generator[None]:
    yield
    for process in STARTED:
        if process.poll() is None:
            process.kill()
            process.wait(10)
    STARTED.clear()


class Process:
    def __init__(self, home: Path, slack: SlackStandin | None, **slack_section: Any) -> None:
        self.home, self.slack = home, slack
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.sections = json.dumps(
            {"http": {"port": port, "tokens": TOKENS}, "slack": slack_section or {"mode": "socket"}}
        )
        self.running: subprocess.Popen[bytes] | None = None

    def start(self, die: str = "never", ready: bool = True, **environment: str) -> None:
        url = self.slack.url if self.slack else "-"
        command = [sys.executable, "-m", "tests.fronts.service_process"]
        arguments = [*command, str(self.home), url, self.sections, die]
        self.running = subprocess.Popen(arguments, env={**os.environ, **environment})
        STARTED.append(self.running)
        if ready:
            eventually(lambda: self.get("/readyz") == 200, 90, 0.1)

    def get(self, path: str) -> int:
        try:
            return httpx.get(self.url + path, timeout=5).status_code
        except httpx.TransportError:
            return 0

    def kill(self) -> None:
        assert self.running is not None
        self.running.kill()
        self.running.wait(10)

    def died(self) -> None:
        assert self.running is not None
        assert self.running.wait(90) == -signal.SIGKILL

    def effects(self) -> list[str]:
        path = self.home / "effects"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def service(home: Path, slack: SlackStandin) -> Process:
    return Process(home, slack)


@pytest.mark.slow
@pytest.mark.parametrize(
    "die",
    [
        "assistant.threads.setStatus",
        "chat.postMessage",
        "chat.postMessage+",
        "chat.postMessage+#2",
        "chat.update",
    ],
)
def test_killed_anywhere_it_continues_and_does_nothing_twice(
    service: Process, slack: SlackStandin, die: str
) -> None:
    service.start(die)
    ts = slack.mention("set 5")
    slack.ack(slack.last)
    if die == "chat.update":
        slack.click("steward_approve", slack.cards("C1", ts)[0])
    service.died()
    connections = slack.connections
    service.start()
    slack.connected(connections + 1)
    card = slack.cards("C1", ts)[0]
    if die != "chat.update":
        slack.click("steward_approve", card)
    eventually(lambda: "done and verified" in json.dumps(card["blocks"]), 90)
    eventually(lambda: any("verified" in a["text"] for a in slack.answers("C1", ts)))
    time.sleep(1.5)
    assert len(service.effects()) == 1
    assert len(slack.cards("C1", ts)) == 1
    assert sorted(a["text"][:8] for a in slack.answers("C1", ts)) == ["Action 1", "Proposed"]


@pytest.mark.slow
@pytest.mark.parametrize("die", ["chat.startStream", "chat.startStream+", "chat.appendStream+"])
def test_a_stream_cut_by_a_kill_becomes_the_whole_answer(
    service: Process, slack: SlackStandin, die: str
) -> None:
    service.start(die)
    ts = slack.mention("stream 300")
    slack.ack(slack.last)
    service.died()
    connections = slack.connections
    service.start()
    slack.connected(connections + 1)
    whole = eventually(lambda: [m for m in slack.thread("C1", ts) if "word299" in m["text"]], 90)
    assert len(whole) == 1 == len(slack.thread("C1", ts))


def test_questions_that_waited_are_answered_after_a_kill(
    service: Process, slack: SlackStandin
) -> None:
    service.start()
    asked = [slack.mention(f"wait 3 n{n}", channel="C2") for n in range(5)]
    for _ in asked:
        slack.ack(slack.last)
    time.sleep(0.3)
    service.kill()
    connections = slack.connections
    service.start()
    slack.connected(connections + 1)
    for n, ts in enumerate(asked):
        assert [a["text"] for a in slack.answers("C2", ts)] == [f"waited: 3 n{n}"]


def test_it_ends_gracefully_and_the_socket_goes_away(
    service: Process, slack: SlackStandin, home: Path
) -> None:
    service.start()
    client = ServiceClient.at(home)
    assert client is not None
    ts = slack.mention("wait 2 last words")
    slack.ack(slack.last)
    time.sleep(0.2)
    assert service.running is not None
    service.running.send_signal(signal.SIGTERM)
    assert service.running.wait(30) == 0
    assert slack.answers("C1", ts)[0]["text"] == "waited: 2 last words"
    assert ServiceClient.at(home) is None
    assert not (home / "steward.sock").exists()


def test_an_approval_over_http_is_carried_out_and_shown_in_slack(
    service: Process, slack: SlackStandin
) -> None:
    service.start()
    ts = slack.mention("set 5")
    card = slack.cards("C1", ts)[0]
    headers = {"Authorization": "Bearer ana"}
    action = httpx.get(f"{service.url}/v1/actions/1", headers=headers).json()
    body = {"digest": action["digest"], "verdict": "approve"}
    url = f"{service.url}/v1/actions/1/decision"
    assert httpx.post(url, headers=headers, json=body).status_code == 200
    eventually(lambda: "done and verified" in json.dumps(card["blocks"]))
    assert len(service.effects()) == 1
    scraped = httpx.get(f"{service.url}/metrics").text
    assert 'steward_actions{state="verified"} 1' in scraped
    assert 'steward_slack_events_total{result="taken"} 1' in scraped


def alert(status: str = "firing", **annotations: str) -> dict[str, Any]:
    labels = {"alertname": "HighLatency", "severity": "page"}
    return {
        "version": "4",
        "alerts": [{"status": status, "labels": labels, "annotations": annotations}],
    }


def test_an_alert_opens_a_thread_with_diagnosis_and_a_proposed_change(
    home: Path, slack: SlackStandin
) -> None:
    service = Process(home, slack, alerts="CALERTS")
    service.start()
    fetched: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.1)
        evil = f"http://127.0.0.1:{trap.getsockname()[1]}/latest/meta-data <!channel>"
        headers = {"Authorization": "Bearer am"}
        begin = time.time()
        sent = alert(summary=f"p99 is 3 s, see {evil}")
        answer = httpx.post(f"{service.url}/v1/alerts", headers=headers, json=sent)
        assert answer.status_code == 200
        roots = eventually(
            lambda: [m for (c, _), m in slack.state.messages.items() if c == "CALERTS"]
        )
        card = slack.cards("CALERTS", roots[0]["ts"])[0]
        assert time.time() - begin < 5
        told = "\n".join(m["text"] for m in slack.thread("CALERTS", roots[0]["ts"]))
        assert "HighLatency" in told
        assert "p99 is 3 s" in told
        assert "<!channel>" not in told
        assert all(not c.get("unfurl_links", True) for c in slack.called("chat.postMessage"))
        httpx.post(f"{service.url}/v1/alerts", headers=headers, json=sent)
        httpx.post(f"{service.url}/v1/alerts", headers=headers, json=alert("resolved"))
        eventually(lambda: roots[0]["text"].startswith("*Resolved "))
        with pytest.raises(TimeoutError):
            fetched.append(trap.accept()[0].recv(100))
    assert fetched == []
    slack.click("steward_approve", card, "UANA")
    eventually(lambda: "done and verified" in json.dumps(card["blocks"]))
    assert len([m for m in slack.state.messages.values() if m.get("text", "").startswith("*")]) == 1
    service.kill()


def test_http_mode_checks_signatures_and_refuses_replays(home: Path, slack: SlackStandin) -> None:
    service = Process(home, slack, mode="http")
    service.start()
    url = f"{service.url}/slack/events"
    challenge = {"type": "url_verification", "challenge": "c-123"}
    assert "c-123" in slack.signed(url, challenge).text
    event = {"type": "app_mention", "channel": "C1", "user": "UANA", "ts": "7.1"}
    body = slack.callback({**event, "text": "<@UBOT> set 5"}, id="EvHttp")
    refused = [
        slack.signed(url, body, secret="wrong"),
        slack.signed(url, body, age=600),
        slack.signed(url, body, age=-600),
        slack.signed(url, body, headers={"x-slack-signature": ""}),
        httpx.post(url, json=body),
    ]
    assert [r.status_code for r in refused] == [401] * 5
    assert slack.signed(url, body).status_code == 200
    raw, headers = slack.last_request
    assert httpx.post(url, content=raw, headers=headers).status_code == 409
    again = {**headers, "x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}
    assert httpx.post(url, content=raw, headers=again).status_code == 200, "a retry, nothing new"
    tampered = raw.replace("set 5", "set 9")
    assert httpx.post(url, content=tampered, headers=headers).status_code == 401
    time.sleep(1.1)
    assert slack.signed(url, body).status_code == 200, "Slack's own retry is acknowledged"
    assert len(slack.answers("C1", "7.1")) == 1
    card = slack.cards("C1", "7.1")[0]
    value = slack.value(card, "steward_approve")
    click = slack.clicked("steward_approve", card, "UBOB", value)
    assert slack.signed(url, click, form=True, secret="wrong").status_code == 401
    assert slack.signed(url, click, form=True).status_code == 200
    eventually(lambda: "done and verified" in json.dumps(card["blocks"]))
    assert slack.signed(url, {**body, "x": "y" * 2_000_000}).status_code == 413
    service.kill()


def test_slack_may_be_down_at_the_start(home: Path, slack: SlackStandin) -> None:
    slack.state.failures["auth.test"] = ["internal_error"] * 3
    service = Process(home, slack)
    service.start()
    slack.connected()
    assert slack.answers("C1", slack.mention("hello"))
    service.kill()


def test_a_second_service_on_the_same_home_is_refused(service: Process, home: Path) -> None:
    service.start()
    second = Process(home, service.slack)
    second.start(ready=False)
    assert second.running is not None
    assert second.running.wait(30) != 0
    assert service.get("/readyz") == 200


def test_work_of_a_dead_process_is_reconciled(home: Path) -> None:
    from agent.events import Decision
    from tests.door.toy import ANA
    from tools.contract import Call

    assistant = make_assistant(home)
    action = assistant.door.propose(Call("set_value", {"value": 5}), ANA, "terminal:1", "k")
    assistant.decide(Decision(1, action.digest, ANA, "approve"))
    service = Process(home, None)
    service.start()
    eventually(lambda: assistant.door.ledger.get(1).state == "verified")
    assert service.effects() == [f"{action.id} 5"]
    service.kill()


@pytest.mark.slow
def test_two_replicas_share_everything_and_one_wins_each(
    home: Path,
    slack: SlackStandin,
    tmp_path_factory: pytest.TempPathFactory,
    database: str,  # noqa: F811
) -> None:
    for name in "ab":
        own = str(tmp_path_factory.mktemp(name))
        Process(home, slack).start(TEST_DATABASE=database, TEST_OWN_HOME=own)
    slack.connected(2)
    slack.everywhere = True
    rounds = 8
    for value in range(1, rounds + 1):
        ts = slack.mention(f"set {value}")
        card = slack.cards("C1", ts)[0]
        slack.click("steward_approve", card, "UBOB")
        eventually(lambda shown=card: "done and verified" in json.dumps(shown["blocks"]), 90)
        told = eventually(lambda at=ts: slack.answers("C1", at, 2))
        assert sorted(m["text"].split()[0] for m in told) == ["Action", "Proposed"]
    time.sleep(1.5)
    assert len(slack.state.messages) == rounds * 4, "question, answer, card and outcome, once each"
    effects = (home / "effects").read_text().splitlines()
    assert [line.split()[1] for line in effects] == [str(n + 1) for n in range(rounds)]
