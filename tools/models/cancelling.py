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
    PlanWords,
    Target,
    Verdict,
    changing,
)
from tools.errors import Failed, Refused
from tools.models.wording import STATES, UNTOUCHED, step
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
        where = step(status.step, status.total_steps)
        running = status.eta_seconds is not None
        return Plan(
            target=Target("job", status.name, status.action_id or status.name, "1"),
            title=f"Cancel job {status.name}",
            diff=f"- {status.name}: running\n+ {status.name}: cancelled",
            blast_radius=f"{status.workers} process{'es' if status.workers > 1 else ''} end; "
            f"{UNTOUCHED.en}",
            undo="the job is resumed from its last checkpoint",
            verification="the job's processes are gone and it is recorded as cancelled",
            deadline=timedelta(seconds=60),
            warnings=(f"{status.name} is at {where.en}.",) if running else (),
            zh=PlanWords(
                f"取消任务 {status.name}",
                f"结束 {status.workers} 个进程；{UNTOUCHED.zh}",
                "从最近的检查点继续该任务",
                "该任务的进程已退出，并记录为已取消",
                (f"{status.name} 正处于{where.zh}。",) if running else (),
            ),
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
        said = f"Job {job} is {status.state} at step {status.step}."
        zh = f"任务 {job} 在第 {status.step} 步{STATES[status.state]}。"
        return Outcome(said, {"job": job}, zh=zh)

    def verify(self, world: World, plan: Plan, _outcome: Outcome, _act: Act) -> Verdict:
        """Look whether it stopped."""
        status = world.jobs.status(str(plan.details["job"]))
        if status.state == "cancelled":
            zh = f"任务 {status.name} 停在第 {status.step} 步。"
            return Verdict(True, f"Job {status.name} stopped at step {status.step}.", zh=zh)
        state = STATES[status.state]
        return Verdict(
            False,
            f"Job {status.name} is {status.state}, not cancelled.",
            f"it {status.state} first",
            zh=f"任务 {status.name} 的状态是{state}，而不是已取消。",
            cause_zh=f"它已先{state}" if status.state != "running" else "仍在运行",
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
