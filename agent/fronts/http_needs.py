"""What a request needs before it is served: a desk, a proven caller, a scope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from agent.fronts.http_callers import Caller, Scope, missing
from agent.fronts.http_desk import Desk

_bearer = HTTPBearer(auto_error=False, description="A token of http.tokens in steward.yaml.")


def desk_of(request: Request) -> Desk:
    """The desk of this application."""
    return request.app.state.desk


def needs(scope: Scope) -> Callable[..., Caller]:
    """A dependency: the caller, if it may use ``scope``."""

    def check(
        request: Request,
        _credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> Caller:
        peer = request.client.host if request.client else ""
        caller = desk_of(request).caller(peer, request.headers.get("authorization"))
        if caller is None:
            raise HTTPException(
                401, "A valid bearer token is needed.", {"WWW-Authenticate": "Bearer"}
            )
        if missing(caller, [scope]):
            raise HTTPException(403, f"This token lacks the scope {scope!r}.")
        return caller

    return check
