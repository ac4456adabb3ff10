"""The HTTP API: ask, stream, actions, decisions, alerts in, Slack events, health, metrics.

The only module that imports FastAPI (with its error answers beside it). Listens on TCP for token holders and on a unix socket in
STEWARD_HOME for the command line; both speak the same API. The documented contract is
``docs/openapi.json``, generated from here.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Annotated, Any, cast

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse

from agent.events import Event
from agent.fronts.http_callers import Caller
from agent.fronts.http_desk import Desk, status_of
from agent.fronts.http_errors import answer_errors
from agent.fronts.http_incidents import add_incidents
from agent.fronts.http_limits import Bounded
from agent.fronts.http_mcp import guarded
from agent.fronts.http_models import (
    ActionsView,
    ActionView,
    AlertsView,
    AnswerView,
    AskBody,
    DecisionBody,
    ErrorView,
    HealthView,
    SettleBody,
)
from agent.fronts.http_needs import desk_of, needs
from agent.fronts.threads import call, stream
from agent.fronts.wire import action_json, event_json
from tools.contract import Json
from tools.errors import ToolError

VERSION = "1"
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorView} for status in (400, 401, 403, 404, 409, 413, 503)
}


Asker = Annotated[Caller, Depends(needs("ask"))]
Reader = Annotated[Caller, Depends(needs("read"))]
Decider = Annotated[Caller, Depends(needs("decide"))]
Alerter = Annotated[Caller, Depends(needs("alerts"))]
Admin = Annotated[Caller, Depends(needs("admin"))]
OneDesk = Annotated[Desk, Depends(desk_of)]


async def ask(body: AskBody, caller: Asker, desk: OneDesk) -> Any:
    """Ask one question and wait for the whole answer. Changes come back as proposals."""
    message = desk.message(caller, body.text, body.conversation, body.id)
    return await call(lambda: desk.answer(message), f"ask-{message.id[:8]}")


async def ask_stream(body: AskBody, caller: Asker, desk: OneDesk) -> StreamingResponse:
    """Ask, and receive the events of the turn as they happen (server-sent events).

    Each event is named like its ``type``; the last one is ``end``.
    """
    message = desk.message(caller, body.text, body.conversation, body.id)
    return _events(lambda: desk.assistant.handle(message), f"ask-{message.id[:8]}")


def actions(
    _caller: Reader,
    desk: OneDesk,
    state: Annotated[list[str] | None, Query(description="Only these states.")] = None,
    hours: Annotated[float | None, Query(gt=0, le=8760, description="Changed since.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Any:
    """List actions, newest first."""
    return {"actions": desk.actions(state or [], hours, limit)}


def action(number: int, _caller: Reader, desk: OneDesk) -> Any:
    """One action: the exact call, the preview, who decided what, and the outcome."""
    return action_json(_found(desk, number))


def action_events(number: int, _caller: Reader, desk: OneDesk) -> StreamingResponse:
    """Progress and state changes of an action until its outcome (server-sent events)."""
    _found(desk, number)
    return _events(lambda: desk.follow(number), f"follow-{number}")


def decide(number: int, body: DecisionBody, caller: Decider, desk: OneDesk) -> Any:
    """Say yes or no to exactly one action. The digest names what was seen; it is used once."""
    _found(desk, number)
    return action_json(desk.decide(caller.actor, number, body.digest, body.verdict, body.reason))


def cancel(number: int, caller: Decider, desk: OneDesk) -> Any:
    """Withdraw a waiting action, or ask a running one to stop at its next safe point."""
    _found(desk, number)
    return action_json(desk.assistant.recovery.cancel(number, caller.actor))


def settle(number: int, body: SettleBody, caller: Decider, desk: OneDesk) -> Any:
    """Answer for an action in state ``unknown``: did it take effect?"""
    _found(desk, number)
    return action_json(desk.assistant.recovery.settle(number, caller.actor, body.happened))


def reset_breaker(caller: Admin, desk: OneDesk) -> Any:
    """Close the circuit breaker after its cause was looked at."""
    desk.assistant.recovery.reset_breaker(caller.actor)
    return {"ok": True}


async def alerts(request: Request, _caller: Alerter, desk: OneDesk) -> Any:
    """Alertmanager webhook (version 4). 2xx only after everything is stored."""
    receive = desk.receive_alerts
    if receive is None:
        raise HTTPException(503, "Alerts are not set up here.")
    try:
        payload = json.loads(await request.body())
    except ValueError:
        raise HTTPException(400, "The body is not JSON.") from None
    if not isinstance(payload, dict):
        raise HTTPException(400, "The body is not a webhook document.")
    await call(lambda: receive(cast("dict[str, Json]", payload)), "alerts")
    desk.alerts_arrived()
    return {"stored": True}


async def slack_events(request: Request, desk: OneDesk) -> Response:
    """Slack's own requests in HTTP mode; signature and timestamp are checked first."""
    if desk.slack_events is None:
        raise HTTPException(404, "Slack does not use HTTP mode here.")
    given = {k.decode("latin-1"): v.decode("latin-1") for k, v in request.scope["headers"]}
    status, headers, body = await desk.slack_events(await request.body(), given)
    return Response(body, status, dict(headers))


