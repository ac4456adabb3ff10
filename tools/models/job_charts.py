"""The course of a job as a picture: loss and validation accuracy by step, or the best of a study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tools.models.charts import Line, course
from tools.models.job_folder import JobFolder

if TYPE_CHECKING:
    from pathlib import Path

    from tools.models.base import JobStatus
    from tools.world import World


def drawn(world: World, job: JobStatus) -> Path | None:
    """A picture of how the job went so far; ``None`` where there is too little to draw."""
    events = JobFolder(world.home / "jobs" / job.name).events()
    # Of several attempts the last one is drawn; a run that was resumed does not start at zero.
    fresh = [i for i, e in enumerate(events) if e["event"] == "start" and not e["step"]]
    steps = [e for e in events[fresh[-1] if fresh else 0 :] if e["event"] == "step"]
    # Lines at the end of an epoch carry validation figures, all others the loss of their batch.
    ends = [e for e in steps if "epoch" in e]
    loss = _line("training", ((e, "loss") for e in steps if "epoch" not in e))
    checked = _line("validation", ((e, "loss") for e in ends))
    accuracy = _line("validation", ((e, "accuracy") for e in steps))
    if max(len(loss.x), len(accuracy.x)) < 2:
        return None
    unit = "trial" if job.kind == "tune" else "step"
    title = f"{job.name}: {job.state}, {unit} {job.step} of {job.total_steps}"
    file = world.home / "charts" / f"{job.name}.png"
    return course(file, title, unit, [line for line in (loss, checked) if line.x], accuracy)


def _line(name: str, told: Iterable[tuple[Mapping[str, Any], str]]) -> Line:
    # A resumed run goes over some steps again: what it said last counts.
    found = {int(e["step"]): float(e[key]) for e, key in told if e.get(key) is not None}
    steps = sorted(found)
    return Line(name, tuple(steps), tuple(found[s] for s in steps))
