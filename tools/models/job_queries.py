"""Reading jobs: what runs, how far it is, and why it stopped."""

from __future__ import annotations

from tools.contract import Finding, Phrases, reading
from tools.models.job_charts import drawn
from tools.models.job_findings import JobFound, JobsFound
from tools.words import Job
from tools.world import World


@reading(
    Phrases(
        en=(
            "list jobs",
            "which jobs are running",
            "what is training right now",
            "show all training jobs",
            "are there any failed jobs",
            "what jobs ran today",
            "is anything being trained",
            "job queue",
            "which training runs do we have",
        ),
        zh=(
            "列出所有任务",
            "现在有哪些训练任务",
            "有什么任务在跑",
            "哪些训练任务失败了",
            "今天跑了哪些任务",
            "正在训练什么",
            "查看任务列表",
        ),
    )
)
def list_jobs(world: World) -> Finding:
    """List training and optimisation jobs with state and progress, newest first."""
    return JobsFound(tuple(world.jobs.list()), world.clock.now())


@reading(
    Phrases(
        en=(
            "status of job {job}",
            "how is {job} doing",
            "how far is {job}",
            "when will {job} finish",
            "what is the loss of {job}",
            "is {job} still running",
            "did {job} fail",
            "did {job} succeed",
            "progress of the training job {job}",
            "eta of {job}",
        ),
        zh=(
            "任务 {job} 的状态",
            "{job} 进行到哪了",
            "{job} 什么时候能跑完",
            "{job} 的 loss 是多少",
            "{job} 还在跑吗",
            "{job} 失败了吗",
            "训练任务 {job} 的进度",
            "{job} 训练得怎么样了",
        ),
    )
)
def job_status(world: World, job: Job) -> Finding:
    """Show one job: step, loss, ETA, checkpoint, restarts, and the cause when it failed."""
    status = world.jobs.status(job)
    return JobFound(status, world.clock.now(), drawn(world, status))
