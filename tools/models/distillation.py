"""Learning from a teacher's outputs (Hinton et al., 2015)."""

# pyright: reportUnknownMemberType=false
# torch's own annotations leave members untyped.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tools.models.torch_runtime import predict
from tools.models.training_loop import Examples

if TYPE_CHECKING:
    import numpy as np
    import torch

    from tools.models.kind_runtime import Kind
    from tools.models.training_loop import Loss


def taught(
    kind: Kind, teacher: torch.nn.Module, inputs: np.ndarray, targets: np.ndarray
) -> Examples:
    """Training data with the teacher's outputs, and the kind's unlabelled inputs with its answers."""
    import numpy as np

    outputs, pool = predict(teacher, inputs), unlabelled(kind)
    if pool is None:
        return Examples(inputs, targets, outputs)
    more = predict(teacher, pool)
    return Examples(
        np.concatenate([inputs, pool]),
        np.concatenate([targets, more.argmax(-1).astype(targets.dtype)]),
        np.concatenate([outputs, more]),
    )


def unlabelled(kind: Kind) -> np.ndarray | None:
    """Inputs without labels, where the kind offers them."""
    try:
        return kind.data("unlabelled")[0]
    except (KeyError, ValueError):
        return None


def softened(kind: Kind, training: Mapping[str, Any]) -> Loss:
    """``α·T²·KL(student/T ‖ teacher/T) + (1-α)·own loss``."""
    alpha, heat = float(training["kd_alpha"]), float(training["kd_temperature"])

    def loss(
        outputs: torch.Tensor, targets: torch.Tensor, teacher: torch.Tensor | None
    ) -> torch.Tensor:
        from torch.nn import functional

        own = kind.loss(outputs, targets)
        if teacher is None:
            return own
        near = functional.kl_div(
            functional.log_softmax(outputs / heat, -1),
            functional.log_softmax(teacher / heat, -1),
            reduction="batchmean",
            log_target=True,
        )
        return alpha * heat**2 * near + (1 - alpha) * own

    return loss
