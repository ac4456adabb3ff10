"""The real chain: exporter, Prometheus with the shipped rules, Alertmanager, Steward's service.

Every process is the real one; each of them is ended hard and started again on the way.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.observe.servers import (
    ALERTMANAGER,
    PROMETHEUS,
    AlertmanagerServer,
    PrometheusServer,
    Web,
    free_port,
    wait_until,
)
from tests.support import carry_out, make_world
from tools.alerts.base import alerts
from tools.alerts.book import build
from tools.alerts.silencing import SilenceAlert
from tools.alerts.unsilencing import UnsilenceAlert
from tools.fleet import Fleet
from tools.store import Store
from tools.world import SystemClock, World

RULES = Path(__file__).parents[2] / "deploy/prometheus/steward.rules.yml"
TOKEN = "the-receivers-token"
pytestmark = [
    pytest.mark.skipif(PROMETHEUS is None, reason="the prometheus binary is not installed"),
    pytest.mark.skipif(ALERTMANAGER is None, reason="the alertmanager binary is not installed"),
    pytest.mark.timeout(400),
]


class Chain:
    """All four, and a look into what Steward keeps."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.failed: dict[str, int] = {"0": 1}
        self.exporter = Web(lambda: (200, "text/plain", self._page()))
        self.port = free_port()
        hook = f"http://127.0.0.1:{self.port}/v1/alerts"
        self.manager = AlertmanagerServer(home / "am", hook, TOKEN)
        self.prometheus = PrometheusServer(
            home / "prom", {"dcgm": self.exporter.address}, RULES, self.manager.address
        )
        self.fleet = home / "steward.yaml"
        token = {"name": "am", "scopes": ["alerts"], "sha256": _sha256(TOKEN)}
        document = {
            "http": {"port": self.port, "tokens": [token]},
            "alertmanager": {"url": self.manager.url},
        }
        self.fleet.write_text(json.dumps(document))
        self.steward: subprocess.Popen[bytes] | None = None

    def _page(self) -> str:
        rows = [
            f'DCGM_FI_DEV_ROW_REMAP_FAILURE{{gpu="{gpu}",UUID="GPU-{gpu}",Hostname="n1"}} {value}'
            for gpu, value in self.failed.items()
        ]
        return "\n".join(rows) + "\n"

    def start_steward(self) -> None:
        environment = {**os.environ, "STEWARD_HOME": str(self.home / "state")}
        self.steward = subprocess.Popen(
            [sys.executable, "-m", "agent.cli", "serve", "--fleet", str(self.fleet)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=(self.home / "steward.log").open("ab"),
        )
        ready = f"http://127.0.0.1:{self.port}/healthz"
        wait_until(lambda: httpx.get(ready, trust_env=False).status_code == 200, "no Steward", 120)

    def kill_steward(self) -> None:
        assert self.steward is not None
        self.steward.send_signal(signal.SIGKILL)
        self.steward.wait(20)
        self.steward = None

    def world(self) -> World:
        section = {"alertmanager": {"url": self.manager.url}}
        world = make_world(
            self.home / "desk",
            fleet=Fleet(path=None, sections=section),
            more={"alerts": build},
        )
        world.clock = SystemClock()
        world.store = Store.at_home(self.home / "state")
        return world

    def close(self) -> None:
        if self.steward is not None:
            self.kill_steward()
        self.prometheus.stop()
        self.manager.stop()
        self.exporter.close()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    made = Chain(tmp_path)
    made.manager.start()
    made.prometheus.start()
    made.start_steward()
    yield made
    made.close()


def test_a_fault_on_a_gpu_reaches_steward_and_is_silenced_through_every_restart(chain: Chain):
    world = chain.world()
    book = alerts(world)

    def received(state: str) -> set[str]:
        """GPUs whose alert Steward itself has stored in this state."""
        plain = make_world(chain.home / "plain", more={"alerts": build})
        plain.store = world.store
        held = alerts(plain).alerts(state)
        return {a.labels["gpu"] for a in held if a.name == "GPURowRemapFailure"}

    # The fault reaches the store by way of the webhook, and forms an incident.
    wait_until(lambda: received("firing") == {"0"}, "the alert did not arrive")
    (first,) = [a for a in book.alerts("firing") if a.name == "GPURowRemapFailure"]
    assert first.severity == "critical"
    assert first.incident is not None

    # A silence through the tool hides it in Alertmanager itself.
    carry_out(world, SilenceAlert, "act-1", alert="GPURowRemapFailure", duration="1h")
    assert _suppressed(chain) == {"0"}
    assert [a.labels["gpu"] for a in book.alerts("silenced")] == ["0"]

    # Alertmanager restarts: meanwhile what is stored answers, afterwards the silence is still there.
    chain.manager.stop()
    assert [a.labels["gpu"] for a in book.alerts() if a.name == "GPURowRemapFailure"] == ["0"]
    assert book.trouble is not None
    chain.manager.start()
    wait_until(lambda: _suppressed(chain) == {"0"}, "the silence did not survive")
    assert [s.action_id for s in book.silences()] == ["act-1"]

    # The silence is lifted through the tool.
    carry_out(world, UnsilenceAlert, "act-2", alert="GPURowRemapFailure")
    wait_until(lambda: _suppressed(chain) == set(), "the silence was not lifted")

    # Steward is killed; what fires meanwhile arrives once it is back.
    chain.kill_steward()
    chain.failed["1"] = 1
    wait_until(lambda: _active(chain) == {"0", "1"}, "Alertmanager did not get the second one")
    assert received("firing") == {"0"}
    chain.start_steward()
    wait_until(lambda: received("firing") == {"0", "1"}, "the second alert was lost", 120)

    # The fault ends, and so does the alert.
    chain.failed["0"] = chain.failed["1"] = 0
    wait_until(lambda: received("resolved") == {"0", "1"}, "the end was not told", 120)
    assert received("firing") == set()


def _suppressed(chain: Chain) -> set[str]:
    return {a["labels"]["gpu"] for a in _listed(chain) if a["status"]["state"] == "suppressed"}


def _active(chain: Chain) -> set[str]:
    return {a["labels"]["gpu"] for a in _listed(chain)}


def _listed(chain: Chain) -> list[dict[str, dict[str, str]]]:
    answer = httpx.get(f"{chain.manager.url}/api/v2/alerts", trust_env=False)
    found: list[dict[str, dict[str, str]]] = answer.json()
    return [a for a in found if a["labels"]["alertname"] == "GPURowRemapFailure"]
