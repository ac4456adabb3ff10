"""A bug becomes one sentence for the person and a trace in a file for whoever mends it."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime

from agent import settings
from agent.redaction import mask


def keep(error: Exception) -> str:
    """Write the trace down; the sentence says where."""
    said = f"Steward broke: {type(error).__name__}: {mask(str(error))[:200]}."
    try:
        folder = settings.load().home / "crashes"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.txt"
        path.write_text(mask("".join(traceback.format_exception(error))), encoding="utf-8")
    except Exception:  # noqa: BLE001  no place to write must not hide the first error
        return said
    return f"{said} The trace is in {path}."
