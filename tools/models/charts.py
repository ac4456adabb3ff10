"""Pictures of this room, as PNG files: the one place that knows matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def _figure(width: float, height: float, panels: int) -> tuple[Any, list[Any]] | None:
    """A figure without a display; ``None`` where matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        return None
    figures: Any = import_module("matplotlib.figure")
    backend: Any = import_module("matplotlib.backends.backend_agg")
    figure = figures.Figure(figsize=(width, height), layout="constrained")
    backend.FigureCanvasAgg(figure)
    return figure, [figure.add_subplot(1, panels, i + 1) for i in range(panels)]


def _save(figure: Any, file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(str(file), dpi=120)
    return file


def trade_off(
    file: Path, title: str, marks: Sequence[tuple[str, float, float, float]]
) -> Path | None:
    """Accuracy against latency (ms) and size (KiB); a mark is name, accuracy, latency, size."""
    made = _figure(9, 4, 2)
    if made is None:
        return None
    figure, panels = made
    figure.suptitle(f"{title}: accuracy against latency and size")
    for panel, index, label in ((panels[0], 2, "one example, ms"), (panels[1], 3, "size, KiB")):
        for mark in marks:
            panel.scatter([mark[index]], [100 * mark[1]], s=60)
            panel.annotate(
                mark[0],
                (mark[index], 100 * mark[1]),
                textcoords="offset points",
                xytext=(6, 6),
                fontsize=8,
            )
        panel.set_xlabel(label)
        panel.set_ylabel("test accuracy, %")
        panel.set_xlim(left=0)
        panel.margins(0.25)
        panel.grid(visible=True, alpha=0.3)
    return _save(figure, file)


@dataclass(frozen=True, slots=True)
class Line:
    """A named series."""

    name: str
    x: tuple[int, ...]
    y: tuple[float, ...]


def course(
    file: Path, title: str, unit: str, losses: Sequence[Line], accuracy: Line
) -> Path | None:
    """How training went: losses (if there are any) and the score in 0..1, by ``unit``."""
    shown = [(losses, "loss", 1.0)] if losses else []
    if accuracy.x:
        label = "best validation accuracy, %" if unit == "trial" else "validation accuracy, %"
        shown.append(([accuracy], label, 100.0))
    made = _figure(4.5 * len(shown), 4, len(shown))
    if made is None:
        return None
    figure, panels = made
    figure.suptitle(title)
    for panel, (lines, label, scale) in zip(panels, shown, strict=True):
        for line in lines:
            values = [scale * value for value in line.y]
            panel.plot(line.x, values, marker="." if len(line.x) < 40 else None, label=line.name)
        if len(lines) > 1:
            panel.legend()
        panel.set_xlabel(unit)
        panel.set_ylabel(label)
        panel.grid(visible=True, alpha=0.3)
    return _save(figure, file)


def heat(file: Path, title: str, image: np.ndarray, attribution: np.ndarray) -> Path | None:
    """An image and where its attribution is: red for, blue against the answer."""
    made = _figure(7, 3.6, 2)
    if made is None:
        return None
    figure, panels = made
    figure.suptitle(title)
    most = float(abs(attribution).max()) or 1.0
    panels[0].imshow(image, cmap="gray_r")
    panels[1].imshow(attribution, cmap="bwr", vmin=-most, vmax=most)
    for panel in panels:
        panel.set_axis_off()
    return _save(figure, file)


def bars(file: Path, title: str, words: Sequence[str], weights: Sequence[float]) -> Path | None:
    """Words and what each contributed, in reading order."""
    made = _figure(7, 0.6 + 0.28 * max(3, len(words)), 1)
    if made is None:
        return None
    figure, panels = made
    figure.suptitle(title)
    colours = ["tab:red" if weight > 0 else "tab:blue" for weight in weights]
    panels[0].barh(range(len(words)), list(weights), color=colours)
    panels[0].set_yticks(range(len(words)), list(words))
    panels[0].invert_yaxis()
    return _save(figure, file)
