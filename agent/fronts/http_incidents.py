"""Incidents over HTTP: what fires together, and "I have it"."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException

from agent.fronts.http_callers import Caller
from agent.fronts.http_desk import Desk
from agent.fronts.http_models import IncidentsView, IncidentView
from agent.fronts.http_needs import desk_of, needs
from agent.fronts.notes import IncidentDesk
from agent.fronts.threads import call
from tools.contract import as_json

Reader = Annotated[Caller, Depends(needs("read"))]
Decider = Annotated[Caller, Depends(needs("decide"))]
OneDesk = Annotated[Desk, Depends(desk_of)]


def incidents(_caller: Reader, desk: OneDesk) -> Any:
    """Incidents that fire, and those that ended lately; newest first."""
    return {"incidents": [as_json(one) for one in _kept(desk).incidents()]}


async def have(number: int, caller: Decider, desk: OneDesk) -> Any:
    """Say that you have an incident: nobody further is called. Repeating it is harmless.

    The token must belong to a person. 409 when it is over or somebody else has it.
    """
    kept = _kept(desk)
    taken = await call(lambda: kept.have(number, caller.actor.name), "have-incident")
    desk.alerts_arrived()
    return as_json(taken)


def _kept(desk: Desk) -> IncidentDesk:
    if desk.incidents is None:
        raise HTTPException(503, "Alerts are not set up here.")
    return desk.incidents


def add_incidents(app: FastAPI, errors: Any) -> None:
    """Add the routes to the application."""
    for method, path, endpoint, model in (
        ("GET", "/v1/incidents", incidents, IncidentsView),
        ("POST", "/v1/incidents/{number}/have", have, IncidentView),
    ):
        app.add_api_route(path, endpoint, methods=[method], response_model=model, responses=errors)
