"""Small pieces around torch: devices, process groups, prediction, whole checkpoints."""

# pyright: reportUnknownMemberType=false
# torch's own annotations leave members untyped.
from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.models.job_folder import replacing

if TYPE_CHECKING:
    import numpy as np
    import torch


def device_of(training: Mapping[str, Any], rank: int) -> torch.device:
    """``cuda:rank`` where there is one and it was not declined, else the CPU; sets the threads."""
    import torch

    threads = int(training.get("threads") or 0)
    if threads:
        torch.set_num_threads(threads)
    wanted = training.get("device", "auto")
    if wanted in ("auto", "cuda") and torch.cuda.is_available():
        return torch.device("cuda", rank % torch.cuda.device_count())
    return torch.device("cpu")


def predict(
    model: torch.nn.Module, inputs: np.ndarray, device: torch.device | str = "cpu"
) -> np.ndarray:
    """Outputs of ``model`` in evaluation mode, in batches of 256."""
    import numpy as np
    import torch

    with suppress(NotImplementedError):  # an exported program has no training mode to leave
        model.eval()
    with torch.inference_mode():
        parts = [
            model(torch.from_numpy(inputs[i : i + 256]).to(device)).cpu().numpy()
            for i in range(0, len(inputs), 256)
        ]
    return np.concatenate(parts)


def data_parallel(model: torch.nn.Module, device: torch.device) -> torch.nn.Module:
    """The module with gradients averaged over all processes."""
    from torch.nn.parallel import DistributedDataParallel

    return DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None)


def join(world: int, training: Mapping[str, Any]) -> None:
    """Enter the process group: nccl on GPUs, gloo on CPUs."""
    if world == 1:
        return
    from datetime import timedelta

    import torch

    cuda = training.get("device", "auto") != "cpu" and torch.cuda.is_available()
    limit = timedelta(seconds=float(training["stall_timeout"]))
    torch.distributed.init_process_group("nccl" if cuda else "gloo", timeout=limit)


def save_whole(file: Path, state: Mapping[str, Any]) -> None:
    """``torch.save`` that a reader sees whole or not at all."""
    import torch

    with replacing(file) as opened:
        torch.save(dict(state), opened)
