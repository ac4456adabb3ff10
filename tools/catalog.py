"""Every tool, listed by hand, room by room."""

from __future__ import annotations

from tools.actions.catalog import TOOLS as ACTIONS
from tools.alerts.catalog import TOOLS as ALERTS
from tools.contract import Tool
from tools.deployments.catalog import TOOLS as DEPLOYMENTS
from tools.images.catalog import TOOLS as IMAGES
from tools.models.catalog import TOOLS as MODELS
from tools.nodes.catalog import TOOLS as NODES
from tools.notices.catalog import TOOLS as NOTICES
from tools.observe.catalog import TOOLS as OBSERVE
from tools.schedules.catalog import TOOLS as SCHEDULES
from tools.summary.catalog import TOOLS as SUMMARY

TOOLS: tuple[Tool, ...] = (
    *OBSERVE,
    *DEPLOYMENTS,
    *ALERTS,
    *MODELS,
    *NODES,
    *IMAGES,
    *SUMMARY,
    *SCHEDULES,
    *NOTICES,
    *ACTIONS,
)


def by_name() -> dict[str, Tool]:
    """Tools by name; a name given twice is a mistake of the rooms."""
    found = {tool.name: tool for tool in TOOLS}
    if len(found) != len(TOOLS):
        names = [tool.name for tool in TOOLS]
        raise TypeError(f"declared twice: {sorted({n for n in names if names.count(n) > 1})}")
    return found
