"""Comparison of versions on the same data in one run: accuracy, flips, size, latency."""

from __future__ import annotations

from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from tools.models import evaluation
from tools.models.asking import REPORT
from tools.models.job_folder import write
from tools.models.job_worker import Work
from tools.models.kind_runtime import Kind, load
from tools.models.speed import Call, interleaved, session_call
from tools.models.torch_runtime import device_of, predict

if TYPE_CHECKING:
    import numpy as np


def run(work: Work) -> None:
    """Measure every version and leave a report; ``a`` is what the others are held against."""
    device_of(work.training, 0)
    versions: dict[str, dict[str, Any]] = work.spec["versions"]
    kinds = {role: kind_with(work, facts) for role, facts in versions.items()}
    kind = next(iter(kinds.values()))
    inputs, targets = kind.data("test")
    outputs = {
        role: evaluation.outputs_of(kinds[role], Path(f["path"]), f["format"], inputs)
        for role, f in versions.items()
    }
    calls = {role: _call(kinds[role], facts) for role, facts in versions.items()}
    one = interleaved(calls, inputs, 1, rounds=100)
    many = interleaved(calls, inputs, 32, rounds=30)
    rows: dict[str, Any] = {}
    for role, facts in versions.items():
        rows[role] = {
            **evaluation.metrics(kind, outputs[role], targets),
            "size": Path(facts["path"]).stat().st_size,
            "latency_ms": 1000 * median(one[role]),
            "latency_p95_ms": 1000 * quantiles(one[role], n=20)[-1],
            "batch_ms": 1000 * median(many[role]),
            "per_second": 32 / median(many[role]),
        }
    first, *others = versions
    budget = float(work.options.get("budget", evaluation.BUDGET))
    gates = {
        role: evaluation.gate(
            kind, targets, outputs[first], outputs[role], int(versions[first]["number"]), budget
        )
        for role in others
    }
    write(work.folder.output / REPORT, {"rows": rows, "gates": gates})


def kind_with(work: Work, facts: dict[str, Any]) -> Kind:
    """The kind with the parameters a version was trained with."""
    known = {k: v for k, v in facts.get("params", {}).items() if k in work.training}
    return load(work.spec["model"], Path(work.spec["module"]), {**work.training, **known})


def _call(kind: Kind, facts: dict[str, Any]) -> Call:
    file = Path(facts["path"])
    if facts["format"] == "onnx":
        return session_call(file)
    from tools.models.weights import open_program, rebuild

    model = rebuild(kind, file) if facts["format"] == "safetensors" else open_program(file)

    def call(batch: np.ndarray) -> Any:
        return predict(model, batch)

    return call
