"""Latency and throughput of model files, measured in turns so that a busy machine hits all alike."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.models import onnx_files

if TYPE_CHECKING:
    import numpy as np
    import torch

Call = Callable[["np.ndarray"], Any]


def session_call(file: Path, threads: int = 1) -> Call:
    """A function that runs an ONNX file once."""
    session = onnx_files.open_session(file, threads)
    name = session.get_inputs()[0].name
    return lambda batch: session.run(None, {name: batch})


def interleaved(
    calls: Mapping[str, Call],
    inputs: np.ndarray,
    batch: int,
    rounds: int = 60,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds per call by name, ``rounds`` each, taken in turns after three warm-up calls.

    ``time.thread_time`` as ``clock`` counts processor time alone: what a call on one thread takes
    on an idle core. On a busy machine wall time favours short calls, which are seldom interrupted.
    """
    parts: Sequence[np.ndarray] = [
        inputs[i : i + batch] for i in range(0, max(1, len(inputs) - batch + 1), batch)
    ]
    for call in calls.values():
        for _ in range(3):
            call(parts[0])
    found: dict[str, list[float]] = {name: [] for name in calls}
    for index in range(rounds):
        for name, call in calls.items():
            began = clock()
            call(parts[index % len(parts)])
            found[name].append(clock() - began)
    return found


def torch_to_onnx_latency(model: torch.nn.Module, inputs: np.ndarray) -> float:
    """Median seconds of one example in ONNX Runtime, for a network that has no file yet."""
    from statistics import median

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "m.onnx"
        onnx_files.export(model, inputs[:16], file, {})
        taken = interleaved({"m": session_call(file)}, inputs, 1, clock=time.thread_time)
        return median(taken["m"])
