"""Stopping a job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from tools.contract import (
    Act,
    Call,
    Effect,
    Happened,
    Outcome,
    Phrases,
    Plan,
    Target,
    Verdict,
    changing,
)
from tools.errors import Failed, Refused
from tools.words import Job
from tools.world import World


@dataclass(frozen=True, slots=True)
class CancelJobArgs:
    """Which job."""

    job: Job


@changing(CancelJobArgs)
class CancelJob:
    """Stop a running job at its next step; its last checkpoint stays."""

    effect: ClassVar[Effect] = Effect.CHANGE
    phrases = Phrases(
        en=(
            "cancel job {job}",
            "stop {job}",
            "abort the training job {job}",
            "kill {job}",
            "stop training {job}",
            "cancel {job}",
            "please end the run {job}",
            "terminate job {job}",
        ),
        zh=(
            "取消任务 {job}",
            "停止 {job}",
            "终止训练任务 {job}",
            "把 {job} 停掉",
            "取消 {job}",
            "别再跑 {job} 了",
            "中止 {job}",
        ),
    )

    def plan(self, world: World, args: CancelJobArgs) -> Plan:
        """What stops, and where it stands; raises ``Refused`` when it already ended."""
        status = world.jobs.status(args.job)
        if status.state in ("succeeded", "failed", "cancelled"):
            made = f" and registered version {status.version}" if status.version else ""
            raise Refused(
                f"Job {status.name} already {status.state}{made}; there is nothing to cancel. "
                "Versions are never deleted: promote another one instead.",
                f"任务 {status.name} 已结束（{status.state}），无法取消。"
                "版本不会被删除：请改为提升另一个版本。",
            )
        where = f"step {status.step} of {status.total_steps}" if status.total_steps else "its start"
        return Plan(
            target=Target("job", status.name, status.action_id or status.name, "1"),
            title=f"Cancel job {status.name}",
            diff=f"- {status.name}: running\n+ {status.name}: cancelled",
            blast_radius=f"{status.workers} process{'es' if status.workers > 1 else ''} end; "
            "no deployment and no traffic is touched",
            undo="the job is resumed from its last checkpoint",
            verification="the job's processes are gone and it is recorded as cancelled",
            deadline=timedelta(seconds=60),
            warnings=(f"{status.name} is at {where}.",) if status.eta_seconds is not None else (),
            details={"job": status.name, "model": status.model},
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Ask it to stop at its next step, then make sure."""
        job = str(plan.details["job"])
        status = world.jobs.cancel(job, act.id)
        if status.state not in ("cancelled", "succeeded", "failed"):
            raise Failed(
                f"Job {job} did not stop within 20 s; ask again.",
                f"任务 {job} 在 20 秒内没有停下；请重试。",
            )
        return Outcome(f"Job {job} is {status.state} at step {status.step}.", {"job": job})

    def verify(self, world: World, plan: Plan, _outcome: Outcome, _act: Act) -> Verdict:
        """Look whether it stopped."""
        status = world.jobs.status(str(plan.details["job"]))
        if status.state == "cancelled":
            return Verdict(True, f"Job {status.name} stopped at step {status.step}.")
        return Verdict(
            False,
            f"Job {status.name} is {status.state}, not cancelled.",
            f"it {status.state} first",
        )

    def undo(self, _world: World, plan: Plan, _outcome: Outcome) -> Call:
        """Continue it from its checkpoint."""
        return Call(
            "launch_training", {"model": plan.details["model"], "resume": plan.details["job"]}
        )

    def happened(self, world: World, plan: Plan, _action_id: str) -> Happened:
        """Whether the job is stopped."""
        state = world.jobs.status(str(plan.details["job"])).state
        return Happened.YES if state == "cancelled" else Happened.NO
