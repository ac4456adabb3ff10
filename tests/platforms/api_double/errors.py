"""Errors with the bodies that a real API server sends."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    def __init__(
        self, code: int, reason: str, message: str, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details
        self.headers: dict[str, str] = {}

    def body(self) -> dict[str, Any]:
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if self.details:
            status["details"] = self.details
        return status


def qualified(resource: str) -> str:
    group_version, _, plural = resource.rpartition("/")
    group = group_version.split("/")[0] if "/" in group_version else ""
    return f"{plural}.{group}" if group else plural


def not_found(resource: str, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{qualified(resource)} "{name}" not found')


def conflict(resource: str, name: str) -> ApiError:
    return ApiError(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {qualified(resource)} "{name}": the object has been'
        " modified; please apply your changes to the latest version and try again",
    )


def exists(resource: str, name: str) -> ApiError:
    return ApiError(409, "AlreadyExists", f'{qualified(resource)} "{name}" already exists')


def invalid(kind: str, name: str, causes: list[str]) -> ApiError:
    return ApiError(422, "Invalid", f'{kind} "{name}" is invalid: {"; ".join(causes)}')


def rejected(cause: str) -> ApiError:
    return ApiError(
        422,
        "Invalid",
        "the server rejected our request due to an error in our request",
        {"causes": [{"reason": "UnexpectedServerResponse", "message": cause}]},
    )


def expired() -> ApiError:
    return ApiError(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result.",
    )


def forbidden(
    user: str, verb: str, resource: str, plural: str, name: str, namespace: str | None
) -> ApiError:
    group_version = resource.rpartition("/")[0]
    group = group_version.split("/")[0] if "/" in group_version else ""
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    what = f'{qualified(resource)} "{name}"' if name else qualified(resource)
    return ApiError(
        403,
        "Forbidden",
        f'{what} is forbidden: User "{user}" cannot {verb} resource "{plural}" in API group'
        f' "{group}" {where}',
    )
