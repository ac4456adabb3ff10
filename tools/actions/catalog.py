"""The tools of this room."""

from __future__ import annotations

from tools.actions.card import show_action
from tools.actions.listing import list_actions
from tools.contract import Tool

TOOLS: tuple[Tool, ...] = (list_actions, show_action)
