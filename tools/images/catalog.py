"""The tools of this room, for the catalogue."""

from __future__ import annotations

from tools.contract import Tool
from tools.images.build import BuildImage
from tools.images.push import PushImage

TOOLS: tuple[Tool, ...] = (BuildImage, PushImage)
