"""The tools of this room."""

from __future__ import annotations

from tools.contract import Tool
from tools.summary.reporting import status_summary

TOOLS: tuple[Tool, ...] = (status_summary,)
