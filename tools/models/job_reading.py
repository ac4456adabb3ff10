"""What a job's folder says about it: progress by steps and checkpoints, the named cause, an ETA."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import Any

from tools.models.base import JobState, JobStatus
from tools.models.job_folder import JobFolder, read
from tools.models.job_tracker import phases

_QUIET = 30.0
"""Seconds without a step before a job may be called stalled; also twenty of its usual steps."""


def status_of(row: Mapping[str, Any], folder: JobFolder, state: JobState) -> JobStatus:
    """Put together what the row, the progress file and the result say."""
    events = folder.events()
    steps = [e for e in events if e.get("event") == "step"]
    last: Mapping[str, Any] = steps[-1] if steps else {}
    saved = [float(e["at"]) for e in events if e.get("event") == "checkpoint"]
    starts = [e for e in events if e.get("event") == "start"]
    legs = {e.get("leg", 0) for e in starts}
    ended = read(folder.result)
    created: datetime = row["created_at"]
    return JobStatus(
        name=row["name"],
        kind=row["kind"],
        model=row["model"],
        state=state,
        created_at=created if created.tzinfo else created.replace(tzinfo=UTC),
        action_id=row["action_id"],
        started_at=_time(float(starts[0]["at"])) if starts else None,
        ended_at=_time(float(ended["ended_at"])) if ended else None,
        step=int(last.get("step", 0)),
        total_steps=last.get("total"),
        loss=last.get("loss"),
        metrics=ended.get("metrics") or _metrics(steps),
        eta_seconds=_eta(steps) if state == "running" else None,
        last_step_at=_time(float(last["at"])) if last else None,
        last_checkpoint_at=_time(saved[-1]) if saved else None,
        restarts=len(starts) - len(legs),
        workers=row["workers"],
        cause=_cause(state, folder, steps, ended),
        version=ended.get("version"),
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _metrics(steps: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    for step in reversed(steps):
        if step.get("accuracy") is not None:
            return {"validation_accuracy": float(step["accuracy"])}
    return {}


def _pace(steps: Sequence[Mapping[str, Any]]) -> float | None:
    """Seconds per step over the newest lines of the same run."""
    recent = steps[-40:]
    paces = [
        (float(b["at"]) - float(a["at"])) / (int(b["step"]) - int(a["step"]))
        for a, b in pairwise(recent)
        if int(b["step"]) > int(a["step"])
    ]
    return median(paces) if paces else None


def _eta(steps: Sequence[Mapping[str, Any]]) -> float | None:
    pace = _pace(steps)
    if pace is None or not steps[-1].get("total"):
        return None
    left = int(steps[-1]["total"]) - int(steps[-1]["step"])
    passed = time.time() - float(steps[-1]["at"])
    return max(0.0, left * pace - passed)


def _cause(
    state: JobState, folder: JobFolder, steps: Sequence[Mapping[str, Any]], ended: Mapping[str, Any]
) -> str:
    if state in ("failed", "cancelled"):
        return str(ended.get("cause", ""))
    if state == "lost":
        at = f" at step {steps[-1]['step']}" if steps else " before its first step"
        left = "it can be resumed from its checkpoint" if folder.checkpoint.exists() else ""
        return f"its supervisor was killed{at}; {left or 'it can be resumed from the start'}"
    if state != "running":
        return ""
    on_cluster = str(read(folder.root / "cluster.json").get("cause", ""))
    return on_cluster or _quiet(folder, _pace(steps))


def _quiet(folder: JobFolder, pace: float | None) -> str:
    from tools.models.job_supervisor import stall

    return stall(folder, max(_QUIET, 20 * (pace or 0.0))) if phases(folder) else ""
