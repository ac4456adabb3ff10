"""Changes that are jobs: planned as a spec, applied by a launch, verified by a registered version."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from tools.amounts import plural
from tools.contract import (
    Act,
    Call,
    Effect,
    Happened,
    Json,
    Outcome,
    Plan,
    PlanWords,
    Target,
    Verdict,
    as_json,
)
from tools.models.base import JobSpec, JobStatus
from tools.models.cluster_place import Place
from tools.models.job_verdict import verdict
from tools.models.kinds import Outline, refuse_without
from tools.models.preparing import origin, production, version_facts
from tools.models.wording import UNTOUCHED
from tools.words import Said

if TYPE_CHECKING:
    from tools.fleet import ModelSpec
    from tools.models.base import ModelVersion
    from tools.world import World

PACKAGES = {"torch": "torch", "onnx": "onnx", "onnxruntime": "onnxruntime"}
_PATIENCE = timedelta(seconds=60)
"""How long a job may stay without a process before verification calls it not started."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a job-launching change works out before it asks."""

    model: ModelSpec
    said: Outline
    training: Mapping[str, Json]
    kind: str
    title: Said
    lines: tuple[str, ...]
    """Lines of the diff."""
    parent: ModelVersion | None = None
    options: Mapping[str, Json] = field(default_factory=dict[str, Json])
    workers: int = 1
    warnings: tuple[Said, ...] = ()
    resume: str | None = None
    asked: str | None = None
    """The version that was named; ``None`` when the plan chose one."""
    place: Place | None = None
    """The cluster it runs on; ``None`` is this machine."""


class JobChange(ABC):
    """The parts every job-launching change shares; a subclass adds ``work``."""

    effect: ClassVar[Effect] = Effect.CHANGE

    def plan(self, world: World, args: Any) -> Plan:
        """What would be launched; raises ``ToolError`` for what cannot work."""
        return plan_of(world, self.work(world, args))

    @abstractmethod
    def work(self, world: World, args: Any) -> Planned:
        """The subclass's part: what job these arguments mean."""

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Launch the planned job, once per action."""
        job = spec_from(plan)
        resume = plan.details.get("resume")
        status = resume_job(world, str(resume)) if resume else world.jobs.launch(job, act.id)
        act.progress(f"Job {status.name} is {status.state}.")
        facts: dict[str, Json] = {"job": status.name, "model": job.model}
        return Outcome(f"Job {status.name} started.", facts, zh=f"任务 {status.name} 已启动。")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """Wait for the job and judge what it registered."""
        job = str(outcome.details["job"])
        began = world.clock.now()
        while True:
            status = world.jobs.status(job)
            if status.state in ("succeeded", "failed", "cancelled", "lost"):
                return verdict(world, status)
            act.progress(*progress_of(status))
            act.check()
            waited = world.clock.now() - began
            if status.state == "pending" and waited > _PATIENCE:
                en, zh = f"Job {job} has no process after 60 s.", f"任务 {job} 60 秒后仍没有进程。"
                return Verdict(False, en, "not started", zh=zh, cause_zh="未启动")
            if waited > plan.deadline:
                hours = f"{plan.deadline.total_seconds() / 3600:.0f}"
                en, zh = (
                    f"Job {job} still runs after {hours} h.",
                    f"任务 {job} {hours} 小时后仍在运行。",
                )
                return Verdict(False, en, "too slow", zh=zh, cause_zh="太慢")
            world.clock.sleep(0.3)

    def undo(self, _world: World, _plan: Plan, outcome: Outcome) -> Call:
        """Stop the job; what it registered stays, as versions are never deleted."""
        return Call("cancel_job", {"job": str(outcome.details["job"])})

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Whether the job of this action was launched."""
        if resume := plan.details.get("resume"):
            running = world.jobs.status(str(resume)).state in ("running", "succeeded")
            return Happened.YES if running else Happened.NO
        return world.jobs.happened(action_id)