def healthz() -> Any:
    """The process lives."""
    return {"ok": True}


async def readyz(desk: OneDesk, response: Response) -> Any:
    """The process can do its work: the store answers and the fronts are connected."""
    parts = dict(await desk.parts()) if desk.parts else {}
    ok = all(state == "ok" for state in parts.values())
    response.status_code = 200 if ok else 503
    return {"ok": ok, "parts": parts}


def metrics(desk: OneDesk) -> Response:
    """The service's own metrics in the Prometheus text format."""
    return Response(desk.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def make_app(desk: Desk) -> Bounded:
    """The bounded ASGI application."""
    return Bounded(make_api(desk), desk.limits)


def make_api(desk: Desk | None) -> FastAPI:
    """The application without its bounds, as the OpenAPI document describes it."""
    app = FastAPI(
        title="Steward",
        version=VERSION,
        description="Ask, look, propose; a change happens only after a person's decision.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.desk = desk
    for method, path, endpoint, model in (
        ("POST", "/v1/ask", ask, AnswerView),
        ("POST", "/v1/ask/stream", ask_stream, None),
        ("GET", "/v1/actions", actions, ActionsView),
        ("GET", "/v1/actions/{number}", action, ActionView),
        ("GET", "/v1/actions/{number}/events", action_events, None),
        ("POST", "/v1/actions/{number}/decision", decide, ActionView),
        ("POST", "/v1/actions/{number}/cancel", cancel, ActionView),
        ("POST", "/v1/actions/{number}/settle", settle, ActionView),
        ("POST", "/v1/breaker/reset", reset_breaker, None),
        ("POST", "/v1/alerts", alerts, AlertsView),
    ):
        app.add_api_route(path, endpoint, methods=[method], response_model=model, responses=_ERRORS)
    add_incidents(app, _ERRORS)
    app.add_api_route("/slack/events", slack_events, methods=["POST"], response_model=None)
    app.add_api_route("/healthz", healthz, methods=["GET"], response_model=HealthView)
    app.add_api_route("/readyz", readyz, methods=["GET"], response_model=HealthView)
    app.add_api_route("/metrics", metrics, methods=["GET"], response_model=None)
    if desk is not None and desk.mcp is not None:
        app.mount("/mcp", guarded(desk, desk.mcp))
    answer_errors(app)
    app.middleware("http")(_measured)
    return app


def _found(desk: Desk, number: int) -> Any:
    try:
        return desk.action(number)
    except ToolError as error:
        if status_of(error)[0] == 400:
            raise HTTPException(404, error.en) from None
        raise


def _events(make: Callable[[], Iterator[Event]], name: str) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        try:
            async for event in stream(make, name):
                yield _sse(event_json(event))
            yield _sse({"type": "end"})
        except ToolError as error:
            status, code = status_of(error)
            said = {"code": code, "message": error.en, "message_zh": error.zh, "status": status}
            yield _sse({"type": "error", "error": said})

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(lines(), media_type="text/event-stream", headers=headers)


def _sse(event: dict[str, Any]) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n"


async def _measured(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    begin = time.monotonic()
    response = await go_on(request)
    route = request.scope.get("route")
    labels = {"route": getattr(route, "path", "none"), "method": request.method}
    metrics = desk_of(request).metrics
    answered = {**labels, "status": str(response.status_code)}
    metrics.count("steward_http_requests_total", "HTTP requests answered.", labels=answered)
    seconds = time.monotonic() - begin
    metrics.observe("steward_http_seconds", "Seconds until an answer began.", seconds, labels)
    return response
