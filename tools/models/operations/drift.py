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
from tools.serving.window import recorded


def run(work: Work) -> None:
    """Test the window and leave a report."""
    device_of(work.training, 0)
    facts: dict[str, Any] = work.spec["versions"]["a"]
    kind = kind_with(work, facts)
    version, since = str(facts["number"]), float(work.options["since"])
    window = recorded(Path(work.options["folder"]), since, version)
    if window is None:
        raise Failed(
            f"no inputs of {kind.name} were recorded in this window",
            f"此时间窗内没有记录到 {kind.name} 的输入",
        )
    inputs, _ = kind.data("test")
    asked, told = inputs.shape[1:], window.inputs.shape[1:]
    if asked != told:
        raise Failed(
            f"{kind.name} was asked with shape {told}, tested with {asked}",
            f"{kind.name} 线上输入形状为 {told}，测试数据为 {asked}",
        )
    served = window.inputs.astype(inputs.dtype)
    before = evaluation.outputs_of(kind, Path(facts["path"]), facts["format"], inputs)
    # What was answered is what was recorded; nothing is asked again.
    tests = [
        drifting.inputs_changed(inputs, served),
        drifting.answers_changed(before, window.outputs),
        *drifting.confidence_changed(before, window.outputs),
    ]
    write(
        work.folder.output / REPORT,
        {
            "rows": len(served),
            "seen": window.seen,
            "reference": len(inputs),
            "first": window.first,
            "last": window.last,
            "tests": [asdict(test) for test in tests],
        },
    )
