"""``steward mcp``: the tools for any MCP client; a change is only proposed."""

from __future__ import annotations

import argparse

from agent.bootstrap import App
from agent.commands.exits import OK
from tools.errors import BadArguments


def run(options: argparse.Namespace) -> int:
    """Serve one client over stdio. (``steward serve`` offers MCP over HTTP at /mcp.)"""
    import asyncio

    if options.http:
        raise BadArguments(
            "MCP over HTTP needs callers to prove themselves: steward serve, at /mcp."
        )
    app = App.start(fleet=options.fleet)
    from agent.fronts.mcp import run_stdio

    asyncio.run(run_stdio(app.assistant, app.settings.user))
    return OK
