"""The Open Inference Protocol v2 between JSON and arrays, checked on both sides.

Specification: https://github.com/kserve/open-inference-protocol (HTTP/REST, JSON tensors).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tools.contract import Json
from tools.serving.faults import BadOutput, BadRequest
from tools.serving.runtime import Arrays, Runtime, Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NUMPY = {
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
    "INT8": "int8",
    "INT32": "int32",
    "INT64": "int64",
    "UINT8": "uint8",
    "BOOL": "bool",
}
_OIP = {v: k for k, v in _NUMPY.items()}


def decode(body: object, runtime: Runtime) -> dict[str, NDArray[Any]]:
    """The arrays of a request, in the shapes and types the model wants.

    Raises:
        BadRequest: 400 with what is wrong and what was expected.
    """
    if not isinstance(body, dict):
        raise BadRequest(400, "the body must be a JSON object with a list of inputs")
    request = cast("dict[str, Any]", body)
    given = request.get("inputs")
    if not isinstance(given, list) or not given:
        raise BadRequest(400, "the request has no inputs")
    items = cast("list[Any]", given)
    if not all(isinstance(i, dict) for i in items):
        raise BadRequest(400, "every input must be an object with name, shape, datatype, data")
    by_name = {str(item.get("name")): item for item in items}
    if len(runtime.inputs) == 1 and len(by_name) == 1:
        by_name = {runtime.inputs[0].name: items[0]}
    missing = [t.name for t in runtime.inputs if t.name not in by_name]
    if missing:
        names = ", ".join(t.name for t in runtime.inputs)
        raise BadRequest(400, f"input {missing[0]} is missing; the model takes: {names}")
    return {t.name: _array(by_name[t.name], t) for t in runtime.inputs}


def _array(item: dict[str, Any], wanted: Tensor) -> NDArray[Any]:
    import numpy as np

    said = item.get("datatype", wanted.datatype)
    if said not in _NUMPY:
        raise BadRequest(400, f"input {wanted.name}: datatype {said!r} is not supported")
    kind = np.dtype(_NUMPY.get(wanted.datatype, "float32"))
    try:
        array = np.asarray(item.get("data"), dtype=kind)
    except (ValueError, TypeError, OverflowError):
        raise BadRequest(
            400, f"input {wanted.name}: data must be numbers in rows of equal length"
        ) from None
    shape = item.get("shape", list(array.shape))
    try:
        array = array.reshape([int(n) for n in shape])
    except (ValueError, TypeError):
        raise BadRequest(
            400, f"input {wanted.name}: {array.size} numbers do not fill shape {shape}"
        ) from None
    fits = len(array.shape) == len(wanted.shape) and all(
        w in (-1, got) for w, got in zip(wanted.shape, array.shape, strict=True)
    )
    if not fits and len(wanted.shape) > 1:
        raise BadRequest(
            400,
            f"input {wanted.name}: shape {list(array.shape)} is not accepted; "
            f"the model takes {list(wanted.shape)}",
        )
    if not array.size:
        raise BadRequest(400, f"input {wanted.name} is empty")
    if kind.kind == "f" and not np.isfinite(array).all():
        raise BadRequest(400, f"input {wanted.name} contains NaN or infinity")
    return array


def check_finite(arrays: Arrays) -> None:
    """Raise :class:`BadOutput` when an output holds NaN or infinity: it is never an answer."""
    import numpy as np

    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            share = 1 - float(np.isfinite(array).mean())
            raise BadOutput(f"output {name} contains NaN or infinity ({share:.0%} of its values)")


def encode(arrays: Arrays, model: str, version: str, id: object) -> dict[str, Json]:
    """The response object; every one names the version that answered."""
    answer: dict[str, Json] = {
        "model_name": model,
        "model_version": version,
        "outputs": [
            {
                "name": name,
                "datatype": _OIP.get(str(array.dtype), "FP32"),
                "shape": list(array.shape),
                "data": cast("Json", array.ravel().tolist()),
            }
            for name, array in arrays.items()
        ],
    }
    if isinstance(id, str):
        answer["id"] = id
    return answer


def count_correct(arrays: Arrays, labels: object) -> tuple[int, int]:
    """How many rows' largest output is the given label: ``(correct, labelled)``."""
    import numpy as np

    scores = next(iter(arrays.values()))
    if scores.ndim != 2 or not isinstance(labels, list):
        return 0, 0
    known = cast("list[Any]", labels)
    if len(known) != len(scores) or not all(isinstance(n, int) for n in known):
        raise BadRequest(400, f"labels must be {len(scores)} integers, one per row")
    return int((np.argmax(scores, axis=1) == np.asarray(known)).sum()), len(known)


def examples(runtime: Runtime) -> list[dict[str, NDArray[Any]]]:
    """Two inputs of one row in the shapes the model takes: zeros, and numbers between 0 and 1.

    Two, because zeros may lie outside what a model was made for (it may divide by their norm).
    """
    import numpy as np

    def filled(tensor: Tensor, spread: bool) -> NDArray[Any]:
        shape = [1 if n < 0 else n for n in tensor.shape]
        kind = np.dtype(_NUMPY.get(tensor.datatype, "float32"))
        if not spread or kind.kind != "f":
            return np.zeros(shape, kind)
        return np.random.default_rng(0).uniform(0.1, 0.9, shape).astype(kind)

    return [{t.name: filled(t, spread) for t in runtime.inputs} for spread in (False, True)]
