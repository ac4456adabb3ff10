"""Stewards that make the same network at once: one network is left, and nobody fails."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
import requests

from tests.platforms import real_engine
from tools.errors import Refused
from tools.platforms import docker_network
from tools.platforms.docker_engine import Engine
from tools.platforms.docker_network import ensure_network


class Networks:
    """An engine's networks; another Steward makes one just before our ``create_network``."""

    def __init__(self, *, refuses: bool, other: str = "digits") -> None:
        self.rows = [{"Name": "digits-old", "Id": "0", "Created": "2026-01-01T00:00:00Z"}]
        self.refuses, self.other = refuses, other

    def networks(self, names: list[str]) -> list[dict[str, str]]:
        return [r for r in self.rows if names[0] in r["Name"]]

    def create_network(self, name: str, **_: Any) -> dict[str, str]:
        from docker.errors import APIError

        self.add(self.other, "other")
        if self.refuses:
            response = requests.Response()
            response.status_code = 409
            raise APIError("", response, f"network with name {name} already exists")
        self.add(name, "ours")
        return {"Id": "ours"}

    def add(self, name: str, identity: str) -> None:
        at = f"2026-01-01T00:00:0{len(self.rows)}Z"
        self.rows.append({"Name": name, "Id": identity, "Created": at})

    def remove_network(self, identity: str) -> None:
        self.rows = [r for r in self.rows if r["Id"] != identity]


def engine_with(networks: Networks) -> Engine:
    engine = Engine("box")
    engine._api = networks
    return engine


@pytest.mark.parametrize("refuses", [True, False], ids=["engine refuses", "engine makes two"])
def test_the_slower_of_two_takes_what_the_faster_made(refuses: bool) -> None:
    networks = Networks(refuses=refuses)
    ensure_network(engine_with(networks), "digits")
    assert [r["Id"] for r in networks.rows if r["Name"] == "digits"] == ["other"]


class Late(Networks):
    """An engine that dates the other network before ours, and lists it only after we have looked."""

    def __init__(self) -> None:
        super().__init__(refuses=False, other="something-else")
        self.looks = 0

    def networks(self, names: list[str]) -> list[dict[str, str]]:
        self.looks += 1
        if self.looks == 3:
            row = {"Name": "digits", "Id": "older", "Created": "2025-12-31T23:59:59Z"}
            self.rows.append(row)
        return super().networks(names)


def test_an_older_one_that_turns_up_late_is_the_one_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_network, "_PAUSE", 0.0)
    networks = Late()
    ensure_network(engine_with(networks), "digits")
    assert [r["Id"] for r in networks.rows if r["Name"] == "digits"] == ["older"]


def test_two_that_were_left_are_made_one_by_the_next_who_asks() -> None:
    networks = Networks(refuses=False)
    networks.add("digits", "first")
    networks.add("digits", "second")
    ensure_network(engine_with(networks), "digits")
    assert [r["Id"] for r in networks.rows if r["Name"] == "digits"] == ["first"]


def test_a_refusal_for_another_reason_is_told() -> None:
    networks = Networks(refuses=True, other="something-else")
    with pytest.raises(Refused, match="already exists"):
        ensure_network(engine_with(networks), "digits")


@pytest.mark.docker
@pytest.mark.skipif(bool(real_engine.why_not()), reason=real_engine.why_not() or "ok")
def test_eight_at_once_on_a_real_engine() -> None:
    name = f"steward-test-{uuid.uuid4().hex[:8]}"
    together, failed = threading.Barrier(8), list[Exception]()
    engine = Engine("box")
    ensure_network(engine, f"{name}-longer")  # a name that contains ours is not ours

    def ask() -> None:
        mine = Engine("box")
        together.wait(30)
        try:
            ensure_network(mine, name)
        except Exception as error:  # noqa: BLE001  told below
            failed.append(error)
        finally:
            mine.close()

    askers = [threading.Thread(target=ask) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(60)
    there = [r for r in engine.api.networks(names=[name]) if r["Name"] == name]
    for row in engine.api.networks(names=[name]):
        engine.api.remove_network(row["Id"])
    engine.close()
    assert not failed
    assert len(there) == 1
