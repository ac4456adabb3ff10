"""From an artefact to a function on arrays. The only file that knows a model runtime.

ONNX needs onnxruntime and no torch, so that a server starts in well under a second. Weights in
safetensors need the model kind's file (see :mod:`tools.models.kinds`): its ``build(params)``, and
``input_shape`` from the file or the parameters, so that a request's shape can be checked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from tools.contract import Json
from tools.serving.faults import CannotServe, Exit

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays: TypeAlias = "Mapping[str, NDArray[Any]]"

_DATATYPES = {
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(float16)": "FP16",
    "tensor(int64)": "INT64",
    "tensor(int32)": "INT32",
    "tensor(uint8)": "UINT8",
    "tensor(int8)": "INT8",
    "tensor(bool)": "BOOL",
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """Name, Open Inference datatype and shape of an input or output; -1 is any size."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Runtime:
    """A loaded model."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    run: Callable[[Arrays], Arrays]


def load(
    artifact: Path,
    format: str,
    *,
    module: Path | None = None,
    params: Mapping[str, Json] | None = None,
    digest: str | None = None,
    threads: int = 1,
) -> Runtime:
    """Load ``artifact`` for serving.

    Raises:
        CannotServe: the file is missing, was altered, or is not a model of that format.
    """
    if not artifact.is_file():
        raise CannotServe(Exit.ARTIFACT_MISSING, f"the artefact {artifact} is missing")
    if digest is not None and _sha256(artifact) != digest:
        raise CannotServe(
            Exit.CANNOT_LOAD, f"{artifact.name} was altered: not sha256 {digest[:12]}"
        )
    if format == "onnx":
        return _onnx(artifact, threads)
    if format == "safetensors":
        return _safetensors(artifact, module, params or {}, threads)
    raise CannotServe(Exit.CANNOT_LOAD, f"format {format} cannot be served; export it to onnx")


def _sha256(file: Path) -> str:
    from hashlib import file_digest

    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


def _onnx(artifact: Path, threads: int) -> Runtime:
    import onnxruntime as ort

    runtime: Any = ort
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = runtime.InferenceSession(
            str(artifact), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # noqa: BLE001  onnxruntime's errors share no base class
        said = str(error).splitlines()[0][:200]
        raise CannotServe(Exit.CANNOT_LOAD, f"{artifact.name} is not servable: {said}") from None
    inputs = tuple(_described(t) for t in session.get_inputs())
    outputs = tuple(_described(t) for t in session.get_outputs())
    names = [t.name for t in outputs]

    def run(arrays: Arrays) -> Arrays:
        return dict(zip(names, session.run(names, dict(arrays)), strict=True))

    return Runtime(inputs, outputs, run)


def _described(tensor: Any) -> Tensor:
    shape = tuple(d if isinstance(d, int) else -1 for d in tensor.shape)
    return Tensor(tensor.name, _DATATYPES.get(tensor.type, "BYTES"), shape)


def _safetensors(
    artifact: Path, module: Path | None, params: Mapping[str, Json], threads: int
) -> Runtime:
    if module is None or not module.is_file():
        where = str(module) if module else "not given"
        raise CannotServe(
            Exit.CANNOT_LOAD, f"weights alone cannot be served: the model's module is {where}"
        )
    try:
        network, shape = _network(artifact, module, params)
    except Exception as error:  # noqa: BLE001  the module is the team's own code
        said = f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
        raise CannotServe(Exit.CANNOT_LOAD, f"{artifact.name} is not servable: {said}") from None
    import torch as library

    torch: Any = library
    torch.set_num_threads(threads)

    def run(arrays: Arrays) -> Arrays:
        with torch.inference_mode():
            answer = network(torch.from_numpy(next(iter(arrays.values()))))
        return {"output": answer.numpy()}

    return Runtime((Tensor("input", "FP32", shape),), (Tensor("output", "FP32", (-1, -1)),), run)


def _network(
    artifact: Path, module: Path, params: Mapping[str, Json]
) -> tuple[Any, tuple[int, ...]]:
    from importlib.util import module_from_spec, spec_from_file_location

    from safetensors import torch as safetensors

    weights: Any = safetensors
    spec = spec_from_file_location("served_model", module)
    assert spec is not None
    assert spec.loader is not None
    code: Any = module_from_spec(spec)
    sys.modules["served_model"] = code
    sys.path.insert(0, str(module.parent))
    spec.loader.exec_module(code)
    network = code.build(dict(params))
    network.load_state_dict(weights.load_file(str(artifact)))
    network.eval()
    shape: Any = params.get("input_shape") or getattr(code, "input_shape", ())
    return network, (-1, *(int(n) for n in shape))
