"""Training: launch a job, or continue one that was lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from tools.amounts import plural
from tools.contract import Phrases, changing
from tools.errors import BadArguments, Refused
from tools.models.cluster_place import place_in, place_of
from tools.models.job_folder import read
from tools.models.jobs import LocalJobs
from tools.models.launching import JobChange, Planned
from tools.models.preparing import prepare
from tools.models.wording import step
from tools.words import Model, Said, Word
from tools.world import World

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

    def work(self, world: World, args: LaunchTrainingArgs) -> Planned:
        """A training job of the model's kind, or the continuation of a stopped one."""
        model, said, training = prepare(world, args.model, args.params)
        workers = args.workers or 1
        if workers > int(str(training["batch_size"])):
            raise BadArguments(
                f"{workers} workers need a batch of at least {workers}; "
                f"batch_size is {training['batch_size']}.",
                f"{workers} 个进程至少需要 {workers} 的批大小；现在是 {training['batch_size']}。",
            )
        if args.resume is not None:
            return _resumed(world, args, Planned(model, said, training, "train", Said("", ""), ()))
        chosen = ", ".join(f"{name} {training[name]}" for name in ("epochs", "lr", "batch_size"))
        changed = [name for name in args.params or {} if name not in ("epochs", "lr", "batch_size")]
        lines = (
            f"+ a new version of {model.name}",
            f"  {chosen}, seed {training['seed']}, {plural(workers, 'worker')}",
            *(f"  {name} {training[name]}" for name in changed if name in training),
            f"  code {said.digest[:12]} ({said.file.name})",
        )
        rounds = plural(int(str(training["epochs"])), "epoch")
        title = Said(
            f"Train {model.name} ({rounds}, {plural(workers, 'worker')})",
            f"训练 {model.name}（{training['epochs']} 轮，{workers} 个进程）",
        )
        place = place_of(world.fleet, model.name)
        return Planned(model, said, training, "train", title, lines, workers=workers, place=place)


def _resumed(world: World, args: LaunchTrainingArgs, planned: Planned) -> Planned:
    status = world.jobs.status(str(args.resume))
    if status.state not in ("lost", "failed", "cancelled"):
        raise Refused(
            f"Job {status.name} is {status.state}; only a lost, failed or cancelled job resumes.",
            f"任务 {status.name} 的状态是 {status.state}；只有丢失、失败或已取消的任务可以继续。",
        )
    place = place_in(read(LocalJobs(world).folder(status.name).spec))
    where = step(status.step, status.total_steps)
    return replace(
        planned,
        title=Said(
            f"Resume job {status.name} from {where.en}",
            f"从{where.zh}继续任务 {status.name}",
        ),
        lines=(f"- {status.name}: {status.state}", f"+ {status.name}: running, with its own spec"),
        workers=status.workers,
        resume=status.name,
        place=place,
    )
