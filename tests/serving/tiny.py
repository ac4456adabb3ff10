"""Tiny ONNX models made on the spot: no torch, a kilobyte each, started in a fifth of a second."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tools.models.base import ModelVersion, Registry


def save(path: Path, kind: str = "good", classes: int = 3) -> Path:
    """A linear classifier of four numbers whose right answer is the largest of the first three.

    ``kind``: ``good``, ``wrong`` (always answers the last class), ``nan`` (answers NaN),
    ``fails`` (answers NaN to any input that holds a 1, as real ones do), ``slow`` (multiplies large matrices first).
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = np.eye(4, classes, dtype=np.float32)
    if kind == "wrong":
        weights = np.zeros((4, classes), np.float32)
    nodes = [helper.make_node("MatMul", ["image", "w"], ["scores"])]
    constants = [numpy_helper.from_array(weights, "w")]
    match kind:
        case "nan":
            constants.append(numpy_helper.from_array(np.float32([-1.0]), "minus"))
            nodes += [
                helper.make_node("Log", ["minus"], ["bad"]),
                helper.make_node("Add", ["scores", "bad"], ["logits"]),
            ]
        case "fails":
            constants.append(numpy_helper.from_array(np.float32([0.999]), "edge"))
            constants.append(numpy_helper.from_array(np.float32([0.0]), "zero"))
            nodes += [
                helper.make_node("ReduceMax", ["image"], ["top"], axes=[1], keepdims=1),
                helper.make_node("Sub", ["edge", "top"], ["room"]),
                helper.make_node("Log", ["room"], ["bad"]),
                helper.make_node("Mul", ["bad", "zero"], ["nothing"]),
                helper.make_node("Add", ["scores", "nothing"], ["logits"]),
            ]
        case "slow":
            big = np.full((700, 700), 1e-6, np.float32)
            constants.append(numpy_helper.from_array(big, "big"))
            constants.append(numpy_helper.from_array(np.zeros((4, 700), np.float32), "spread"))
            constants.append(numpy_helper.from_array(np.zeros((700, classes), np.float32), "fold"))
            constants.append(numpy_helper.from_array(np.zeros((700, 1), np.float32), "rows"))
            nodes += [
                helper.make_node("MatMul", ["image", "spread"], ["wide"]),
                helper.make_node("ReduceMean", ["wide"], ["one"], axes=[0], keepdims=1),
                helper.make_node("Add", ["one", "rows"], ["square"]),
                helper.make_node("MatMul", ["square", "big"], ["a"]),
                helper.make_node("MatMul", ["a", "big"], ["b"]),
                helper.make_node("MatMul", ["b", "big"], ["c"]),
                helper.make_node("MatMul", ["c", "fold"], ["d"]),
                helper.make_node("ReduceMean", ["d"], ["e"], axes=[0], keepdims=1),
                helper.make_node("Add", ["scores", "e"], ["logits"]),
            ]
        case _:
            nodes.append(helper.make_node("Identity", ["scores"], ["logits"]))
    graph = helper.make_graph(
        nodes,
        kind,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", classes])],
        constants,
    )
    opset = [helper.make_opsetid("", 17)]
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), str(path))
    return path


def register(registry: Registry, file: Path, model: str = "digits", **changes: Any) -> ModelVersion:
    """Register ``file`` as a version that was trained; ``changes`` say what is otherwise."""
    said: dict[str, Any] = {
        "format": "onnx",
        "metrics": {"accuracy": 0.9},
        "technique": "train",
        "parent": None,
        "action_id": None,
        "job": None,
        "lineage": {},
    }
    return registry.register(model, file, **{**said, **changes})
