"""What an operation leaves behind: files, metrics, gate and lineage, completed by a manifest."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# torch's and safetensors' own annotations are incomplete.
from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.models import onnx_files
from tools.models.evaluation import BUDGET, gate, metrics, outputs_of
from tools.models.job_folder import write
from tools.models.job_worker import Work
from tools.models.kind_runtime import Kind, load
from tools.models.pruning import layers
from tools.models.weights import refuse_bad_weights

if TYPE_CHECKING:
    import numpy as np
    import torch

    from tools.contract import Json


def kind_of(work: Work) -> Kind:
    """The loaded kind of the job, with its training parameters."""
    return load(work.spec["model"], Path(work.spec["module"]), work.training)


def loaded(work: Work, kind: Kind, split: str) -> tuple[np.ndarray, np.ndarray]:
    """A split, with this rank seen to be waiting for data while it loads: it may hang there."""
    work.tracker.phase("load", 0)
    found = kind.data(split)
    work.tracker.phase("finish", 0)
    return found


def finish(
    work: Work,
    kind: Kind,
    model: torch.nn.Module,
    *,
    technique: str,
    metrics: Mapping[str, float],
    lineage: Mapping[str, Json] | None = None,
) -> None:
    """Write weights and ONNX, evaluate the ONNX file, and complete the output."""
    from safetensors.torch import save_file

    refuse_bad_weights(kind.name, model)
    work.folder.output.mkdir(parents=True, exist_ok=True)
    model = model.cpu().eval()
    save_file(
        {name: value.detach().contiguous().clone() for name, value in model.state_dict().items()},
        work.folder.output / "weights.safetensors",
    )
    inputs, _ = kind.data("validation")
    facts = {"model": kind.name, "labels": list(kind.labels), "technique": technique}
    difference = onnx_files.export(model, inputs[:256], work.folder.output / "model.onnx", facts)
    count = sum(value.numel() for value in model.parameters())
    weights = [layer.weight.detach() for layer in layers(model).values()]
    zeros = sum(int((weight == 0).sum()) for weight in weights)
    numbers = {
        "parameters": float(count),
        "zeros": zeros / max(1, sum(weight.numel() for weight in weights)),
        "export_difference": difference,
        **metrics,
    }
    complete(work, kind, technique, numbers, {"weights": "weights.safetensors"}, lineage)


def complete(
    work: Work,
    kind: Kind,
    technique: str,
    numbers: Mapping[str, float],
    extras: Mapping[str, str],
    lineage: Mapping[str, Json] | None = None,
    artifact: str = "model.onnx",
    format: str = "onnx",
) -> None:
    """Evaluate the artefact, gate it, and write the manifest: the output is complete."""
    work.tracker.event("evaluating")
    inputs, targets = kind.data("test")
    outputs = outputs_of(kind, work.folder.output / artifact, format, inputs)
    found = {**metrics(kind, outputs, targets), **numbers}
    for made in work.folder.output.iterdir():
        _settle(made)
    write(
        work.folder.manifest,
        {
            "model": work.options.get("register_as") or work.spec["model"],
            "artifact": artifact,
            "format": format,
            "metrics": found,
            "technique": technique,
            "parent": _parent(work),
            "gate": _judged(work, inputs, targets, outputs),
            "extras": dict(extras),
            "lineage": {
                "model": work.spec["model"],
                "data": kind.data_digest(),
                "code": work.spec["code_digest"],
                "params": dict(work.training),
                "options": dict(work.options),
                "workers": work.world,
                **(lineage or {}),
            },
        },
    )


def _parent(work: Work) -> int | None:
    # Numbers belong to one model: a student under another name has its teacher in the lineage.
    other = work.options.get("register_as") or work.spec["model"]
    return (work.spec.get("parent") or {}).get("number") if other == work.spec["model"] else None


def _judged(
    work: Work, inputs: np.ndarray, targets: np.ndarray, outputs: np.ndarray
) -> Mapping[str, Json]:
    """The gate against the version the job was planned with: its parent, or production."""
    reference: dict[str, Any] = work.spec.get("reference") or {}
    if not reference:
        return {}
    known = set(work.training)
    params = {k: v for k, v in reference.get("params", {}).items() if k in known}
    kind = load(work.spec["model"], Path(work.spec["module"]), {**work.training, **params})
    old = outputs_of(kind, Path(reference["path"]), reference["format"], inputs)
    budget = float(work.options.get("budget", BUDGET))
    return gate(kind, targets, old, outputs, int(reference["number"]), budget)


def _settle(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
