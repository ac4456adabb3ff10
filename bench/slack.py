"""Load on the Slack front: events at a steady rate with a slow planner.

Run: ``python -m bench.slack [--rate 50] [--seconds 60] [--slow 2.0] [--workers 64]``

The stand-in runs in this process and the service in another, as in production. Prints one JSON
document: acknowledgement times (from the moment an envelope is sent until its acknowledgement is
received), how many were dropped, and how many were answered more than once.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.fronts.slack_standin import BOT_USER, SlackStandin
from tests.fronts.test_service import STARTED, Process


def measure(
    rate: float, seconds: float, slow: float, workers: int, patience: float = 300
) -> dict[str, Any]:
    """Send, wait until everything is answered (or patience ends), and count."""
    slack = SlackStandin()
    with tempfile.TemporaryDirectory() as home:
        process = Process(Path(home), slack, workers=workers)
        try:
            process.start()
            slack.connected()
            slack.answers("C0", slack.mention("warm", channel="C0"), 1)
            result = _load(slack, rate, seconds, slow, patience)
        finally:
            for one in STARTED:
                one.kill()
                one.wait(10)
            STARTED.clear()
            slack.close()
    return {"rate": rate, "seconds": seconds, "slow": slow, "workers": workers, **result}


def _load(
    slack: SlackStandin, rate: float, seconds: float, slow: float, patience: float
) -> dict[str, Any]:
    total, begin = int(rate * seconds), time.monotonic()
    envelopes: dict[str, str] = {}
    for n in range(total):
        time.sleep(max(0.0, begin + n / rate - time.monotonic()))
        ts = slack.mention(f"wait {slow} n{n}", channel=f"C{n % 20}")
        envelopes[slack.last] = ts
    sent = time.monotonic() - begin
    end = time.monotonic() + patience
    while time.monotonic() < end and len(_answered(slack, envelopes)) < total:
        time.sleep(0.2)
    took = time.monotonic() - begin
    time.sleep(1.0)
    answered = _answered(slack, envelopes)
    acks = [slack.acks[e] for e in envelopes]
    times = sorted((a.at - a.sent) * 1000 for a in acks if a.times)
    return {
        "events": total,
        "sending_took_s": round(sent, 1),
        "unacknowledged": sum(not a.times for a in acks),
        "ack_ms": {
            f"p{p}": round(times[min(len(times) - 1, len(times) * p // 100)], 1)
            for p in (50, 90, 99)
        }
        | {"max": round(times[-1], 1)},
        "dropped": total - len(answered),
        "answered_twice": sum(n > 1 for n in answered.values()),
        "all_answered_after_s": round(took, 1),
    }


def _answered(slack: SlackStandin, envelopes: dict[str, str]) -> Counter[str]:
    asked = set(envelopes.values())
    threads = (
        m.get("thread_ts", "") for m in list(slack.state.messages.values()) if m["user"] == BOT_USER
    )
    return Counter(t for t in threads if t in asked)


def main() -> None:
    """Measure once and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--rate", type=float, default=50)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--slow", type=float, default=2.0)
    options.add_argument("--workers", type=int, default=64)
    given = options.parse_args()
    print(json.dumps(measure(given.rate, given.seconds, given.slow, given.workers), indent=1))


if __name__ == "__main__":
    main()
