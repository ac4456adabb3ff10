"""Every error of the HTTP API in one JSON shape: ``{"error": {"code", "message", "message_zh"}}``."""

from __future__ import annotations

import logging

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from agent.fronts.http_desk import status_of
from tools.errors import ToolError

log = logging.getLogger(__name__)


def answer_errors(app: FastAPI) -> None:
    """Teach an application to answer errors."""
    app.add_exception_handler(ToolError, _tool_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _broken)


def _error(status: int, code: str, message: str, zh: str | None = None, **headers: str) -> Response:
    body = {"error": {"code": code, "message": message, "message_zh": zh}}
    return JSONResponse(body, status, headers or None)


async def _tool_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ToolError)
    status, code = status_of(error)
    return _error(status, code, error.en, error.zh)


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
    code = codes.get(error.status_code, "bad_request" if error.status_code < 500 else "unavailable")
    return _error(error.status_code, code, str(error.detail), **dict(error.headers or {}))


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return _error(422, "invalid", f"{where}: {first['msg']}")


async def _broken(_request: Request, error: Exception) -> Response:
    log.error("http request broke", exc_info=error)
    return _error(500, "error", "Steward broke while answering; the log has the details.")
