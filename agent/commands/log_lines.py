"""Log lines of the service: one a line, with what the event carries beside its message."""

from __future__ import annotations

import logging
from typing import TextIO

from agent.redaction import mask

_USUAL = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_NOISY = ("uvicorn.error", "mcp.server.streamable_http_manager", "matplotlib.font_manager")


class Lines(logging.Formatter):
    """``time LEVEL name message key=value …``, secrets masked."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        extra = {k: v for k, v in record.__dict__.items() if k not in _USUAL}
        said = super().format(record)
        first, newline, rest = said.partition("\n")
        facts = "".join(f" {k}={v}" for k, v in extra.items())
        return mask(f"{first}{facts}{newline}{rest}")


def log_to(stream: TextIO) -> None:
    """Send every log line of this process to ``stream``."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
