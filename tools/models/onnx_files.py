"""ONNX in one place: check a foreign file, write one from a module, run one."""

# pyright: reportUnknownMemberType=false
# torch's own annotations leave members untyped.
from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import Failed, Refused

if TYPE_CHECKING:
    import numpy as np
    import torch

_MOST = 2**31
"""Bytes; a protobuf message cannot be larger."""
_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}


def refuse_unsafe(file: Path) -> None:
    """Raise ``Refused`` unless the file is a self-contained model of known operators."""
    onnx: Any = import_module("onnx")
    if file.stat().st_size > _MOST:
        raise Refused(
            f"{file.name} is above 2 GiB; register safetensors instead.",
            f"{file.name} 超过 2 GiB；请改为注册 safetensors。",
        )
    try:
        model = onnx.load(str(file), load_external_data=False)
        onnx.checker.check_model(model, full_check=False)
    except Exception as error:
        said = (str(error).splitlines() or ["unreadable"])[0][:120]
        raise Refused(
            f"{file.name} is not a valid ONNX model: {said}.",
            f"{file.name} 不是有效的 ONNX 模型：{said}。",
        ) from error
    if any(t.data_location == onnx.TensorProto.EXTERNAL for t in model.graph.initializer):
        raise Refused(
            f"{file.name} keeps weights in other files; export it into one file.",
            f"{file.name} 的权重在其他文件里；请导出为单个文件。",
        )
    foreign = sorted({node.domain for node in model.graph.node} - _DOMAINS)
    if foreign:
        raise Refused(
            f"{file.name} needs custom operators ({', '.join(foreign)}), which run code.",
            f"{file.name} 需要自定义算子（{'、'.join(foreign)}），会执行外部代码。",
        )


def export(
    model: torch.nn.Module, inputs: np.ndarray, file: Path, facts: Mapping[str, Any]
) -> float:
    """Write ``model`` as ONNX with a free batch size, and compare it on ``inputs``.

    The TorchScript-based exporter takes 0.1 s where the newer one takes 6 s for the same graph;
    the newer one is tried when the first cannot. Input is called ``input``, output ``logits``.
    ``facts`` go into the file's metadata as JSON values (labels, model name).

    Returns the largest absolute difference to torch over ``inputs``.

    Raises:
        Failed: no exporter can write it, or the file answers differently.
    """
    import torch

    model = model.eval().cpu()
    example = torch.from_numpy(inputs[:2].copy())
    try:
        _trace(model, example, file)
    except Exception as error:  # noqa: BLE001  exporters raise anything for an unknown layer; named below
        try:
            _capture(model, example, file)
        except Exception:  # noqa: BLE001  the newer exporter raises anything too
            raise Failed(
                f"This network cannot be exported to ONNX: {str(error).splitlines()[0][:160]}",
                f"该网络无法导出为 ONNX：{str(error).splitlines()[0][:160]}",
            ) from error
    annotate(file, facts)
    return compare(model, inputs, file)


def _trace(model: torch.nn.Module, example: torch.Tensor, file: Path) -> None:
    import torch

    api: Any = torch.onnx
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api.export(
            model,
            (example,),
            str(file),
            dynamo=False,
            opset_version=17,
            input_names=["input"],
            output_names=["logits"],
            dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
        )


def _capture(model: torch.nn.Module, example: torch.Tensor, file: Path) -> None:
    import torch

    api: Any = torch.onnx
    export: Any = torch.export
    batch = export.Dim("batch", min=1, max=4096)
    program = api.export(
        model,
        (example,),
        dynamo=True,
        input_names=["input"],
        output_names=["logits"],
        dynamic_shapes=({0: batch},),
        verbose=False,
    )
    program.save(str(file), external_data=False)


def annotate(file: Path, facts: Mapping[str, Any]) -> None:
    """Write ``facts`` into the file's metadata, each value as JSON."""
    onnx: Any = import_module("onnx")
    model = onnx.load(str(file))
    del model.metadata_props[:]
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=json.dumps(value, ensure_ascii=False))
    onnx.save(model, str(file))


def compare(model: torch.nn.Module, inputs: np.ndarray, file: Path) -> float:
    """Largest absolute difference between torch and the file; raises ``Failed`` above 1 %."""
    import numpy as np
    import torch

    with torch.no_grad():
        expected = model(torch.from_numpy(inputs.copy())).numpy()
    got = infer(file, inputs)
    difference = float(np.abs(expected - got).max())
    if not difference <= 0.01 * max(1.0, float(np.abs(expected).max())):
        raise Failed(
            f"The exported file answers differently from the network (by {difference:.3g}).",
            f"导出的文件与原网络输出不一致（相差 {difference:.3g}）。",
        )
    return difference


def open_session(file: Path, threads: int = 1) -> Any:
    """An ONNX Runtime session on the CPU."""
    runtime: Any = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return runtime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def infer(file: Path, inputs: np.ndarray, batch: int = 256, threads: int = 1) -> np.ndarray:
    """Outputs for ``inputs``, in batches."""
    import numpy as np

    session = open_session(file, threads)
    taken = session.get_inputs()
    if len(taken) != 1:
        raise Failed(
            f"{file.name} takes {len(taken)} inputs, not one; a network that leaves torch on the "
            "way is exported as a constant.",
            f"{file.name} 有 {len(taken)} 个输入，应为一个；中途离开 torch 的网络会被导出为常量。",
        )
    name = taken[0].name
    parts = [
        session.run(None, {name: inputs[i : i + batch]})[0] for i in range(0, len(inputs), batch)
    ]
    return np.concatenate(parts)
