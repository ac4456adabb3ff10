"""Why one example was answered as it was."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# numpy's and torch's own annotations leave element types open.
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import BadArguments
from tools.models import charts
from tools.models.asking import REPORT
from tools.models.attribution import attribute, deletion, probabilities
from tools.models.job_folder import write
from tools.models.job_worker import Work
from tools.models.kind_runtime import Kind
from tools.models.operations.compare import kind_with
from tools.models.torch_runtime import device_of
from tools.models.weights import parent_network

if TYPE_CHECKING:
    import numpy as np

_PLACES = (
    ("top left", "top", "top right"),
    ("left", "middle", "right"),
    ("bottom left", "bottom", "bottom right"),
)


def run(work: Work) -> None:
    """Explain the sample and leave a report, with a picture beside it."""
    import numpy as np

    device_of(work.training, 0)
    facts: dict[str, Any] = work.spec["versions"]["a"]
    kind = kind_with(work, facts)
    model = parent_network(kind, {"parent": facts})
    row, truth = sample_of(kind, str(work.options["sample"]))
    sure = probabilities(model, row[None])[0]
    label = int(sure.argmax())
    baseline = baseline_of(kind, row)
    found = attribute(model, row, baseline, label)
    checked = deletion(model, row, baseline, found, label)
    names = [*kind.labels] or [str(n) for n in range(len(sure))]
    report: dict[str, Any] = {
        "label": names[label],
        "probability": float(sure[label]),
        "truth": names[truth] if truth is not None else None,
        "runner_up": names[int(np.argsort(-sure)[1])],
        "runner_up_probability": float(np.sort(sure)[-2]),
        "reasons": reasons(kind, row, found),
        "deleted": checked.count,
        "drop": checked.drop,
        "random_drop": checked.random_drop,
        "faithful": checked.faithful,
    }
    title = f"{kind.name}: {names[label]} ({sure[label]:.1%})"
    report["chart"] = str(_draw(Path(work.options["chart"]), kind, title, row, found) or "")
    write(work.folder.output / REPORT, report)


def sample_of(kind: Kind, said: str) -> tuple[np.ndarray, int | None]:
    """A test example by its index, or a text the kind can encode."""
    inputs, targets = kind.data("test")
    if said.lstrip("#").isdigit():
        index = int(said.lstrip("#"))
        if index >= len(inputs):
            raise BadArguments(
                f"There is no test sample {index}; {kind.name} has 0 to {len(inputs) - 1}.",
                f"没有测试样本 {index}；{kind.name} 的样本编号为 0 到 {len(inputs) - 1}。",
            )
        return inputs[index], int(targets[index])
    encode: Any = getattr(kind.module, "encode", None)
    if encode is None:
        raise BadArguments(
            f"{said!r} is not a test sample of {kind.name}; name one from 0 to {len(inputs) - 1}.",
            f"{said!r} 不是 {kind.name} 的测试样本；请给出 0 到 {len(inputs) - 1} 的编号。",
        )
    row = encode(said, dict(kind.params))
    if not row.any():
        raise BadArguments("The text has no word in it.", "文本里没有词。")
    return row, None


def baseline_of(kind: Kind, row: np.ndarray) -> np.ndarray:
    """Nothing: padding for words, the mean training example for measured values."""
    import numpy as np

    if np.issubdtype(row.dtype, np.integer):
        return np.zeros_like(row)
    return kind.data("train")[0].mean(0).astype(row.dtype)


def reasons(kind: Kind, row: np.ndarray, found: np.ndarray) -> list[dict[str, Any]]:
    """The features that count most, in words: tokens, or places of an image, or numbers."""
    import numpy as np

    tokens: Any = getattr(kind.module, "tokens", None)
    if tokens is not None and row.ndim == 1:
        names, weights = list(tokens(row)), found[row != 0]
    elif row.ndim == 3:
        names, weights = _regions(found.sum(0))
    else:
        names, weights = [f"input {i}" for i in range(found.size)], found.ravel()
    total = float(np.abs(weights).sum()) or 1.0
    order = np.argsort(-np.abs(weights))[:6]
    return [{"what": names[i], "share": float(weights[i]) / total} for i in order]


def _regions(image: np.ndarray) -> tuple[list[str], np.ndarray]:
    import numpy as np

    rows = np.array_split(np.arange(image.shape[0]), 3)
    columns = np.array_split(np.arange(image.shape[1]), 3)
    sums = [[float(image[np.ix_(r, c)].sum()) for c in columns] for r in rows]
    return [name for line in _PLACES for name in line], np.asarray(sums).ravel()


def _draw(file: Path, kind: Kind, title: str, row: np.ndarray, found: np.ndarray) -> Path | None:
    tokens: Any = getattr(kind.module, "tokens", None)
    if row.ndim == 3:
        return charts.heat(file, title, row.mean(0), found.sum(0))
    if tokens is not None:
        return charts.bars(file, title, tokens(row), found[row != 0].tolist())
    return charts.bars(
        file, title, [f"input {i}" for i in range(found.size)], found.ravel().tolist()
    )
