"""Pruning networks: whole channels and heads (faster everywhere), or single weights (masks).

Structured pruning follows dependencies between layers by Torch-Pruning (DepGraph, Fang et al.,
CVPR 2023). Masks: global magnitude (Han et al., 2015), two of every four (2:4, for GPUs that have
it), and |W|·‖x‖ per output row (Wanda, Sun et al., 2023). A mask alone makes nothing faster.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# torch's and Torch-Pruning's own annotations are incomplete.
from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tools.errors import Failed, Refused

if TYPE_CHECKING:
    import numpy as np
    import torch

    from tools.models.kind_runtime import Kind

Masks = Mapping[str, "torch.Tensor"]

CRITERIA = ("l2", "l1", "bn")
"""Importance of a channel: norms of its weights over all layers it spans, or batch-norm scale."""
_LOST = (AssertionError, RuntimeError, ValueError, LookupError, AttributeError, TypeError)
"""What following dependencies through a layer that is not understood ends in."""
ALIGNED = (16, 8)
"""Kernels for fp32 and int8 work on blocks of 16 channels (AVX-512) or 8."""


def narrowed(
    kind: Kind, model: torch.nn.Module, amount: float, criterion: str, example: np.ndarray
) -> torch.nn.Module:
    """A copy of ``model`` without ``amount`` of its channels (and head sizes), untuned.

    Raises:
        Refused: a layer whose dependencies cannot be followed; says what to do instead.
    """
    import torch

    tp: Any = import_module("torch_pruning")
    slim = copy.deepcopy(model).cpu().eval()
    inputs = torch.from_numpy(example[:2].copy())
    hints = _hints(kind, slim)
    ratios = _ratios(slim, hints, amount)
    try:
        pruner = tp.pruner.BasePruner(
            slim,
            inputs,
            importance=_importance(tp, criterion),
            pruning_ratio=0.0 if hints["only"] else amount,
            pruning_ratio_dict=ratios,
            max_pruning_ratio=0.97,
            ignored_layers=hints["ignored"],
            num_heads=hints["heads"],
            prune_head_dims=True,
        )
        pruner.step()
        with torch.no_grad():
            slim(inputs)
    except _LOST as error:
        said = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise Refused(
            f"{kind.name} has layers that cannot be pruned as a whole ({said}); distil it instead.",
            f"{kind.name} 含有无法整体剪枝的层（{said}）；请改用蒸馏。",
        ) from error
    before, after = (sum(p.numel() for p in m.parameters()) for m in (model, slim))
    if after >= before:
        raise Refused(
            f"{amount:.0%} of {kind.name} removes no whole channel: its layers are too narrow. "
            "Prune more, or use method magnitude.",
            f"{kind.name} 剪 {amount:.0%} 去不掉任何完整通道：层太窄。请加大比例，或用 magnitude。",
        )
    return slim


def _hints(kind: Kind, model: torch.nn.Module) -> dict[str, Any]:
    own: Callable[..., dict[str, Any]] | None = getattr(kind.module, "pruning", None)
    said = own(model) if own is not None else {}
    return {
        "only": said.get("only", []),
        "ignored": said.get("ignored") or [output_layer(kind, model)],
        "heads": said.get("heads", {}),
    }


def _ratios(
    model: torch.nn.Module, hints: Mapping[str, Any], amount: float
) -> dict[torch.nn.Module, float]:
    """How much of each layer goes, so that what stays is a multiple of 16 or 8 where that is near.

    Odd widths cost more time than they save: in ONNX Runtime on one thread 12 channels take longer
    than 16, in int8 and in fp32.
    """
    every = [*layers(model).values()]
    ratios: dict[torch.nn.Module, float] = {}
    for layer in hints["only"] or [m for m in every if m not in hints["ignored"]]:
        width = int(layer.weight.shape[0])
        each = width // int(hints["heads"].get(layer, 1))
        wanted = each * (1 - amount)
        blocks = (block * max(1, round(wanted / block)) for block in ALIGNED)
        near = [n for n in blocks if n < each and abs(n - wanted) <= wanted / 4]
        # What stays is cut to a whole number: 16 of 48 would become 15 without the thousandth.
        ratios[layer] = 1 - (near[0] + 0.001) / each if near else amount
    return ratios


def _importance(tp: Any, criterion: str) -> Any:
    if criterion == "bn":
        return tp.importance.BNScaleImportance()
    return tp.importance.GroupMagnitudeImportance(p=1 if criterion == "l1" else 2)


def layers(model: torch.nn.Module) -> dict[str, Any]:
    """Linear and convolution layers by name."""
    from torch import nn

    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d)
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, kinds)}


def output_layer(kind: Kind, model: torch.nn.Module) -> torch.nn.Module:
    """The layer whose width is the number of classes: the last one."""
    found = list(layers(model).values())
    if not found:
        raise Refused(
            f"{kind.name} has no linear or convolution layer to prune.",
            f"{kind.name} 没有可剪枝的线性层或卷积层。",
        )
    return found[-1]


def magnitude(model: torch.nn.Module, amount: float) -> Masks:
    """Keep the largest weights of the whole network, whichever layer they are in."""
    import torch

    found = {name: layer.weight.detach() for name, layer in layers(model).items()}
    every = torch.cat([w.abs().flatten() for w in found.values()])
    threshold = every.kthvalue(max(1, int(amount * every.numel()))).values
    return {name: (w.abs() > threshold) for name, w in found.items()}


def two_of_four(kind: Kind, model: torch.nn.Module, amount: float) -> Masks:
    """Keep the two largest of every four neighbours of a row."""
    import torch

    if abs(amount - 0.5) > 1e-9:
        raise Refused(
            f"2:4 removes exactly half; {amount:.0%} is not possible. Use 0.5, or another method.",
            f"2:4 恰好去掉一半，无法做到 {amount:.0%}。请用 0.5 或其他方法。",
        )
    last, masks = output_layer(kind, model), dict[str, torch.Tensor]()
    for name, layer in layers(model).items():
        weight = layer.weight.detach()
        rows = weight.flatten(1)
        if layer is last or rows.shape[1] % 4:
            continue
        groups = rows.abs().reshape(rows.shape[0], -1, 4)
        order = groups.argsort(-1, descending=True).argsort(-1)
        masks[name] = (order < 2).reshape(weight.shape)
    if not masks:
        raise Refused(
            f"{kind.name} has no layer whose rows divide by four; 2:4 does not apply.",
            f"{kind.name} 没有行宽能被 4 整除的层，不适用 2:4。",
        )
    return masks


def wanda(kind: Kind, model: torch.nn.Module, amount: float, calibration: np.ndarray) -> Masks:
    """Per output row, drop the weights with the smallest ``|W|·‖x‖``; linear layers only."""
    import torch
    from torch import nn

    last = output_layer(kind, model)
    chosen = {n: m for n, m in layers(model).items() if isinstance(m, nn.Linear) and m is not last}
    if not chosen:
        raise Refused(
            f"wanda weighs the linear layers of transformer blocks; {kind.name} has none besides "
            "its output. Use structured or magnitude.",
            f"wanda 针对 transformer 的线性层；{kind.name} 除输出层外没有。请用 structured 或 magnitude。",
        )
    squares: dict[str, torch.Tensor] = {}

    def watch(name: str) -> Callable[..., None]:
        def see(_module: object, args: tuple[torch.Tensor, ...]) -> None:
            seen = args[0].detach().flatten(0, -2).square().sum(0)
            squares[name] = squares.get(name, torch.zeros_like(seen)) + seen

        return see

    hooks = [layer.register_forward_pre_hook(watch(name)) for name, layer in chosen.items()]
    try:
        with torch.no_grad():
            model.eval()(torch.from_numpy(calibration[:256].copy()))
    finally:
        for hook in hooks:
            hook.remove()
    masks: dict[str, torch.Tensor] = {}
    for name, layer in chosen.items():
        score = layer.weight.detach().abs() * squares[name].sqrt()[None]
        drop = max(1, int(amount * score.shape[1]))
        masks[name] = score > score.kthvalue(drop, 1, keepdim=True).values
    return masks


def impose(model: torch.nn.Module, masks: Masks) -> None:
    """Set the masked weights to zero."""
    import torch

    found = layers(model)
    with torch.no_grad():
        for name, mask in masks.items():
            weight = found[name].weight
            if not isinstance(weight, torch.Tensor):
                raise Failed(f"{name} has no weight.")
            weight.mul_(mask.to(weight.device))
