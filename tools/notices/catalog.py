"""The tools of this room."""

from __future__ import annotations

from tools.contract import Tool
from tools.notices.listing import list_notices
from tools.notices.sending import SendNotice

TOOLS: tuple[Tool, ...] = (list_notices, SendNotice)
