"""The door keeper of ``/mcp``: proves the caller before the MCP application sees anything."""

from __future__ import annotations

from agent.fronts.http_callers import missing
from agent.fronts.http_desk import Desk
from agent.fronts.http_limits import App, Receive, Scope, Send, refuse


def guarded(desk: Desk, app: App) -> App:
    """``app`` for callers with the scope ``ask``; who they are is in the scope of the request."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        peer = scope["client"][0] if scope.get("client") else ""
        headers = dict(scope["headers"])
        header = headers.get(b"authorization", b"").decode("latin-1")
        caller = desk.caller(peer, header)
        if caller is None:
            await refuse(send, 401, "unauthorized", "A valid bearer token is needed.")
        elif missing(caller, ["ask"]):
            await refuse(send, 403, "forbidden", "This token lacks the scope 'ask'.")
        else:
            await app({**scope, "steward_actor": caller.actor}, receive, send)

    return serve
