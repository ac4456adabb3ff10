"""Writes the OpenAPI document of the HTTP API: ``python -m agent.fronts.openapi``."""

from __future__ import annotations

import json
import sys
from typing import Any


def document() -> dict[str, Any]:
    """The document; no assistant is needed to describe the API."""
    from agent.fronts.http import make_api

    return make_api(None).openapi()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), indent=2, ensure_ascii=False) + "\n")
