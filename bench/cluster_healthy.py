"""Roll-outs that must be verified, however much they look like trouble."""

from __future__ import annotations

from bench.cluster_cases import BIG, ONE_MORE, PATIENT, QUOTA, Case, kill_oldest, rolling, scale

HEALTHY = (
    Case("plain"),
    Case("one replica", replicas=1),
    Case("ten replicas", replicas=10, least=8),
    Case("slow start", env={"START_DELAY_S": "45"}, box=PATIENT),
    Case("slow readiness", env={"READY_AFTER_S": "60"}),
    Case("no surge", spec=rolling(0, 1), least=2),
    Case("all at once", spec=rolling("25%", "100%")),
    Case("recreate", spec={"strategy": {"type": "Recreate"}}, least=0),
    Case("tight quota", spec=rolling(1, 1), after=QUOTA, least=2),
    Case("quota for one more", spec=rolling(3, 0), after=ONE_MORE),
    Case(
        "in the room of old ones", spec=rolling(1, 1), box=BIG, env={"READY_AFTER_S": "25"}, least=2
    ),
    Case("slow to leave", env={}, box={"env": [{"name": "TERM_DELAY_S", "value": "15"}]}),
    Case("ignores SIGTERM", box={"env": [{"name": "IGNORE_TERM", "value": "1"}]}),
    Case("blue/green", strategy="blue_green"),
    Case("canary", strategy="canary", replicas=4, least=3),
    Case("slow readiness of two", env={"READY_AFTER_S": "100"}, replicas=2),
    Case(
        "drains for minutes",
        box={"env": [{"name": "TERM_DELAY_S", "value": "200"}]},
        pod={"terminationGracePeriodSeconds": 240},
    ),
    Case("half of them missing", replicas=4, spec=rolling(0, "50%"), least=2),
    Case("scaled meanwhile", during=scale(5)),
    Case("an old replica deleted meanwhile", during=kill_oldest, least=2),
)
