"""A job, as the jobs port reports it."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from tools.alerts.collect.base import Collected, Subject
from tools.alerts.collect.text import categories_of
from tools.alerts.facts import Fact
from tools.errors import BadArguments

if TYPE_CHECKING:
    from tools.models.base import JobStatus
    from tools.world import World


def job(world: World, subject: Subject) -> Collected:
    """Progress by steps and checkpoints, and the named cause where the job has one."""
    if not subject.job:
        raise BadArguments("no job belongs to it", "没有与之相关的任务")
    status = world.jobs.status(subject.job)
    now = world.clock.now()
    who = f"job {status.name}"
    found = Collected(looked=("job.state", "job.cause", "job.nan", "job.restarts", "job.stalled"))
    said = f"{who} is {status.state}" + (f": {status.cause}" if status.cause else "")
    at = status.ended_at or status.last_step_at
    found.facts.append(Fact("job.state", status.state, said, who, at))
    found.facts.append(
        Fact("job.restarts", float(status.restarts), f"{status.restarts} restarts", who)
    )
    for category in categories_of(status.cause):
        found.facts.append(Fact("job.cause", category, status.cause, who, at))
    if (
        status.loss is not None and not math.isfinite(status.loss)
    ) or "nan" in status.cause.lower():
        found.facts.append(
            Fact("job.nan", "yes", f"loss is {status.loss} at step {status.step}", who, at)
        )
    found.facts += _progress(status, now, who)
    if "lost_worker" in categories_of(status.cause):
        found.facts.append(Fact("job.worker_lost", "yes", status.cause, who, at))
    found.began = status.ended_at if status.state in ("failed", "lost") else None
    total = f" of {status.total_steps}" if status.total_steps else ""
    found.note(
        f"{said}, step {status.step}{total}",
        f"任务 {status.name}：{status.state}，第 {status.step} 步",
    )
    return found


def _progress(status: JobStatus, now: datetime, who: str) -> list[Fact]:
    since = status.last_step_at or status.started_at
    if status.state != "running" or since is None:
        return []
    quiet = (now - since).total_seconds()
    quote = f"no step for {quiet:.0f} s (step {status.step})"
    zh = f"{quiet:.0f} 秒没有新的步（第 {status.step} 步）"
    facts = [Fact("job.stalled", quiet, quote, who, since, quote_zh=zh)]
    started = status.started_at
    if started and status.step > 1 and status.last_step_at:
        usual = max(0.5, (status.last_step_at - started).total_seconds() / status.step)
        if quiet > 15:
            ratio = quiet / usual
            said = f"{quote}; a step usually takes {usual:.1f} s"
            facts.append(Fact("job.stalled_ratio", ratio, said, who, since, quote_zh=zh))
    elif quiet > 60:
        facts.append(Fact("job.stalled_ratio", quiet / 10, quote, who, since, quote_zh=zh))
    return facts
