"""What an operation leaves behind: files, metrics, gate and lineage, completed by a manifest."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# torch's and safetensors' own annotations are incomplete.
from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.models import onnx_files
from tools.models.evaluation import BUDGET, gate, metrics
from tools.models.job_folder import write
from tools.models.job_worker import Work
from tools.models.kind_runtime import Kind, load

if TYPE_CHECKING:
    import torch

    from tools.contract import Json


def kind_of(work: Work) -> Kind:
    """The loaded kind of the job, with its training parameters."""
    return load(work.spec["model"], Path(work.spec["module"]), work.training)


def finish(
    work: Work,
    kind: Kind,
    model: torch.nn.Module,
    *,
    technique: str,
    metrics: Mapping[str, float],
    recipe: list[Any] | None = None,
    lineage: Mapping[str, Json] | None = None,
) -> None:
    """Write weights and ONNX, evaluate the ONNX file, and complete the output.

    ``recipe`` is how to rebuild a pruned network; it is kept beside the weights.
    """
    from safetensors.torch import save_file

    work.folder.output.mkdir(parents=True, exist_ok=True)
    model = model.cpu().eval()
    save_file(
        {name: value.detach().contiguous().clone() for name, value in model.state_dict().items()},
        work.folder.output / "weights.safetensors",
    )
    extras = {"weights": "weights.safetensors"}
    if recipe:
        write(work.folder.output / "recipe.json", {"recipe": recipe})
        extras["recipe"] = "recipe.json"
    inputs, _ = kind.data("validation")
    facts = {"model": kind.name, "labels": list(kind.labels), "technique": technique}
    difference = onnx_files.export(model, inputs[:256], work.folder.output / "model.onnx", facts)
    count = sum(value.numel() for value in model.parameters())
    numbers = {"parameters": float(count), "export_difference": difference, **metrics}
    complete(work, kind, technique, numbers, extras, lineage)


def complete(
    work: Work,
    kind: Kind,
    technique: str,
    numbers: Mapping[str, float],
    extras: Mapping[str, str],
    lineage: Mapping[str, Json] | None = None,
) -> None:
    """Evaluate ``output/model.onnx``, gate it, and write the manifest: the output is complete."""
    file = work.folder.output / "model.onnx"
    work.tracker.event("evaluating")
    found = {**metrics(kind, file), **numbers}
    reference: dict[str, Any] = work.spec.get("reference") or {}
    judged: Mapping[str, Json] = {}
    if reference:
        budget = float(work.options.get("budget", BUDGET))
        judged = gate(kind, Path(reference["path"]), file, int(reference["number"]), budget)
    for made in work.folder.output.iterdir():
        _settle(made)
    write(
        work.folder.manifest,
        {
            "model": work.options.get("register_as") or work.spec["model"],
            "artifact": "model.onnx",
            "format": "onnx",
            "metrics": found,
            "technique": technique,
            "parent": (work.spec.get("parent") or {}).get("number"),
            "gate": judged,
            "extras": dict(extras),
            "lineage": {
                "data": kind.data_digest(),
                "code": work.spec["code_digest"],
                "params": dict(work.training),
                "options": dict(work.options),
                "workers": work.world,
                **(lineage or {}),
            },
        },
    )


def _settle(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
