"""The tools of this room."""

from __future__ import annotations

from tools.contract import Tool
from tools.schedules.listing import list_schedules
from tools.schedules.scheduling import ScheduleSummary
from tools.schedules.unscheduling import UnscheduleSummary

TOOLS: tuple[Tool, ...] = (list_schedules, ScheduleSummary, UnscheduleSummary)
