"""The tools of this room, for the catalogue."""

from __future__ import annotations

from tools.contract import Tool
from tools.nodes.cordon import CordonNode, UncordonNode
from tools.nodes.drain import DrainNode
from tools.nodes.listing import list_nodes

TOOLS: tuple[Tool, ...] = (list_nodes, CordonNode, UncordonNode, DrainNode)
