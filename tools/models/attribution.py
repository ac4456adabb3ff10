"""Integrated gradients (Sundararajan et al., 2017) and the check that they mean something.

Attribution sums to the difference between the answer for the example and for a baseline. Whether
it points at what matters is measured: the features it ranks highest are deleted, and the drop of
the answer's probability is held against deleting as many at random.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# torch's own annotations leave members untyped.
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.errors import Refused

if TYPE_CHECKING:
    import numpy as np
    import torch

STEPS = 32
RATIO = 3.0
"""An explanation is called faithful when its deletion costs this many times the random one."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """What deleting the ``count`` most important features does to the answer's probability."""

    count: int
    drop: float
    random_drop: float

    @property
    def faithful(self) -> bool:
        """Whether the attribution points at what matters."""
        return self.drop > 0.05 and self.drop >= RATIO * max(self.random_drop, 0.0)


def attribute(
    model: torch.nn.Module, row: np.ndarray, baseline: np.ndarray, label: int
) -> np.ndarray:
    """One number per feature of ``row`` (per word for whole-number inputs) for ``label``'s logit."""
    import numpy as np
    import torch

    model.eval()
    if np.issubdtype(row.dtype, np.integer):
        return _through_embedding(model, row, baseline, label)
    x, base = torch.from_numpy(row[None].copy()), torch.from_numpy(baseline[None].copy())
    path = base + _alphas(x.dim()) * (x - base)
    path.requires_grad_()
    (gradient,) = torch.autograd.grad(model(path)[:, label].sum(), path)
    return ((x - base)[0] * gradient.mean(0)).detach().numpy()


def _alphas(dimensions: int) -> torch.Tensor:
    import torch

    return ((torch.arange(STEPS) + 0.5) / STEPS).reshape(-1, *[1] * (dimensions - 1))


def _through_embedding(
    model: torch.nn.Module, row: np.ndarray, baseline: np.ndarray, label: int
) -> np.ndarray:
    """The same along the path of word vectors: the words themselves have no gradient."""
    import torch

    table = next((m for m in model.modules() if isinstance(m, torch.nn.Embedding)), None)
    if table is None:
        raise Refused(
            "This model takes whole numbers but has no embedding layer; it cannot be explained.",
            "该模型输入为整数但没有 embedding 层，无法解释。",
        )
    with torch.no_grad():
        here = table(torch.from_numpy(row[None].copy()))
        there = table(torch.from_numpy(baseline[None].copy()))
    path = (there + _alphas(3) * (here - there)).requires_grad_()

    def walk(_module: object, _args: object, _output: object) -> torch.Tensor:
        return path

    hook = table.register_forward_hook(walk)
    try:
        words = torch.from_numpy(row[None].copy()).expand(STEPS, -1)
        (gradient,) = torch.autograd.grad(model(words)[:, label].sum(), path)
    finally:
        hook.remove()
    return ((here - there)[0] * gradient.mean(0)).sum(-1).detach().numpy()


def deletion(
    model: torch.nn.Module,
    row: np.ndarray,
    baseline: np.ndarray,
    attribution: np.ndarray,
    label: int,
) -> Deletion:
    """Delete the top features (a sixth, at least two) and, 30 times, as many at random."""
    import numpy as np

    there = np.flatnonzero((row != baseline).ravel())
    count = min(len(there), max(2, len(there) // 6))
    ranked = there[np.argsort(-attribution.ravel()[there])][:count]
    rng, rows = np.random.default_rng(0), [row]
    for chosen in (ranked, *(rng.choice(there, count, replace=False) for _ in range(30))):
        changed = row.copy().ravel()
        changed[chosen] = baseline.ravel()[chosen]
        rows.append(changed.reshape(row.shape))
    sure = probabilities(model, np.stack(rows))[:, label]
    return Deletion(count, float(sure[0] - sure[1]), float(sure[0] - sure[2:].mean()))


def probabilities(model: torch.nn.Module, rows: np.ndarray) -> np.ndarray:
    """Softmax of the outputs."""
    import torch

    with torch.no_grad():
        outputs: Any = model(torch.from_numpy(rows.copy()))
        return outputs.softmax(-1).numpy()
