"""Distillation: a student learns from a teacher, and alone as the control; the better one stays."""

# pyright: reportUnknownMemberType=false
# torch's own annotations leave members untyped.
from __future__ import annotations

import time
from typing import Any

from tools.models.distillation import softened, taught
from tools.models.job_worker import Work
from tools.models.kind_runtime import Kind
from tools.models.operations.output import finish, kind_of, loaded
from tools.models.torch_runtime import device_of, join
from tools.models.training_loop import Examples, Fit
from tools.models.weights import parent_network


def run(work: Work) -> None:
    """Train the student twice, with and without the teacher, and leave the better one."""
    import torch

    began, kind = time.time(), kind_of(work)
    join(work.world, work.training)
    device_of(work.training, work.rank)
    teacher = parent_network(teacher_kind(kind, work), work.spec)
    inputs, targets = loaded(work, kind, "train")
    kd = {"kd_alpha": float(work.training["kd_alpha"]) or 0.7}
    runs: dict[str, Fit] = {}
    students = (
        ("teacher", taught(kind, teacher, inputs, targets)),
        ("alone", Examples(inputs, targets)),
    )
    for index, (name, examples) in enumerate(students):
        work.tracker.leg(index, len(students))
        torch.manual_seed(int(work.training["seed"]))
        runs[name] = Fit(
            kind,
            kind.build(),
            work.training,
            work.tracker,
            world=work.world,
            loss=softened(kind, {**work.training, **kd}),
            checkpoint=work.folder.root / f"checkpoint-{name}.pt",
        )
        runs[name].run(examples, Examples(*kind.data("validation")))
    if work.rank:
        return
    scores = {name: fit.progress.best_score for name, fit in runs.items()}
    best = "teacher" if scores["teacher"] >= scores["alone"] else "alone"
    finish(
        work,
        kind,
        runs[best].model,
        technique="distill" if best == "teacher" else "student without teacher",
        metrics={
            "validation_accuracy": scores[best],
            "with_teacher": scores["teacher"],
            "without_teacher": scores["alone"],
            "seconds": time.time() - began,
        },
        lineage={"teacher": f"{work.spec['model']}/{work.spec['parent']['number']}"},
    )


def teacher_kind(kind: Kind, work: Work) -> Kind:
    """The kind with the parameters the teacher was trained with."""
    params: dict[str, Any] = work.spec["parent"].get("params", {})
    known = {name: value for name, value in params.items() if name in kind.params}
    return Kind(kind.name, kind.module, {**kind.params, **known})
