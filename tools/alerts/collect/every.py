"""Every collector under the name by which playbooks ask for it."""

from __future__ import annotations

from collections.abc import Mapping

from tools.alerts.collect import around, before, gpus, jobs, logs, machine, measured, services, work
from tools.alerts.collect.base import Collector

COLLECTORS: Mapping[str, Collector] = {
    "alert": around.the_alert,
    "alerts": around.other_alerts,
    "changes": around.changes,
    "deployment": work.deployment,
    "events": work.events,
    "gpu": gpus.gpu,
    "history": before.history,
    "host": machine.host,
    "job": jobs.job,
    "kernel_log": logs.kernel_log,
    "logs": logs.logs,
    "metrics": measured.metrics,
    "node": work.node,
    "services": services.services,
    "siblings": around.siblings,
}
