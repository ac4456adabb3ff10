"""Post-training int8: static QDQ where there are convolutions, dynamic for linear networks.

Dynamic quantisation of convolutions is slower than fp32 in ONNX Runtime, and static quantisation
of a transformer's linear layers costs accuracy for little; ``auto`` follows that. For static,
ranges come from calibration data and the range rule is chosen on validation data.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from tools.errors import Refused
from tools.models import onnx_files, quantization, speed
from tools.models.job_worker import Work
from tools.models.kind_runtime import Kind
from tools.models.operations.output import complete, kind_of
from tools.models.torch_runtime import device_of

if TYPE_CHECKING:
    import numpy as np


SAME = 0.005
"""Scores (0..1) on validation data that differ by less are taken as equal."""


def run(work: Work) -> None:
    """Quantise the parent's ONNX file and leave the result."""
    began, kind = time.time(), kind_of(work)
    device_of(work.training, 0)
    parent: dict[str, Any] = work.spec["parent"]
    if parent["format"] != "onnx":
        raise Refused(
            f"{kind.name} version {parent['number']} is {parent['format']}; export it to onnx "
            "first, then quantise that version.",
            f"{kind.name} 版本 {parent['number']} 的格式是 {parent['format']}；"
            "请先导出为 onnx，再量化。",
        )
    source = Path(parent["path"])
    work.folder.output.mkdir(parents=True, exist_ok=True)
    target = work.folder.output / "model.onnx"
    scheme = str(work.options.get("scheme", "auto"))
    if scheme == "auto":
        scheme = "static" if quantization.has_convolution(source) else "dynamic"
    work.tracker.step(0, 3, force=True)
    if scheme == "dynamic":
        quantization.dynamic(source, target)
        rule = "dynamic"
    else:
        rule = _best_static(work, kind, source, target)
    work.tracker.step(2, 3, force=True)
    work.tracker.check()
    facts = {"model": kind.name, "labels": list(kind.labels), "technique": f"int8 {scheme}"}
    onnx_files.annotate(target, facts)
    numbers = {
        "seconds": time.time() - began,
        "shrunk": source.stat().st_size / target.stat().st_size,
    }
    complete(work, kind, f"int8 {scheme}", numbers, {}, {"quantization": {"rule": rule}})
    work.tracker.step(3, 3, force=True)


def _best_static(work: Work, kind: Kind, source: Path, target: Path) -> str:
    """The range rule that validates best, then the faster choice of what stays fp32."""
    calibration, _ = kind.data("calibration")
    inputs, targets = kind.data("validation")
    tried: dict[tuple[str, str], tuple[Path, float]] = {}

    def attempt(rule: str, skip: str) -> float:
        work.tracker.check()
        file = work.folder.root / f"static-{rule}-{skip}.onnx"
        quantization.static(source, file, calibration, rule, skip)
        tried[rule, skip] = file, _score(kind, file, inputs, targets)
        return tried[rule, skip][1]

    rule = max(quantization.RULES, key=lambda rule: attempt(rule, quantization.SKIPS[0]))
    for skip in quantization.SKIPS[1:]:
        attempt(rule, skip)
    skip = _fastest({s: tried[rule, s] for s in quantization.SKIPS}, inputs)
    shutil.copyfile(tried[rule, skip][0], target)
    for file, _ in tried.values():
        file.unlink()
    return f"{rule}, fp32 {skip}"


def _fastest(tried: Mapping[str, tuple[Path, float]], inputs: np.ndarray) -> str:
    """The fastest of those that validate no worse than the best by more than half a point."""
    best = max(score for _, score in tried.values())
    good = {
        name: speed.session_call(f) for name, (f, score) in tried.items() if score > best - SAME
    }
    taken = speed.interleaved(good, inputs, 1, 60, time.thread_time)
    return min(good, key=lambda name: median(taken[name]))


def _score(kind: Kind, file: Path, inputs: np.ndarray, targets: np.ndarray) -> float:
    return float(kind.score(onnx_files.infer(file, inputs), targets).mean())
