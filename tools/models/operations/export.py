"""Export: the parent's weights in another format, compared with the original before it counts."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# torch's own annotations leave members untyped.
from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import Failed
from tools.models import onnx_files
from tools.models.job_worker import Work
from tools.models.operations.output import complete, kind_of
from tools.models.torch_runtime import device_of, predict
from tools.models.weights import open_program, parent_network

if TYPE_CHECKING:
    import numpy as np
    import torch


def run(work: Work) -> None:
    """Write the parent in the format asked for."""
    kind, format = kind_of(work), str(work.options["format"])
    device_of(work.training, 0)
    inputs, _ = kind.data("validation")
    output = work.folder.output
    output.mkdir(parents=True, exist_ok=True)
    parent: dict[str, Any] = work.spec["parent"]
    if format == "onnx" and parent["format"] == "onnx":
        # An int8 file has no weights to export from, and its ONNX is what was asked for.
        shutil.copyfile(parent["path"], output / "model.onnx")
        complete(work, kind, "export onnx", {}, _extras(parent, output))
        return
    model = parent_network(kind, work.spec).eval()
    if format == "onnx":
        facts = {"model": kind.name, "labels": list(kind.labels), "technique": "export"}
        gap = onnx_files.export(model, inputs[:256], output / "model.onnx", facts)
        artifact = "model.onnx"
    elif format == "torch_export":
        artifact, gap = "model.pt2", _program(model, inputs, output / "model.pt2")
    else:
        artifact, gap = "model.safetensors", _weights(model, output / "model.safetensors")
    complete(
        work,
        kind,
        f"export {format}",
        {"export_difference": gap},
        _extras(parent, output) if format != "safetensors" else {},
        artifact=artifact,
        format=format,
    )


def _extras(parent: dict[str, Any], output: Path) -> dict[str, str]:
    weights = parent.get("files", {}).get("weights")
    if weights is None:
        return {}
    shutil.copyfile(weights, output / "weights.safetensors")
    return {"weights": "weights.safetensors"}


def _program(model: torch.nn.Module, inputs: np.ndarray, file: Path) -> float:
    import numpy as np
    import torch

    export: Any = torch.export
    example = torch.from_numpy(inputs[:2].copy())
    shapes = ({0: export.Dim("batch", min=1, max=4096)},)
    export.save(export.export(model, (example,), dynamic_shapes=shapes), str(file))
    expected, got = predict(model, inputs[:256]), predict(open_program(file), inputs[:256])
    gap = float(np.abs(expected - got).max())
    if not gap <= 0.01 * max(1.0, float(np.abs(expected).max())):
        raise Failed(
            f"The exported program answers differently from the network (by {gap:.3g}).",
            f"导出的程序与原网络输出不一致（相差 {gap:.3g}）。",
        )
    return gap


def _weights(model: torch.nn.Module, file: Path) -> float:
    from safetensors.torch import save_file

    save_file({k: v.detach().contiguous().clone() for k, v in model.state_dict().items()}, file)
    return 0.0
