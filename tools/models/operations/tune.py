"""Tuning by Optuna: every process takes trials from one durable study; the winner is registered.

The study is SQLite in the job's folder. Running trials send a heartbeat, so that one whose process
was killed is found, marked and tried again, from its own checkpoint. Trials that are clearly worse
than the median are stopped early. Validation data decide; test data only measure the winner.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# numpy's and torch's own annotations leave element types open.
from __future__ import annotations

import fcntl
import time
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any

from tools.errors import BadArguments, Failed
from tools.models.job_failures import TrainingFailed
from tools.models.job_tracker import Tracker
from tools.models.job_worker import Work
from tools.models.kind_runtime import Kind
from tools.models.operations.output import finish, kind_of
from tools.models.torch_runtime import device_of
from tools.models.training_loop import Examples, Fit

_HEARTBEAT = 2
"""Seconds; a trial that was silent for three of them is dead."""


def run(work: Work) -> None:
    """Take trials until enough are done; rank 0 then registers the best."""
    began, kind = time.time(), kind_of(work)
    device_of(work.training, work.rank)
    optuna: Any = import_module("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # heartbeats are marked experimental
        study = _study(optuna, work)
        total = int(work.options["trials"])
        search = space(work)
        take(optuna, study, work, total, partial(_trial, optuna, kind, work, search))
    if work.rank:
        return
    _settle(optuna, study, work)
    _report(optuna, study, work, total)
    _register(optuna, study, kind, work, time.time() - began)


def _study(optuna: Any, work: Work) -> Any:
    seed = int(work.training["seed"]) + work.rank
    # Creating the tables, the study and its first trial must happen once.
    with _alone(work):
        storage = optuna.storages.RDBStorage(
            f"sqlite:///{work.folder.root / 'study.db'}",
            engine_kwargs={"connect_args": {"timeout": 60}},
            heartbeat_interval=_HEARTBEAT,
            grace_period=3 * _HEARTBEAT,
            failed_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(max_retry=3),
        )
        study = optuna.create_study(
            study_name=work.spec["name"],
            storage=storage,
            direction="maximize",
            load_if_exists=True,
            sampler=optuna.samplers.TPESampler(seed=seed, constant_liar=True),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=1),
        )
        if not study.get_trials(deepcopy=False):
            # The parameters in use are the first trial: the winner is never worse by our measure.
            study.enqueue_trial(in_use(space(work), work.training))
    return study


@contextmanager
def _alone(work: Work) -> Generator[None]:
    with (work.folder.root / "study.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _count(optuna: Any, study: Any, *names: str) -> int:
    states = tuple(getattr(optuna.trial.TrialState, name) for name in names)
    return len(study.get_trials(deepcopy=False, states=states))


def take(
    optuna: Any,
    study: Any,
    work: Work,
    total: int,
    trial: Callable[[Callable[[], None], Any], float],
) -> None:
    """Take trials while one is due; ``trial`` gets what lets the other processes look again.

    Whoever finds that a trial is due keeps the others waiting until it runs: of two that looked at
    once each would take the last one.
    """
    while True:
        with ExitStack() as turn:
            turn.enter_context(_alone(work))
            if not _due(optuna, study, work, total):
                return
            study.optimize(partial(trial, turn.close), n_trials=1)
        _report(optuna, study, work, total)


def _due(optuna: Any, study: Any, work: Work, total: int) -> bool:
    """Whether another trial is due; those that run elsewhere count as taken."""
    work.tracker.check()
    optuna.storages.fail_stale_trials(study)
    done = _count(optuna, study, "COMPLETE", "PRUNED")
    return done + _count(optuna, study, "RUNNING") < total


def _settle(optuna: Any, study: Any, work: Work) -> None:
    """Wait for the trials of other ranks; the stale ones of killed processes are set aside."""
    while _count(optuna, study, "RUNNING"):
        work.tracker.check()
        work.tracker.phase("compute", _count(optuna, study, "COMPLETE", "PRUNED"))
        optuna.storages.fail_stale_trials(study)
        time.sleep(0.2)


def space(work: Work) -> Mapping[str, Any]:
    """Ranges to search: the kind's own, or a decade around its learning rate."""
    own: Mapping[str, Any] = work.options.get("search") or {}
    if own:
        return own
    lr, batch = float(work.training["lr"]), int(work.training["batch_size"])
    return {"lr": [lr / 5, lr * 5], "batch_size": sorted({batch // 2 or 1, batch, 2 * batch})}


def in_use(search: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters in use, as far as the ranges allow them."""
    found: dict[str, Any] = {}
    for name, values in search.items():
        now = training.get(name)
        inside = now in values if len(values) > 2 else now is not None
        if inside and (len(values) > 2 or values[0] <= now <= values[1]):
            found[name] = now
    return found


def _suggest(trial: Any, search: Mapping[str, Any]) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for name, values in search.items():
        match values:
            case [float(low), int() | float() as high]:
                wide = low > 0 and high / low >= 10
                chosen[name] = trial.suggest_float(name, low, float(high), log=wide)
            case [int(low), int(high)]:
                chosen[name] = trial.suggest_int(name, low, high)
            case [_, _, *_]:
                chosen[name] = trial.suggest_categorical(name, values)
            case _:
                raise BadArguments(
                    f"search[{name!r}] must be [low, high] or a list of choices.",
                    f"search[{name!r}] 应为 [低, 高] 或候选列表。",
                )
    return chosen


def _trial(
    optuna: Any,
    kind: Kind,
    work: Work,
    search: Mapping[str, Any],
    begun: Callable[[], None],
    trial: Any,
) -> float:
    import torch

    begun()
    params = {**work.training, **_suggest(trial, search)}
    own = Kind(kind.name, kind.module, params)
    # A retried trial goes on from the checkpoint of the one whose process was killed.
    number = trial.user_attrs.get("checkpoint", trial.number)
    trial.set_user_attr("checkpoint", number)
    torch.manual_seed(int(params["seed"]))
    fit = Fit(
        own,
        own.build(),
        params,
        Tracker(work.folder, work.rank, quiet=True),
        checkpoint=work.folder.root / f"trial-{number}.pt",
    )

    def report(epoch: int, score: float) -> None:
        trial.report(score, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        progress = fit.run(Examples(*own.data("train")), Examples(*own.data("validation")), report)
    except TrainingFailed as error:
        raise optuna.TrialPruned(str(error)) from None
    return progress.best_score


def _report(optuna: Any, study: Any, work: Work, total: int) -> None:
    done = _count(optuna, study, "COMPLETE", "PRUNED")
    best = study.best_value if _count(optuna, study, "COMPLETE") else None
    work.tracker.step(min(done, total), total, force=True, accuracy=best)
    work.tracker.event("checkpoint", step=done)


def _register(optuna: Any, study: Any, kind: Kind, work: Work, seconds: float) -> None:
    import torch

    if not _count(optuna, study, "COMPLETE"):
        raise Failed(
            "no trial gave a usable model; narrow search or lower lr",
            "没有一次试验得到可用的模型；请缩小搜索范围或降低 lr",
        )
    best = study.best_trial
    params = {**work.training, **best.params}
    own = Kind(kind.name, kind.module, params)
    file = work.folder.root / f"trial-{best.user_attrs['checkpoint']}.pt"
    saved: dict[str, Any] = torch.load(file, weights_only=True, map_location="cpu")
    model = own.build()
    model.load_state_dict(saved["best"])
    trials, pruned = _count(optuna, study, "COMPLETE", "PRUNED"), _count(optuna, study, "PRUNED")
    finish(
        replace(work, spec={**work.spec, "training": params}),
        own,
        model,
        technique=f"tune ({trials} trials)",
        metrics={"validation_accuracy": float(study.best_value), "seconds": seconds},
        lineage={"tuning": {"trials": trials, "stopped_early": pruned, "best": dict(best.params)}},
    )
