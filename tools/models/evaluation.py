"""How good a model file is, on data that chose nothing: metrics, and the gate against another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tools.models import onnx_files

if TYPE_CHECKING:
    import numpy as np

    from tools.contract import Json
    from tools.models.kind_runtime import Kind

BUDGET = 0.01
"""Points of the score (0..1) a version may lose against its parent: 1 percentage point."""
_DRAWS = 4000


def outputs_of(kind: Kind, file: Path, format: str, inputs: np.ndarray) -> np.ndarray:
    """What a registered file answers to ``inputs``, whatever its format."""
    if format == "onnx":
        return onnx_files.infer(file, inputs)
    from tools.models.torch_runtime import predict
    from tools.models.weights import open_program, rebuild

    model = rebuild(kind, file) if format == "safetensors" else open_program(file)
    return predict(model, inputs)


def metrics(kind: Kind, outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Accuracy (mean score) with its 95 % bootstrap interval."""
    scores = kind.score(outputs, targets)
    low, high = interval(scores)
    return {
        "accuracy": float(scores.mean()),
        "accuracy_low": low,
        "accuracy_high": high,
        "test_samples": float(len(scores)),
    }


def interval(scores: np.ndarray) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the mean."""
    import numpy as np

    low, high = np.percentile(_means(scores), [2.5, 97.5])
    return float(low), float(high)


def _means(values: np.ndarray) -> np.ndarray:
    import numpy as np

    rng, n = np.random.default_rng(0), len(values)
    return np.concatenate(
        [values[rng.integers(0, n, (50, n))].mean(axis=1) for _ in range(_DRAWS // 50)]
    )


def gate(
    kind: Kind,
    targets: np.ndarray,
    old: np.ndarray,
    new: np.ndarray,
    against: int,
    budget: float = BUDGET,
) -> Mapping[str, Json]:
    """Paired bootstrap non-inferiority on the test split, with the flip rate.

    ``old`` and ``new`` are the outputs of both files for the same examples. ``passed`` when the
    lower end of the one-sided 95 % interval of the mean difference is above ``-budget``.
    ``needed`` estimates how many examples would prove a loss within the budget when the mean
    alone is within it.
    """
    import numpy as np

    difference = kind.score(new, targets) - kind.score(old, targets)
    low = float(np.percentile(_means(difference), 5))
    mean, spread = float(difference.mean()), float(difference.std())
    passed = low > -budget
    room = mean + budget
    needed = int(np.ceil((1.645 * spread / room) ** 2)) if not passed and room > 0 else 0
    return {
        "against": against,
        "budget": budget,
        "change": mean,
        "low": low,
        "passed": passed,
        "flips": float((old.argmax(-1) != new.argmax(-1)).mean()),
        "samples": len(difference),
        "needed": needed,
    }
