"""Jobs: what runs and how far, what ended in the window, what failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tools.actions.wording import cut
from tools.amounts import plural, span
from tools.models.job_findings import line
from tools.summary.part import Look, Part, Remark
from tools.words import Said

if TYPE_CHECKING:
    from tools.models.base import JobStatus

TITLE = Said("Jobs", "任务")
SHOWN = 12
SILENT = timedelta(minutes=10)
"""A running job without a step for so long is worth a remark."""


def collect(look: Look) -> Part:
    """Running jobs, and those that ended in the window."""
    jobs = look.world.jobs.list()
    running = [j for j in jobs if j.state in ("running", "pending")]
    ended = [j for j in jobs if j.ended_at is not None and j.ended_at >= look.since]
    shown = [*running, *(j for j in ended if j not in running)][:SHOWN]
    lines = [
        Said(cut(line(j, look.until, "en"), 98), cut(line(j, look.until, "zh"), 98)) for j in shown
    ]
    busy = sum((_time(j, look) for j in [*running, *ended]), timedelta())
    if busy >= timedelta(minutes=1):
        count = len(running) + len(ended)
        en = f"{span(busy)} of work in {plural(count, 'job')}"
        lines.append(Said(en, f"{count} 个任务共运行 {span(busy, 'zh')}"))
    return Part(
        "jobs",
        TITLE,
        tuple(lines) or (Said("none ran.", "没有任务运行。"),),
        _remarks(running, ended, look.until),
        None,
        {
            "running": len(running),
            "succeeded": sum(j.state == "succeeded" for j in ended),
            "failed": sum(j.state in ("failed", "lost") for j in ended),
            "seconds": busy.total_seconds(),
        },
    )


def _time(job: JobStatus, look: Look) -> timedelta:
    begin = max(job.started_at or job.created_at, look.since)
    end = job.ended_at or look.until
    return max(end - begin, timedelta())


def _remarks(
    running: Sequence[JobStatus], ended: Sequence[JobStatus], now: datetime
) -> tuple[Remark, ...]:
    told: list[Remark] = []
    for job in ended:
        if job.state in ("failed", "lost") and not _redone(job, [*running, *ended]):
            why = f" ({job.cause})" if job.cause else ""
            zh = "失败" if job.state == "failed" else "丢失"
            verb = "failed" if job.state == "failed" else "was lost"
            told.append(
                Remark("problem", Said(f"job {job.name} {verb}{why}", f"任务 {job.name} {zh}{why}"))
            )
    for job in running:
        quiet = now - job.last_step_at if job.last_step_at else timedelta()
        if job.state == "running" and quiet > SILENT:
            en = f"job {job.name} has not made a step for {span(quiet)}"
            zh = f"任务 {job.name} 已有 {span(quiet, 'zh')} 没有进展"
            told.append(Remark("problem", Said(en, zh)))
    active = len(running)
    if active:
        verb = "runs" if active == 1 else "run"
        said = Said(f"{plural(active, 'job')} {verb}", f"{active} 个任务在运行")
        told.append(Remark("note", said))
    return tuple(told)


def _redone(job: JobStatus, others: Sequence[JobStatus]) -> bool:
    """Whether the same work was started again and did not fail."""
    return any(
        o.created_at > job.created_at
        and (o.model, o.kind) == (job.model, job.kind)
        and o.state in ("running", "pending", "succeeded")
        for o in others
    )
