"""What Slack's answers mean to the rest of the front."""

from __future__ import annotations

from tools.errors import Unavailable


class SlackRefused(Unavailable):
    """Slack answered no; ``code`` is its word for the reason."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"Slack refused {method}: {code}.")
        self.code = code


class SlackUncertain(Unavailable):
    """It is not known whether Slack did it."""
