"""Alert storm: 11,000 alerts in webhook posts through the durable inbox, kill -9 in the middle.

    python bench/storm.py            # prints what was measured
    python bench/storm.py worker DB  # the receiving process: one JSON document per line

A worker process acknowledges each post only after the commit; the parent kills it with SIGKILL,
starts another, sends again what was not acknowledged, and compares what is stored with what was
sent. Measured: time, incidents, resident memory of the receiver.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

BATCH = 500
START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def storm(alerts: int = 11_000, seed: int = 7) -> list[dict[str, Any]]:
    """A rack loses power, a switch flaps, one GPU dies, a model server and a disk fail; all at once.

    Pods, jobs and services follow their nodes, as in a cluster of 200 nodes in 10 racks.
    """
    rng = random.Random(seed)
    found: list[dict[str, Any]] = []

    def add(name: str, severity: str, labels: dict[str, str]) -> None:
        at = START + timedelta(seconds=rng.uniform(0, 60))
        found.append(
            {
                "status": "firing",
                "labels": {"alertname": name, "severity": severity, "cluster": "prod", **labels},
                "annotations": {"summary": f"{name} in prod"},
                "startsAt": at.isoformat(),
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://prometheus/graph",
            }
        )

    down = [f"node-{n}" for n in range(20)]  # rack r0
    for node in down:
        add("NodeDown", "critical", {"node": node, "rack": "r0"})
        add("KubeNodeNotReady", "critical", {"node": node})
        add("GPUMetricsMissing", "warning", {"instance": f"{node}:9400"})
    for port in range(12):
        add(
            "InfinibandLinkDown",
            "critical",
            {"instance": f"node-{40 + port}:9100", "device": "mlx5_0"},
        )
    add("GPUXidFatal", "critical", {"instance": "node-77:9400", "gpu": "3", "UUID": "GPU-77-3",
                                    "xid": "79", "exported_pod": "train-a-0",
                                    "exported_namespace": "ml"})  # fmt: skip
    add("NodeDiskFull", "critical", {"instance": "node-120:9100", "mountpoint": "/data"})
    add("LLMEngineDown", "critical", {"instance": "node-150:8000", "model_name": "chat-70b"})
    for job in range(40):
        add("TrainingStalled", "critical", {"job_id": f"job-{job}", "namespace": "ml",
                                            "pod": f"job-{job}-0", "node": rng.choice(down)})  # fmt: skip
    while len(found) < alerts:
        node = rng.choice(down) if rng.random() < 0.8 else f"node-{rng.randrange(20, 200)}"
        pod = {
            "namespace": rng.choice(("ml", "serving", "data")),
            "pod": f"pod-{rng.randrange(60_000)}",
        }
        name = rng.choice(
            ("KubePodNotReady", "KubePodCrashLooping", "KubeProbeFailing", "CPUThrottlingHigh")
        )
        labels = {**pod, "node": node} if rng.random() < 0.9 else pod
        add(name, "warning", labels)
    rng.shuffle(found)
    return found


def posts(alerts: list[dict[str, Any]], size: int = BATCH) -> Iterator[dict[str, Any]]:
    """Webhook documents as Alertmanager posts them."""
    for start in range(0, len(alerts), size):
        part = alerts[start : start + size]
        yield {
            "version": "4",
            "groupKey": "{}:{}",
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "steward",
            "groupLabels": {},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager",
            "alerts": part,
        }


def _inbox(url: str) -> Any:
    from tools.alerts.book import AlertBook
    from tools.store import Store
    from tools.world import SystemClock

    return AlertBook(Store(url), SystemClock())


def worker(url: str) -> None:
    """Receive documents from standard input; acknowledge each on standard output."""
    book = _inbox(url)
    for line in sys.stdin:
        message = json.loads(line)
        received = book.receive(message["payload"])
        print(json.dumps({"ack": message["id"], "new": len(received.new)}), flush=True)


@dataclass
class Receiver:
    """The worker process as its sender sees it."""

    url: str

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, __file__, "worker", self.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )


def resident(pid: int) -> float:
    """Resident memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def deliver(url: str, documents: list[dict[str, Any]], kill_at: set[int]) -> dict[str, float]:
    """Send every document until it is acknowledged; SIGKILL the receiver before some acks."""
    receiver = Receiver(url)
    process = receiver.start()
    begun, first, peak, kills, number = time.monotonic(), 0.0, 0.0, 0, 0
    while number < len(documents):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"id": number, "payload": documents[number]}) + "\n")
        process.stdin.flush()
        if number in kill_at:
            kill_at.discard(number)
            time.sleep(0.01 * (kills + 1))
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            process = receiver.start()
            continue  # not acknowledged: sent again
        answer = json.loads(process.stdout.readline())
        assert answer["ack"] == number
        memory = resident(process.pid)
        first = first or memory
        peak = max(peak, memory)
        number += 1
    took = time.monotonic() - begun
    assert process.stdin is not None
    process.stdin.close()
    process.wait()
    return {"seconds": took, "kills": kills, "first_mib": first, "peak_mib": peak}


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="storm-"))
    url = f"sqlite:///{home / 'steward.db'}"
    alerts = storm()
    documents = list(posts(alerts))
    measured = deliver(url, documents, {5, 14})
    book = _inbox(url)
    stored = len(book.alerts(limit=100_000))
    sent = len(
        {
            (a["labels"]["alertname"], json.dumps(a["labels"], sort_keys=True), a["startsAt"])
            for a in alerts
        }
    )
    incidents = book.incidents(limit=1000)
    print(f"{len(alerts)} alerts in {len(documents)} posts, {measured['kills']:.0f} kills -9")
    print(f"stored {stored} of {sent} distinct; lost {sent - stored}")
    print(f"{len(incidents)} incidents in {measured['seconds']:.1f} s "
          f"({len(alerts) / measured['seconds']:.0f} alerts/s)")  # fmt: skip
    print(f"receiver memory {measured['first_mib']:.0f} -> {measured['peak_mib']:.0f} MiB")
    for incident in sorted(incidents, key=lambda i: -i.firing):
        print(f"  #{incident.number:<5} {incident.firing:>6} alerts  {incident.title}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        worker(sys.argv[2])
    else:
        main()
