"""Training: the kind's network from scratch, or from where a killed run stood."""

# pyright: reportUnknownMemberType=false
# torch's own annotations leave members untyped.
from __future__ import annotations

import time

from tools.models.job_worker import Work
from tools.models.kind_runtime import Kind
from tools.models.operations.output import finish, kind_of, loaded
from tools.models.torch_runtime import device_of, join
from tools.models.training_loop import Examples, Fit


def run(work: Work) -> None:
    """Train on every rank; rank 0 evaluates, exports and leaves the output."""
    began = time.time()
    kind = kind_of(work)
    join(work.world, work.training)
    fit = fitted(kind, work)
    if work.rank:
        return
    finish(
        work,
        kind,
        fit.model,
        technique="train",
        metrics={
            "validation_accuracy": fit.progress.best_score,
            "epochs": float(fit.progress.best_epoch + 1),
            "seconds": time.time() - began,
        },
    )


def fitted(kind: Kind, work: Work) -> Fit:
    """The kind's network after training, by its parameters and the job's checkpoint."""
    import torch

    device_of(work.training, work.rank)
    torch.manual_seed(int(work.training["seed"]))
    examples, validation = (Examples(*loaded(work, kind, s)) for s in ("train", "validation"))
    fit = Fit(
        kind,
        kind.build(),
        work.training,
        work.tracker,
        world=work.world,
        checkpoint=work.folder.checkpoint,
    )
    fit.run(examples, validation)
    return fit
