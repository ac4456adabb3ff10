"""Why a server could not start, as an exit code other processes can read.

The last line of its log says the same in words, after ``FATAL``.
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of ``python -m tools.serving``."""

    OK = 0
    ARTIFACT_MISSING = 3
    PORT_TAKEN = 4
    CANNOT_LOAD = 5
    BAD_WARM_UP = 6


CAUSES = {
    Exit.ARTIFACT_MISSING: "artefact missing",
    Exit.PORT_TAKEN: "port taken",
    Exit.CANNOT_LOAD: "model cannot be loaded",
    Exit.BAD_WARM_UP: "model fails its warm-up",
}
"""The named cause of each exit code."""


class CannotServe(Exception):
    """The server cannot start; carries the exit code."""

    def __init__(self, code: Exit, message: str) -> None:
        super().__init__(message)
        self.code = code


class BadRequest(Exception):
    """The request is wrong; the HTTP status and a sentence for the caller."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class BadOutput(Exception):
    """The model answered something that must not leave the server (NaN, infinity)."""
