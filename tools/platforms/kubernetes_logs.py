"""What pods say: their logs, and the counters of the model servers in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tools.errors import Refused, ToolError
from tools.platforms.base import LogLine, Status, Traffic
from tools.platforms.kubernetes_api import Api
from tools.platforms.kubernetes_errors import Forbidden, Missing
from tools.platforms.kubernetes_objects import moment
from tools.platforms.kubernetes_pods import Pod
from tools.platforms.kubernetes_refusals import CRASH
from tools.platforms.kubernetes_request import api_path
from tools.platforms.kubernetes_view import View
from tools.serving import metrics

PODS = 20
"""Pods whose logs are read for one answer, at most."""


def read_logs(
    api: Api,
    pods: Sequence[Pod],
    *,
    container: str | None,
    since: timedelta,
    limit: int,
    previous: bool,
) -> list[LogLine]:
    """The newest ``limit`` lines of these pods, oldest first; pods without a log are left out."""
    lines: list[LogLine] = []
    for pod in sorted(pods, key=lambda p: (p.ready, p.name))[:PODS]:
        for box in pod.boxes:
            wanted = not box.init if container is None else box.name == container
            if wanted or (box.init and box.stage != "terminated"):
                lines += _box_log(api, pod, box.name, since, limit, previous)
    lines.sort(key=lambda line: line.at or datetime.min.replace(tzinfo=api.now().tzinfo))
    return lines[-limit:]


def _box_log(
    api: Api, pod: Pod, container: str, since: timedelta, limit: int, previous: bool
) -> list[LogLine]:
    query: dict[str, object] = {
        "container": container,
        "timestamps": "true",
        "tailLines": limit,
        "limitBytes": 2_000_000,
    }
    if previous:
        query["previous"] = "true"
    else:
        query["sinceSeconds"] = max(1, int(since.total_seconds()))
    try:
        text = api.text(api_path("v1", pod.namespace, "pods", pod.name, "log"), query)
    except Forbidden:
        raise
    except (Missing, Refused):
        return []  # the container has not started, or has no earlier run
    source = pod.name if len(pod.boxes) == 1 else f"{pod.name}/{container}"
    return [_line(source, row) for row in text.splitlines() if not row.startswith(_NO_LOG)]


_NO_LOG = "unable to retrieve container logs for "
"""How a kubelet answers, as if it were the log, once it has removed the container."""


def _line(source: str, row: str) -> LogLine:
    stamp, _, text = row.partition(" ")
    try:
        return LogLine(moment(stamp), source, text)
    except ValueError:
        return LogLine(None, source, row)


def last_words(api: Api, pod: Pod, container: str) -> str:
    """The last line a crashed container wrote, or nothing."""
    for previous in (True, False):
        try:
            lines = _box_log(api, pod, container, timedelta(hours=1), 5, previous)
        except ToolError:
            return ""
        said = [line.text.strip() for line in lines if line.text.strip()]
        if said:
            return said[-1]
    return ""


_OTHER_CPU = "exec format error"


def heard(api: Api, view: View, seen: Status) -> Status:
    """The status with the last words of a crashed container, which name the reason best."""
    if not seen.message.startswith(CRASH) or "cannot start" in seen.message:
        return seen
    for pod in sorted(view.fresh, key=lambda p: p.ready):
        for box in pod.boxes:
            if box.restarts or box.stage == "terminated":
                said = last_words(api, pod, box.name)
                if _OTHER_CPU in said:
                    said += " (the image is built for another processor architecture)"
                return replace(seen, message=f"{seen.message}: {said}"[:400]) if said else seen
    return seen


def read_counters(api: Api, pods: Sequence[Pod], port: str) -> metrics.Counters | None:
    """Counters of these pods' servers, added up; ``None`` where none answers.

    Metrics are read through the API server's pod proxy, so that they can be had from outside the
    cluster as well.
    """
    total: metrics.Counters | None = None
    for pod in [p for p in pods if p.ready][:PODS]:
        number = pod.port(port)  # the proxy knows no port names of pods
        address = pod.name if number is None else f"{pod.name}:{number}"
        path = api_path("v1", pod.namespace, "pods", address, "proxy", "metrics")
        try:
            found = metrics.parse(api.text(path))
        except ToolError:
            continue
        for counters in found.values():
            total = total or metrics.Counters()
            total.add(counters)
    return total


def as_traffic(counters: metrics.Counters | None) -> Traffic | None:
    """Counters as the contract words them."""
    if counters is None:
        return None
    return Traffic(
        counters.requests,
        counters.error,
        counters.quantile(0.95),
        counters.quality,
        counters.labelled,
        counters.quantile(0.5),
    )
