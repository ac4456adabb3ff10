"""Service graphs: a sick dependency is named as the cause, a healthy or later one is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.recorded import Calm
from tests.alerts.stage import DIAGNOSE
from tests.support import make_world
from tools.alerts.base import alerts
from tools.alerts.book import build as build_alerts
from tools.alerts.collect.services import calls_of
from tools.alerts.diagnosing import Diagnosis
from tools.contract import Json
from tools.errors import BadArguments
from tools.fleet import Fleet
from tools.observe.base import Sample
from tools.observe.history import History
from tools.platforms.router import Router
from tools.world import World

SHOP: dict[str, Json] = {"checkout": ["cart", "ads"], "cart": ["db"]}
NOW = datetime.now(UTC)


def shop(home: Path, depends_on: Json = SHOP) -> World:
    return make_world(
        home,
        fleet=Fleet(path=None, sections={"depends_on": depends_on}),
        platforms=lambda w: Router(w, {}),
        more={"alerts": build_alerts, "telemetry": Calm},
    )


def fires(world: World, name: str, service: str, *, minutes: float = 10) -> None:
    alert: dict[str, Any] = {
        "status": "firing",
        "labels": {"alertname": name, "severity": "warning", "service_name": service},
        "startsAt": (NOW - timedelta(minutes=minutes)).isoformat(),
        "endsAt": "0001-01-01T00:00:00Z",
    }
    alerts(world).receive({"version": "4", "status": "firing", "alerts": [alert]})


def diagnose(world: World) -> Diagnosis:
    assert DIAGNOSE.read is not None
    found = DIAGNOSE.read(world, alert="InferenceErrorRateHigh")
    assert isinstance(found, Diagnosis)
    return found


def test_a_sick_dependency_two_calls_below_is_the_cause(tmp_path: Path):
    world = shop(tmp_path)
    fires(world, "InferenceErrorRateHigh", "checkout")
    fires(world, "ModelLatencyHigh", "cart", minutes=11)
    fires(world, "ServingDown", "db", minutes=12)
    found = diagnose(world)
    assert (found.verdict, found.suspects[0].id) == ("cause", "dependency")
    quote = found.suspects[0].evidence[0].quote
    assert quote.startswith("db, which checkout depends on, is unwell itself: ServingDown fires")
    assert "it explains cart too" in quote
    assert "自身异常" in found.say("zh")


def test_a_dependency_that_fell_ill_later_is_not_blamed(tmp_path: Path):
    world = shop(tmp_path)
    fires(world, "InferenceErrorRateHigh", "checkout", minutes=30)
    fires(world, "ServingDown", "db", minutes=5)
    found = diagnose(world)
    assert "dependency" not in [s.id for s in found.suspects if s.evidence]


def test_healthy_dependencies_are_named_as_checked(tmp_path: Path):
    world = shop(tmp_path)
    fires(world, "InferenceErrorRateHigh", "checkout")
    fires(world, "ServingDown", "payroll")
    found = diagnose(world)
    assert not any(s.evidence for s in found.suspects)
    assert any("none explains it" in c.en for c in found.checked)


def test_recorded_errors_of_a_dependency_count_as_a_symptom(tmp_path: Path):
    world = shop(tmp_path)
    history = History(world.store)
    for minute in range(90, 0, -1):
        bad = 0.4 if minute <= 12 else 0.01
        at = NOW - timedelta(minutes=minute)
        labels = {"deployment": "ml/db", "revision": "1"}
        history.record([Sample("error_ratio", bad, labels)], at)
    fires(world, "InferenceErrorRateHigh", "checkout")
    found = diagnose(world)
    assert found.suspects[0].id == "dependency"
    assert "db" in found.suspects[0].evidence[0].quote


def test_without_a_graph_nothing_is_said_about_one(tmp_path: Path):
    world = shop(tmp_path, None)
    fires(world, "InferenceErrorRateHigh", "checkout")
    assert "depends_on" not in diagnose(world).say("en")


@pytest.mark.parametrize("wrong", ["db", ["db"], {"a": "b"}, {"a": [1]}])
def test_a_graph_that_is_none_is_told_with_an_example(wrong: Any):
    with pytest.raises(BadArguments, match="depends_on"):
        calls_of(wrong)
