"""``steward serve`` as a user starts it, with Slack: from a question to a verified change."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.fronts.composed import ROOT, Composed, free_port
from tests.fronts.serving import eventually
from tests.fronts.slack_standin import SlackStandin, words
from tests.postgres import database, postgres_url  # noqa: F401

pytestmark = pytest.mark.timeout(600)
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


@pytest.fixture
def made() -> Generator[list[Composed]]:
    all_made: list[Composed] = []
    yield all_made
    for one in all_made:
        one.sweep()


def shows(card: dict[str, Any], part: str, seconds: float = 90) -> None:
    eventually(lambda: part in words(card), seconds)


def whispered(slack: SlackStandin, user: str, part: str) -> None:
    eventually(
        lambda: [e for e in slack.state.ephemerals if e["user"] == user and part in e["text"]]
    )


def roll_out(service: Composed, slack: SlackStandin) -> dict[str, Any]:
    """Ask for a roll-out and let bob approve it; the card once it is verified."""
    ts = slack.mention("roll out version 1 to digits")
    card = slack.cards("C1", ts)[0]
    slack.click("steward_approve", card, "UBOB")
    shows(card, "done and verified")
    return card


def the_documented_api_is_the_one_that_answers(service: Composed) -> None:
    document = json.loads((ROOT / "docs/openapi.json").read_text())
    assert httpx.get(f"{service.url}/openapi.json", timeout=30).json() == document
    for path, methods in document["paths"].items():
        for method in methods:
            url = service.url + path.replace("{number}", "1")
            status = httpx.request(method.upper(), url, timeout=30).status_code
            open_to_all = path in ("/healthz", "/readyz", "/metrics")
            slack_only = path == "/slack/events"  # 404: this service uses Socket Mode
            assert status == (200 if open_to_all else 404 if slack_only else 401), (method, path)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["sqlite", "postgres"])
def test_from_a_question_to_a_verified_change(
    tmp_path: Path,
    slack: SlackStandin,
    made: list[Composed],
    where: str,
    request: pytest.FixtureRequest,
) -> None:
    url = request.getfixturevalue("database") if where == "postgres" else None
    service = Composed(tmp_path, slack, url)
    made.append(service)
    service.shelve()
    service.start()
    the_documented_api_is_the_one_that_answers(service)
    ts = slack.mention("what is unhealthy?")
    assert "digits" in slack.answers("C1", ts)[0]["text"]
    ts = slack.mention("roll out version 1 to digits")
    assert "Proposed as action 1" in slack.answers("C1", ts)[0]["text"]
    card = slack.cards("C1", ts)[0]
    for part in ("roll_out", 'version = \\"1\\"', "+ version 1", "starts 2 replicas", "ana", "0/1"):
        assert part in words(card)
    slack.click("steward_approve", card, "UEVE")
    whispered(slack, "UEVE", "may not decide")
    slack.click("steward_approve", card, "UANA")
    whispered(slack, "UANA", "somebody else must approve")
    assert service.replicas() == []
    slack.click("steward_approve", card, "UBOB")
    shows(card, "done and verified")
    told = slack.answers("C1", ts, 2)[-1]["text"]
    assert "approved by bob" in told
    assert "2 of 2 replicas ready" in told
    assert len(service.replicas()) == 2
    service.stop()
    service.write(policy={"approvers": {"*": ["group:oncall"]}, "expiry": "3s"})
    service.start()
    ts = slack.mention("scale digits to 3")
    card = slack.cards("C1", ts)[0]
    value = slack.value(card, "steward_approve") if "Approve" in words(card) else ""
    shows(card, "expired")
    if value:
        slack.click("steward_approve", card, "UBOB", value=value)
        whispered(slack, "UBOB", "no longer waits")
    assert len(service.replicas()) == 2
    assert service.stop() == 0


@pytest.fixture
def alertmanager(tmp_path: Path) -> Generator[tuple[str, Path]]:
    """A real Alertmanager, told by ``config`` whom to call; its address and that file."""
    if ALERTMANAGER is None:
        pytest.skip("no Alertmanager; on Debian: apt-get install prometheus-alertmanager")
    folder = tmp_path / "alertmanager"
    folder.mkdir()
    config, port = folder / "config.yml", free_port()
    config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    command = [
        ALERTMANAGER,
        f"--config.file={config}",
        f"--storage.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: _ready(url), 60, 0.1)
        yield url, config
    finally:
        process.terminate()
        process.wait(20)


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _call_steward(service: Composed, alertmanager: tuple[str, Path]) -> None:
    url, config = alertmanager
    receiver = {
        "name": "steward",
        "webhook_configs": [
            {
                "url": f"{service.url}/v1/alerts",
                "http_config": {"authorization": {"credentials": "am"}},
            }
        ],
    }
    route = {"receiver": "steward", "group_wait": "0s", "group_interval": "1s"}
    config.write_text(yaml.safe_dump({"route": route, "receivers": [receiver]}))
    assert httpx.post(f"{url}/-/reload", timeout=10).status_code == 200


def _alert(url: str, resolved: bool = False) -> None:
    labels = {
        "alertname": "KubeDeploymentReplicasMismatch",
        "deployment": "digits",
        "severity": "critical",
    }
    alert: dict[str, Any] = {
        "labels": labels,
        "annotations": {"summary": "1 of 2 replicas is missing <!channel>"},
    }
    if resolved:
        alert["endsAt"] = datetime.now(UTC).isoformat()
    assert httpx.post(f"{url}/api/v2/alerts", json=[alert], timeout=10).status_code == 200


@pytest.mark.slow
def test_a_real_alertmanager_opens_a_thread_with_diagnosis_and_remedy_and_closes_it(
    tmp_path: Path, slack: SlackStandin, made: list[Composed], alertmanager: tuple[str, Path]
) -> None:
    service = Composed(tmp_path, slack)
    made.append(service)
    service.shelve()
    service.start()
    roll_out(service, slack)
    _call_steward(service, alertmanager)
    os.kill(service.replicas()[0], signal.SIGKILL)
    eventually(lambda: "Crashed" in _events(service), 60, 0.5)
    begin = time.monotonic()
    _alert(alertmanager[0])
    root = eventually(lambda: _roots(slack), 60)[0]
    card = slack.cards("CALERTS", root["ts"])[0]
    took = time.monotonic() - begin
    told = "\n".join(m["text"] for m in slack.thread("CALERTS", root["ts"]))
    print(f"\nfrom the alert to the card: {took:.1f} s\n{root['text']}\n{told}")
    assert "1 of 2 replicas is missing" in told
    assert "<!channel>" not in told
    assert "Most likely" in told
    assert "restart" in words(card)
    assert "alertmanager" in words(card)
    eventually(lambda: [f for f in slack.state.files if f["channel_id"] == "CALERTS"])
    slack.click("steward_approve", card, "UBOB")
    shows(card, "done and verified", 120)
    _alert(alertmanager[0], resolved=True)
    eventually(lambda: root["text"].startswith("*Resolved"), 60)
    story = slack.answers("CALERTS", root["ts"], 4)[-1]["text"]
    print(story)
    for part in ("Timeline", "fires", "proposed", "approved by bob", "verified", "resolved"):
        assert part in story
    assert len(_roots(slack)) == 1
    service.kill()


def _events(service: Composed) -> str:
    headers = {"Authorization": "Bearer ana"}
    body = {"text": "list events of digits"}
    answer = httpx.post(f"{service.url}/v1/ask", headers=headers, json=body, timeout=60)
    return json.dumps(answer.json())


def _roots(slack: SlackStandin) -> list[dict[str, Any]]:
    found = [m for (c, _), m in list(slack.state.messages.items()) if c == "CALERTS"]
    return [m for m in found if not m.get("thread_ts")]
