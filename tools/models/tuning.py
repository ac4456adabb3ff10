"""Tuning: a search over the parameters a kind names, its winner registered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from tools.contract import Phrases, changing
from tools.models.kinds import refuse_without
from tools.models.launching import JobChange, Planned
from tools.models.preparing import prepare
from tools.models.training import Workers
from tools.words import Count, Model, Said
from tools.world import World


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

    def work(self, world: World, args: TuneModelArgs) -> Planned:
        """A study of the model's search ranges, shared by ``workers`` processes."""
        refuse_without({"optuna": "optuna"}, f"Tuning {args.model}", f"调优 {args.model}")
        model, said, training = prepare(world, args.model)
        workers = args.workers or 1
        ranges = ", ".join(said.search) or "lr, batch_size"
        return Planned(
            model,
            said,
            training,
            "tune",
            Said(
                f"Tune {model.name} ({args.trials} trials, {workers} process"
                + ("es)" if workers > 1 else ")"),
                f"调优 {model.name}（{args.trials} 次试验，{workers} 个进程）",
            ),
            (
                f"+ a new version of {model.name}: the best of {args.trials} trials on validation",
                f"  searched: {ranges}; {training['epochs']} epochs a trial at most",
            ),
            options={"trials": args.trials, "search": dict(said.search)},
            workers=workers,
        )
