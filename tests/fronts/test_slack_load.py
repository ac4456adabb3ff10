"""A short version of bench/slack.py: under load nothing is dropped and nothing is said twice."""

from __future__ import annotations

from bench.slack import measure


def test_a_burst_is_acknowledged_and_answered_once() -> None:
    result = measure(rate=50, seconds=3, slow=0.5, workers=32, patience=80)
    assert result["unacknowledged"] == 0
    assert (result["dropped"], result["answered_twice"]) == (0, 0)
    assert result["ack_ms"]["max"] < 3_000, "Slack gives up after three seconds"
