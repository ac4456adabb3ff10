"""A model kind at work: only the processes of a job load it."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tools.errors import BadArguments

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np
    import torch

    from tools.contract import Json


@dataclass(frozen=True)
class Kind:
    """A loaded kind with the parameters of one run."""

    name: str
    module: ModuleType
    params: Mapping[str, Json]

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names; empty when the kind names none."""
        return tuple(str(label) for label in getattr(self.module, "labels", ()))

    def build(self, **changes: Json) -> torch.nn.Module:
        """The untrained network; ``changes`` override parameters (a student's width)."""
        import torch

        built: object = self.module.build({**self.params, **changes})
        if not isinstance(built, torch.nn.Module):
            raise BadArguments(
                f"build() of {self.name} returned {type(built).__name__}, not a torch.nn.Module.",
                f"{self.name} 的 build() 返回了 {type(built).__name__}，不是 torch.nn.Module。",
            )
        return built

    def data(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets of ``split``, checked.

        Raises:
            BadArguments: nothing there, lengths that differ, or values that are not finite.
        """
        import numpy as np

        if split == "calibration" and not self._offers(split):
            inputs, targets = self.data("train")
            return inputs[:256], targets[:256]
        given: Any = self.module.data(split, dict(self.params))
        inputs, targets = np.asarray(given[0]), np.asarray(given[1])
        if len(inputs) == 0:
            raise self._bad(split, "is empty", "是空的")
        if len(inputs) != len(targets):
            what = f"{len(inputs)} inputs but {len(targets)} targets"
            raise self._bad(split, f"has {what}", f"输入 {len(inputs)} 条，标签 {len(targets)} 条")
        if np.issubdtype(inputs.dtype, np.floating) and not np.isfinite(inputs).all():
            raise self._bad(split, "has NaN or infinite inputs", "输入含 NaN 或无穷大")
        return inputs, targets

    def _offers(self, split: str) -> bool:
        try:
            self.module.data(split, dict(self.params))
        except (KeyError, ValueError):
            return False
        return True

    def _bad(self, split: str, en: str, zh: str) -> BadArguments:
        return BadArguments(
            f"The {split} data of {self.name} {en}; correct data() in its file.",
            f"{self.name} 的 {split} 数据{zh}；请改正它的 data()。",
        )

    def score(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Goodness of each example in 0..1; by default whether the largest logit is right."""
        import numpy as np

        own: Callable[..., Any] | None = getattr(self.module, "score", None)
        if own is not None:
            return np.asarray(own(outputs, targets), dtype=np.float64)
        return (outputs.argmax(-1) == targets).astype(np.float64)

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Mean loss of a batch; cross-entropy unless the kind has its own."""
        from torch.nn.functional import cross_entropy

        own: Callable[..., Any] | None = getattr(self.module, "loss", None)
        return (
            cast("torch.Tensor", own(outputs, targets)) if own else cross_entropy(outputs, targets)
        )

    def data_digest(self) -> str:
        """sha256 over the training inputs and targets."""
        import numpy as np

        digest = hashlib.sha256()
        for part in self.data("train"):
            digest.update(f"{part.dtype}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()


def load(name: str, file: Path, params: Mapping[str, Json]) -> Kind:
    """Run a kind's file; raises ``BadArguments`` naming the line that failed."""
    source = importlib.util.spec_from_file_location(f"steward_kind_{name.replace('-', '_')}", file)
    if source is None or source.loader is None:
        raise BadArguments(f"{file} is not a Python file.", f"{file} 不是 Python 文件。")
    module = importlib.util.module_from_spec(source)
    sys.modules[source.name] = module
    folder = str(file.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        source.loader.exec_module(module)
    except Exception as error:  # a team's file may raise anything; it is named here
        line = _line_in(file, error)
        raise BadArguments(
            f"{file}{line} cannot be loaded: {type(error).__name__}: {error}.",
            f"{file}{line} 无法加载：{type(error).__name__}: {error}。",
        ) from error
    return Kind(name, module, params)


def _line_in(file: Path, error: BaseException) -> str:
    trace, line = error.__traceback__, ""
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(file):
            line = f", line {trace.tb_lineno}"
        trace = trace.tb_next
    return line
