"""Every tool of this room, by hand."""

from __future__ import annotations

from tools.contract import Tool
from tools.observe.gpu_status import gpu_processes, gpu_status
from tools.observe.host_status import host_status
from tools.observe.list_alert_rules import list_alert_rules
from tools.observe.list_events import list_events
from tools.observe.metric_query import metric_query
from tools.observe.plot_metric import plot_metric
from tools.observe.read_logs import read_logs
from tools.observe.remove_alert_rule import RemoveAlertRule
from tools.observe.set_alert_rule import SetAlertRule

TOOLS: tuple[Tool, ...] = (
    host_status,
    gpu_status,
    gpu_processes,
    metric_query,
    plot_metric,
    read_logs,
    list_events,
    list_alert_rules,
    SetAlertRule,
    RemoveAlertRule,
)
