"""Training changes: launch a job, tune hyper-parameters, cancel a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from tools.contract import Phrases, changing
from tools.models.launching import JobChange
from tools.words import Count, Job, Model, Word

Params = Annotated[
    dict[str, float | int | str | bool],
    Word("params"),
    Field(description="training parameters such as epochs, lr, batch_size, seed"),
]
Workers = Annotated[int, Word("count"), Field(ge=1, le=64, description="training processes")]


@dataclass(frozen=True, slots=True)
class LaunchTrainingArgs:
    """What to train, how, and on how many processes."""

    model: Model
    params: Params | None = None
    workers: Workers | None = None
    resume: Annotated[str | None, Word("job"), Field(description="lost job to continue")] = None


@changing(LaunchTrainingArgs)
class LaunchTraining(JobChange):
    """Train a model as a real torchrun job and register the result as a new version."""

    phrases = Phrases(
        en=(
            "train {model}",
            "train the {model} model",
            "train {model} again",
            "retrain {model}",
            "start a training run for {model}",
            "launch training of {model} with {workers} workers",
            "train {model} with {params}",
            "train {model} on {workers} processes with {params}",
            "kick off training for {model}",
            "fit {model} once more",
            "resume training job {resume} of {model}",
        ),
        zh=(
            "训练 {model}",
            "训练一下 {model} 模型",
            "重新训练 {model}",
            "再训练一次 {model}",
            "用 {workers} 个进程训练 {model}",
            "启动 {model} 的训练任务",
            "用 {params} 训练 {model}",
            "开始训练 {model}，{workers} 个 worker",
            "继续训练 {model} 的任务 {resume}",
        ),
    )


@dataclass(frozen=True, slots=True)
class TuneModelArgs:
    """Which model, and how many settings to try."""

    model: Model
    trials: Annotated[Count, Field(description="number of settings to try")]
    workers: Workers | None = None


@changing(TuneModelArgs)
class TuneModel(JobChange):
    """Search hyper-parameters of a model with Optuna and register the winner."""

    phrases = Phrases(
        en=(
            "tune {model} with {trials} trials",
            "tune the hyperparameters of {model}, {trials} trials",
            "run a hyperparameter search for {model} with {trials} trials",
            "try {trials} different settings for {model}",
            "optimise the hyperparameters of {model} over {trials} trials",
            "hpo {model} {trials}",
            "find better parameters for {model} in {trials} trials",
            "optuna study for {model} with {trials} trials",
            "search learning rates of {model}, {trials} runs",
        ),
        zh=(
            "给 {model} 调参，试 {trials} 次",
            "对 {model} 做超参数搜索，{trials} 次试验",
            "调优 {model} {trials} 组参数",
            "用 {trials} 次试验优化 {model} 的超参数",
            "帮 {model} 自动调参 {trials} 轮",
            "{model} 超参搜索 {trials} 次",
            "试 {trials} 组不同的参数训练 {model}",
        ),
    )


@dataclass(frozen=True, slots=True)
class CancelJobArgs:
    """Which job."""

    job: Job


@changing(CancelJobArgs)
class CancelJob(JobChange):
    """Stop a running job at its next step; its last checkpoint stays."""

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
