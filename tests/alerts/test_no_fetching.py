"""Addresses inside alerts are shown, never fetched: not by name, not by redirect, not from files."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent import settings
from agent.bootstrap import App
from agent.commands.incident_notes import notes_of
from agent.commands.incident_notices import publisher
from tools.alerts.base import alerts
from tools.contract import Call
from tools.notices.base import notices

HOSTS = ("metadata.evil.test", "rebind.evil.test", "169.254.169.254", "0x7f000001", "[::1]")
FLEET = {
    "name": "t",
    "deployments": {"digits": {"platform": "local", "model": "digits"}},
    "notices": {"targets": {"log": {"file": "n.log"}}, "routes": {"critical": ["log"]}},
}


class Trap:
    """A server that no alert may make Steward call, and the names that none may make it look up."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.called: list[object] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, peer = self._server.accept()
            except OSError:
                return
            self.called.append(peer)
            connection.sendall(b"HTTP/1.0 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n")
            connection.close()

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def trap(monkeypatch: pytest.MonkeyPatch) -> Generator[Trap]:
    trap = Trap()
    real_lookup, real_connect = socket.getaddrinfo, socket.socket.connect

    def lookup(host: Any, *more: Any, **named: Any) -> Any:
        if any(h.strip("[]") in str(host) for h in HOSTS):
            trap.called.append(host)
        return real_lookup(host, *more, **named)

    def connect(self: socket.socket, address: Any) -> Any:
        if f"{trap.port}" in str(address) or any(h in str(address) for h in HOSTS):
            trap.called.append(address)
        return real_connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket.socket, "connect", connect)
    yield trap
    trap.close()


def payload(port: int, target: str) -> dict[str, Any]:
    """An alert with an address wherever one can be."""
    labels = {"alertname": "HighErrorRate", "deployment": "digits", "severity": "critical"}
    labels |= {"instance": f"127.0.0.1:{port}", "endpoint": target, "job": target}
    words = dict.fromkeys(("summary", "description", "message"), f"see {target}")
    links = dict.fromkeys(("runbook_url", "dashboard", "panelURL", "logs", "image"), target)
    alert = {
        "status": "firing",
        "labels": labels,
        "annotations": {**words, **links},
        "generatorURL": target,
        "silenceURL": target,
        "fingerprint": "f1",
        "startsAt": "2026-11-28T10:00:00Z",
    }
    return {"version": "4", "externalURL": target, "receiver": target, "alerts": [alert]}


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{port}/latest/meta-data",
        "http://localhost:{port}/redirect",
        "http://0x7f000001:{port}/",
        "http://[::1]:{port}/",
        "http://169.254.169.254/latest/meta-data/iam",
        "http://metadata.evil.test:{port}/",
        "https://user:pw@rebind.evil.test/x?to=http://127.0.0.1:{port}/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/_x",
    ],
)
def test_nothing_in_an_alert_is_fetched(
    tmp_path: Path, trap: Trap, target: str, capfd: pytest.CaptureFixture[str]
) -> None:
    fleet = tmp_path / "steward.yaml"
    fleet.write_text(yaml.safe_dump(FLEET))
    environment = {"STEWARD_HOME": str(tmp_path), "STEWARD_FLEET": str(fleet), "USER": "ana"}
    app = App(settings.load(environment))
    alerts(app.world).receive(payload(trap.port, target.format(port=trap.port)))
    notes = notes_of(app.world)
    told = "\n".join(note.text for note in notes())
    publisher(app.world, notes)()
    notices(app.world).drain()
    asked = [
        Call("diagnose", {"alert": "HighErrorRate"}),
        Call("list_alerts", {}),
        Call("deployment_status", {"deployment": "digits"}),
    ]
    seen = [one.seen.text for one in app.assistant.toolbox.look_all(asked, "en")]
    assert "HighErrorRate" in told
    assert len(seen) == 3
    assert "root:x:" not in "\n".join([told, *seen])
    assert trap.called == []


def test_the_trap_would_notice(trap: Trap) -> None:
    with pytest.raises(OSError):
        socket.create_connection(("metadata.evil.test", trap.port), timeout=2)
    socket.create_connection(("127.0.0.1", trap.port), timeout=2).close()
    assert len(trap.called) >= 2
