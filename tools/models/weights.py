"""Networks from registered weights: rebuilt by the kind's code, shaped by the weights themselves.

A structurally pruned network has no class of its own; its weights say how wide each layer is. So
the kind's network is built and every layer is given the shape its weights have. Nothing else
about a network is read from a file: weights are data, never code.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# torch's and safetensors' own annotations are incomplete.
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import Failed, Refused

if TYPE_CHECKING:
    import torch

    from tools.models.kind_runtime import Kind


def rebuild(kind: Kind, file: Path) -> torch.nn.Module:
    """The kind's network with the weights of ``file`` (safetensors).

    Raises:
        Refused: the weights belong to another network, or hold NaN.
    """
    from safetensors.torch import load_file

    return shaped(kind.name, kind.build(), load_file(file))


def shaped(name: str, model: torch.nn.Module, weights: dict[str, torch.Tensor]) -> torch.nn.Module:
    """``model`` with ``weights``; layers narrower or wider than built are given their shape."""
    layers: list[tuple[str, torch.nn.Module]] = list(model.named_modules())
    for path, module in layers:
        prefix = f"{path}." if path else ""
        mine = {k: v for k, v in weights.items() if k.rpartition(".")[0] == path}
        for key, value in mine.items():
            _resize(module, key.removeprefix(prefix), value)
        _describe(module)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        said = [line.strip() for line in str(error).splitlines()[1:]] or [str(error)]
        raise Refused(
            f"These weights do not fit {name}: {said[0][:160]}",
            f"这些权重与 {name} 不匹配：{said[0][:160]}",
        ) from None
    refuse_bad_weights(name, model)
    return model.eval()


def _resize(module: torch.nn.Module, key: str, value: torch.Tensor) -> None:
    import torch

    held = getattr(module, key, None)
    if not isinstance(held, torch.Tensor) or held.shape == value.shape or held.dim() != value.dim():
        return
    empty = torch.empty_like(value)
    if isinstance(held, torch.nn.Parameter):
        setattr(module, key, torch.nn.Parameter(empty))
    else:
        module.register_buffer(key, empty)


def _describe(module: Any) -> None:
    """Bring a layer's own numbers in line with its weights."""
    from torch import nn

    match module:
        case nn.Linear():
            module.out_features, module.in_features = module.weight.shape
        case nn.Conv1d() | nn.Conv2d() | nn.Conv3d():
            module.out_channels, each = module.weight.shape[:2]
            if module.groups > 1 and each == 1:
                module.groups = module.out_channels
            module.in_channels = each * module.groups
        case nn.BatchNorm1d() | nn.BatchNorm2d() | nn.BatchNorm3d():
            if module.running_mean is not None:
                module.num_features = len(module.running_mean)
        case nn.LayerNorm():
            module.normalized_shape = tuple(module.weight.shape)
        case nn.Embedding():
            module.num_embeddings, module.embedding_dim = module.weight.shape
        case _:
            pass


def refuse_bad_weights(name: str, model: torch.nn.Module) -> None:
    """Raise ``Refused`` when a weight is NaN or infinite."""
    import torch

    for key, value in model.state_dict().items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise Refused(
                f"The weights of {name} hold NaN or infinity in {key}; train again or pick "
                "another version.",
                f"{name} 的权重 {key} 含有 NaN 或无穷大；请重新训练或选择其他版本。",
            )


def parent_network(kind: Kind, spec: dict[str, Any]) -> torch.nn.Module:
    """The network of the version a job starts from.

    Raises:
        Refused: that version was registered without weights (an int8 file, a foreign ONNX).
    """
    parent: dict[str, Any] = spec["parent"]
    if parent.get("format") == "safetensors":
        return rebuild(kind, Path(parent["path"]))
    file = parent.get("files", {}).get("weights")
    if file is None:
        raise Refused(
            f"{kind.name} version {parent['number']} ({parent['technique']}) has no trainable "
            "weights; start from the version it was made of.",
            f"{kind.name} 版本 {parent['number']}（{parent['technique']}）没有可训练的权重；"
            "请从它的来源版本开始。",
        )
    return rebuild(kind, Path(file))


def open_program(file: Path) -> torch.nn.Module:
    """A program our own exporter wrote with ``torch.export``."""
    import torch

    export: Any = torch.export
    try:
        return export.load(str(file)).module()
    except (RuntimeError, ValueError, OSError) as error:
        raise Failed(
            f"{file.name} is not a torch.export program: {error}",
            f"{file.name} 不是 torch.export 程序：{error}",
        ) from error
