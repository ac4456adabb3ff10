"""Drift of a serving window against data the model was tested on, not trained on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from tools.errors import Failed
from tools.models import drifting, evaluation
from tools.models.asking import REPORT
from tools.models.job_folder import write
from tools.models.job_worker import Work
from tools.models.operations.compare import kind_with
from tools.models.torch_runtime import device_of
from tools.models.window import recorded


def run(work: Work) -> None:
    """Test the window and leave a report."""
    device_of(work.training, 0)
    facts: dict[str, Any] = work.spec["versions"]["a"]
    kind = kind_with(work, facts)
    window = recorded(Path(work.options["folder"]), float(work.options["since"]))
    if window is None:
        raise Failed(
            f"no inputs of {kind.name} were recorded in this window",
            f"此时间窗内没有记录到 {kind.name} 的输入",
        )
    inputs, _ = kind.data("test")
    if inputs.shape[1:] != window["inputs"].shape[1:]:
        raise Failed(
            f"{kind.name} was asked with shape {window['inputs'].shape[1:]}, "
            f"tested with {inputs.shape[1:]}",
            f"{kind.name} 线上输入形状为 {window['inputs'].shape[1:]}，测试数据为 {inputs.shape[1:]}",
        )
    asked = window["inputs"].astype(inputs.dtype)
    before = evaluation.outputs_of(kind, Path(facts["path"]), facts["format"], inputs)
    after = evaluation.outputs_of(kind, Path(facts["path"]), facts["format"], asked)
    tests = [
        drifting.inputs_changed(inputs, asked),
        drifting.answers_changed(before, after),
        *drifting.confidence_changed(before, after),
    ]
    write(
        work.folder.output / REPORT,
        {
            "rows": len(asked),
            "reference": len(inputs),
            "first": window["first"],
            "last": window["last"],
            "tests": [asdict(test) for test in tests],
        },
    )
