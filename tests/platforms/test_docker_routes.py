"""A replica that leaves and one that comes, at the same gateway: neither undoes the other's edit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from tools.platforms import docker_gateway
from tools.platforms.docker_engine import Engine
from tools.platforms.docker_fleet import Fleet
from tools.platforms.docker_gateway import Gateway
from tools.platforms.docker_setup import Setup


class Still:
    """An engine that stops and removes what it is told to."""

    def stop(self, container: str, seconds: float) -> None: ...

    def remove(self, container: str) -> None: ...


class Direct(Fleet):
    """Asks a gateway in this process; ``between`` runs once, after its request ``at``."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(cast("Engine", Still()), Setup(name="digits", port=1))
        self.gateway = gateway
        self.asked, self.at = 0, 0

    def call(self, request: Mapping[str, Any]) -> dict[str, Any]:
        answer = json.loads(json.dumps(self.gateway.call(dict(request))))
        self.asked += 1
        if self.asked == self.at:
            self._route("new", "new", 1.0)
        return answer


@pytest.mark.parametrize("at", [1, 2, 3])
def test_one_comes_while_another_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    for name, path in (("HOME", tmp_path), ("STATE", tmp_path / "state.json")):
        monkeypatch.setattr(docker_gateway, name, path)
    monkeypatch.setattr(docker_gateway, "SOCKET", tmp_path / "gateway.sock")
    gateway = Gateway()
    fleet = Direct(gateway)
    fleet._route("old", "old", 1.0)
    fleet.asked, fleet.at = 0, at
    fleet.leave("old")
    assert fleet.asked > at
    assert set(gateway.state["routes"]) == set(gateway.backends) == {"new"}
    assert set(Gateway().backends) == {"new"}  # and so after a restart
