"""Where a training run stands, kept so that it may be killed at any moment."""

# pyright: reportUnknownMemberType=false
# torch's own annotations leave members untyped.
from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.models.torch_runtime import save_whole

if TYPE_CHECKING:
    import torch


@dataclass
class Progress:
    """Where a run stands; all of it is in the checkpoint."""

    step: int = 0
    best_score: float = -1.0
    best_loss: float = math.inf
    best_epoch: int = 0
    best: dict[str, torch.Tensor] = field(default_factory=dict[str, "torch.Tensor"])


def save(
    file: Path, model: torch.nn.Module, optimizer: torch.optim.Optimizer, now: Progress
) -> None:
    """Write everything a resumed run needs; the order of batches and the randomness follow the step."""
    import torch

    save_whole(
        file,
        {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "step": now.step,
            "best": now.best,
            "judged": torch.tensor([now.best_score, now.best_loss], dtype=torch.float64),
            "best_epoch": now.best_epoch,
        },
    )


def resume(
    file: Path, model: torch.nn.Module, optimizer: torch.optim.Optimizer, device: torch.device
) -> Progress:
    """Put model and optimizer where the checkpoint left them; tensors only, never code."""
    import torch

    saved: dict[str, Any] = torch.load(file, weights_only=True, map_location=device)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    score, loss = (float(value) for value in saved["judged"])
    return Progress(saved["step"], score, loss, saved["best_epoch"], saved["best"])
