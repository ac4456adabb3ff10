"""Alerts in: stored before acknowledged, deduplicated, grouped; a storm survives kill -9."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.storm import deliver, posts, storm
from tests.support import FakeClock
from tools.alerts.book import AlertBook
from tools.alerts.payload import fingerprint, parse_time
from tools.errors import BadArguments
from tools.store import Store, StoreError

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.fixture
def book(tmp_path: Path) -> AlertBook:
    return AlertBook(Store.at_home(tmp_path), FakeClock(START + timedelta(minutes=1)))


def alert(name: str, *, after: float = 0, status: str = "firing", **labels: str) -> dict[str, Any]:
    ended = "2026-11-23T03:05:00.123456789Z"
    return {
        "status": status,
        "labels": {"alertname": name, **labels},
        "annotations": {},
        "startsAt": (START + timedelta(seconds=after)).isoformat(),
        "endsAt": ended if status == "resolved" else "0001-01-01T00:00:00Z",
    }


def post(*alerts: Any) -> dict[str, Any]:
    return {"version": "4", "status": "firing", "alerts": list(alerts)}


def test_the_fingerprint_is_that_of_prometheus():
    """FNV-1a over sorted labels; the empty set is the offset basis, as in model.LabelSet."""
    assert fingerprint({}) == f"{14695981039346656037:016x}"
    assert fingerprint({"a": "b", "c": "d"}) == fingerprint({"c": "d", "a": "b"})
    assert fingerprint({"a": "b"}) != fingerprint({"a": "c"})


def test_times_of_any_precision():
    assert parse_time("2026-11-23T03:05:00.123456789Z") == datetime(
        2026, 11, 23, 3, 5, 0, 123456, UTC
    )
    assert parse_time("0001-01-01T00:00:00Z") is None
    assert parse_time("yesterday") is None


def test_repeats_are_not_new_and_a_resolution_ends_one(book: AlertBook):
    firing = alert("NodeDown", node="n1")
    assert len(book.receive(post(firing)).new) == 1
    again = book.receive(post(firing, firing))
    assert (len(again.new), again.repeated) == (0, 2)
    assert len(book.receive(post(alert("NodeDown", status="resolved", node="n1"))).new) == 1
    assert len(book.receive(post(firing)).new) == 0, "a late repeat does not reopen it"
    assert book.alerts() == []
    assert [a.name for a in book.alerts("resolved")] == ["NodeDown"]
    assert len(book.receive(post(alert("NodeDown", after=600, node="n1"))).new) == 1


def test_what_is_no_alert_is_kept_and_named(book: AlertBook, tmp_path: Path):
    received = book.receive(
        post("x", {"status": "odd", "labels": {"a": "b"}}, {"labels": {}}, alert("A"))
    )
    assert len(received.new) == 1
    assert len(received.rejected) == 3
    with sqlite3.connect(tmp_path / "steward.db") as connection:
        assert connection.execute("SELECT count(*) FROM alert_rejects").fetchone() == (3,)


@pytest.mark.parametrize("payload", [{}, {"version": "3", "alerts": []}, {"version": "4"}])
def test_another_document_is_refused(book: AlertBook, payload: dict[str, Any]):
    with pytest.raises(BadArguments, match="version 4"):
        book.receive(payload)


def test_what_cannot_be_stored_is_not_acknowledged(tmp_path: Path):
    (tmp_path / "steward.db").write_text("this is not a database, whatever its name says")
    with pytest.raises(StoreError):
        AlertBook(Store.at_home(tmp_path), FakeClock()).receive(post(alert("A")))


def test_a_node_takes_its_pods_with_it_in_any_order(book: AlertBook):
    pods = [
        alert("KubePodNotReady", after=n, node="n1", pod=f"p{n}", namespace="ml") for n in range(3)
    ]
    book.receive(post(*pods))
    book.receive(post(alert("NodeDown", after=9, node="n1")))
    book.receive(post(alert("KubePodCrashLooping", after=12, node="n1", pod="p9", namespace="ml")))
    [incident] = book.incidents()
    assert incident.title == "NodeDown (node n1)"
    assert incident.firing == 5


def test_independent_faults_stay_apart(book: AlertBook):
    book.receive(
        post(
            alert("NodeDiskFull", instance="n1:9100", cluster="prod"),
            alert("NodeDown", node="n2", cluster="prod", namespace="ml"),
            alert("LLMEngineDown", model_name="chat", cluster="prod", namespace="ml"),
            alert("GPUXidFatal", instance="n3:9400", UUID="GPU-3", cluster="prod"),
        )
    )
    assert len(book.incidents()) == 4


def test_a_job_over_many_nodes_does_not_join_them(book: AlertBook):
    """Node and job together once merged everything into one; here two dead nodes stay two."""
    found = [
        alert("NodeDown", node="n1", rack="r1"),
        alert("NodeDown", node="n2", rack="r2"),
        *(
            alert("KubePodNotReady", after=n, node=f"n{1 + n % 2}", pod=f"p{n}", job_id="j1")
            for n in range(40)
        ),
    ]
    book.receive(post(*found))
    assert len([i for i in book.incidents() if i.title.startswith("NodeDown")]) == 2


def test_alerts_far_apart_in_time_are_not_linked(book: AlertBook):
    book.receive(post(alert("NodeDown", node="n1")))
    book.receive(post(alert("KubePodNotReady", after=3600, node="n1", pod="p", namespace="ml")))
    assert len(book.incidents()) == 2


def test_a_storm_survives_kill_9(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'steward.db'}"
    alerts = storm(11_000)
    measured = deliver(url, list(posts(alerts)), {3, 12})
    assert measured["kills"] == 2
    assert measured["peak_mib"] < measured["first_mib"] + 40
    book = AlertBook(Store(url), FakeClock())
    sent = {(json.dumps(a["labels"], sort_keys=True), a["startsAt"]) for a in alerts}
    assert len(book.alerts(limit=100_000)) == len(sent)
    incidents = book.incidents(limit=1000)
    assert len(incidents) <= 20
    assert sum(i.firing for i in incidents) == len(sent)
    titles = {i.title.split(" (")[0] for i in incidents}
    assert {"NodeDown", "NodeDiskFull", "GPUXidFatal", "LLMEngineDown"} <= titles