def plan_of(world: World, planned: Planned) -> Plan:
    """The plan of a job: deterministic, and bound to the code, the parent and the parameters."""
    refuse_without(PACKAGES, planned.title.en, planned.title.zh)
    model, parent = planned.model, planned.parent
    target = Target("model", model.name, str(planned.said.file), planned.said.digest)
    if parent is not None:
        target = Target(
            "model_version", f"{model.name}/{parent.number}", parent.digest, parent.digest
        )
    reference = origin(world, parent) if parent else production(world, model.name)
    params: dict[str, Json] = {
        "module": str(planned.said.file),
        "code_digest": planned.said.digest,
        "training": dict(planned.training),
        "options": dict(planned.options),
        "parent": version_facts(world, parent),
        "reference": version_facts(world, reference),
    }
    if planned.place is not None:
        params["cluster"] = _accepted(planned.place, planned)
    where = _where(planned)
    return Plan(
        target=target,
        title=planned.title.en,
        diff="\n".join(planned.lines),
        blast_radius=f"{where.en}; {UNTOUCHED.en}",
        undo="the job is cancelled; a version it has registered stays, without any alias",
        verification="the job ends and registers a version with finite metrics",
        deadline=timedelta(hours=12),
        warnings=tuple(w.en for w in planned.warnings),
        zh=_zh(planned, where.zh),
        details={
            "kind": planned.kind,
            "model": model.name,
            "workers": planned.workers,
            "params": params,
            "resume": planned.resume,
        },
        pins={} if parent is None or planned.asked else {"version": str(parent.number)},
    )


def _zh(planned: Planned, where: str) -> PlanWords:
    return PlanWords(
        planned.title.zh,
        f"{where}；{UNTOUCHED.zh}",
        "取消该任务；已注册的版本会保留，但不带任何别名",
        "任务结束，并注册一个指标均为有限值的版本",
        tuple(w.zh for w in planned.warnings),
    )


def _where(planned: Planned) -> Said:
    count, place = planned.workers, planned.place
    if place is None:
        here = f"{plural(count, 'process', 'processes')} on this machine"
        return Said(here, f"本机 {count} 个进程")
    gpus = f", {place.gpus} GPU each" if place.gpus else ""
    each = f"，每个 {place.gpus} 块 GPU" if place.gpus else ""
    return Said(
        f"{plural(count, 'pod')} on {place.words}{gpus}",
        f"{place.platform} 命名空间 {place.namespace} 上 {count} 个 Pod{each}",
    )


def _accepted(place: Place, planned: Planned) -> dict[str, Json]:
    """The place as a spec carries it, once its API server would take such a Job."""
    probe = place.training("steward-preview", Path(place.folder), planned.workers)
    place.trainings().check(probe)
    return cast("dict[str, Json]", as_json(place))


def spec_from(plan: Plan) -> JobSpec:
    """The job a plan describes; the jobs port names it."""
    said = plan.details
    return JobSpec(
        name="",
        kind=str(said["kind"]),
        model=str(said["model"]),
        params=cast("Mapping[str, Json]", said["params"]),
        workers=int(cast("int", said["workers"])),
    )


def resume_job(world: World, job: str) -> JobStatus:
    """Continue a job that stopped, from its checkpoint."""
    from tools.models.jobs import LocalJobs

    return LocalJobs(world).resume(job)


def progress_of(status: JobStatus) -> tuple[str, float | None, timedelta | None]:
    """A progress line: step, loss, validation accuracy; share done; time left."""
    text = f"{status.name}: {status.state}"
    if status.total_steps:
        text = f"{status.name}: step {status.step} of {status.total_steps}"
    if status.loss is not None:
        text += f", loss {status.loss:.3f}"
    if (score := status.metrics.get("validation_accuracy")) is not None:
        text += f", validation {score:.1%}"
    if status.cause:
        text += f" ({status.cause})"
    share = status.step / status.total_steps if status.total_steps else None
    left = timedelta(seconds=status.eta_seconds) if status.eta_seconds is not None else None
    return text, share, left
