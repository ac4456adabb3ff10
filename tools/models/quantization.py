"""int8 by ONNX Runtime's quantiser: the one place that knows it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

RULES = ("minmax", "percentile")
"""How the range of an activation follows from calibration: its extremes, or 99.99 % of it."""

SKIPS = ("edges", "nothing")
"""What stays fp32: a first convolution of few channels and the last linear layer, or nothing.

Both hold few weights, and int8 kernels are slower there (measured: 120 against 32 µs for a first
convolution of one channel, 49 against 7 µs for a linear layer of ten outputs).
"""
_FEW = 4


def has_convolution(file: Path) -> bool:
    """Whether the graph has a convolution."""
    onnx: Any = import_module("onnx")
    graph = onnx.load(str(file), load_external_data=False).graph
    return any(node.op_type == "Conv" for node in graph.node)


def dynamic(source: Path, target: Path) -> None:
    """Weights to int8 now, activations at run time; embeddings shrink too."""
    quantiser: Any = import_module("onnxruntime.quantization")
    prepared = _prepared(source)
    try:
        with _quiet():
            quantiser.quantize_dynamic(
                str(prepared), str(target), weight_type=quantiser.QuantType.QInt8
            )
    finally:
        prepared.unlink(missing_ok=True)


def static(
    source: Path, target: Path, calibration: np.ndarray, rule: str, skip: str = "edges"
) -> None:
    """Weights and activations to int8, per channel, with ranges from ``calibration``."""
    quantiser: Any = import_module("onnxruntime.quantization")
    methods = quantiser.CalibrationMethod
    prepared = _prepared(source)
    name = _input_name(source)
    try:
        with _quiet():
            quantiser.quantize_static(
                str(prepared),
                str(target),
                _reader(quantiser, name, calibration),
                quant_format=quantiser.QuantFormat.QDQ,
                per_channel=True,
                activation_type=quantiser.QuantType.QUInt8,
                weight_type=quantiser.QuantType.QInt8,
                calibrate_method=methods.MinMax if rule == "minmax" else methods.Percentile,
                nodes_to_exclude=_edges(prepared) if skip == "edges" else [],
                extra_options={"CalibPercentile": 99.99} if rule == "percentile" else {},
            )
    finally:
        prepared.unlink(missing_ok=True)


def _edges(file: Path) -> list[str]:
    """Names of a first convolution that sees few channels, and of the last linear layer."""
    onnx: Any = import_module("onnx")
    graph = onnx.load(str(file), load_external_data=False).graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    first = [n for n in graph.node if n.op_type == "Conv"][:1]
    narrow = [n.name for n in first if shapes.get(n.input[1], (0, _FEW + 1))[1] <= _FEW]
    return narrow + [n.name for n in graph.node if n.op_type in ("Gemm", "MatMul")][-1:]


def _input_name(file: Path) -> str:
    onnx: Any = import_module("onnx")
    return str(onnx.load(str(file), load_external_data=False).graph.input[0].name)


def _prepared(source: Path) -> Path:
    # Symbolic shape inference would pull in sympy; the plain one is enough for these graphs.
    shapes: Any = import_module("onnxruntime.quantization.shape_inference")
    import uuid

    prepared = Path.cwd() / f".{uuid.uuid4().hex}.onnx"
    with _quiet():
        shapes.quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    return prepared


def _reader(quantiser: Any, name: str, calibration: np.ndarray) -> Any:
    class Reader(quantiser.CalibrationDataReader):
        """Calibration data, in batches of one size: histograms cannot be joined otherwise."""

        def __init__(self) -> None:
            size = min(32, len(calibration))
            starts = range(0, len(calibration) - size + 1, size)
            self._batches: Iterator[dict[str, Any]] = iter(
                {name: calibration[i : i + size]} for i in starts
            )

        def get_next(self) -> dict[str, Any] | None:
            """The next batch, or ``None`` at the end."""
            return next(self._batches, None)

    return Reader()


class _quiet:
    """The quantiser logs advice on the root logger; it is not for the person who asked."""

    def __enter__(self) -> None:
        logging.disable(logging.WARNING)

    def __exit__(self, *_: object) -> None:
        logging.disable(logging.NOTSET)
