"""The tools of this room."""

from __future__ import annotations

from tools.alerts.anomalies import find_anomalies
from tools.alerts.diagnosing import diagnose
from tools.alerts.explanation import explain_xid
from tools.alerts.learning import RecordCause
from tools.alerts.listing import list_alerts
from tools.alerts.silencing import SilenceAlert
from tools.alerts.unsilencing import UnsilenceAlert
from tools.contract import Tool

TOOLS: tuple[Tool, ...] = (
    list_alerts,
    diagnose,
    explain_xid,
    find_anomalies,
    SilenceAlert,
    UnsilenceAlert,
    RecordCause,
)
