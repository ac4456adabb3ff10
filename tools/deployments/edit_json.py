"""Platform edits as the plain JSON that a plan carries in its details, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from tools.contract import Json, as_json
from tools.platforms.base import (
    Edit,
    Pause,
    Release,
    Restart,
    Resume,
    RollBack,
    RollOut,
    Scale,
)

_KINDS = {kind.__name__: kind for kind in (RollOut, Scale, Restart, RollBack, Pause, Resume)}


def to_json(edit: Edit) -> Json:
    """``{"kind": "Scale", "replicas": 3}``; durations in seconds."""
    return {"kind": type(edit).__name__, **cast("dict[str, Json]", as_json(edit))}


def from_json(value: Json) -> Edit:
    """The edit of :func:`to_json`."""
    raw = dict(cast("Mapping[str, Any]", value))
    kind = _KINDS[raw.pop("kind")]
    if kind is RollOut:
        raw["release"] = Release(**raw["release"])
        raw["steps"] = tuple(raw["steps"])
        raw["pause"] = timedelta(seconds=raw["pause"])
    return kind(**raw)
