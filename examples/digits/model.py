"""An image classifier for the 8x8 digits bundled with scikit-learn: a small residual CNN.

Inputs are float32 of shape (n, 1, 8, 8) in 0..1, targets are digits 0..9. ``size`` enlarges the
image inside the network, so that the same interface serves a heavier model.
"""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

labels = tuple("0123456789")
defaults = {
    "epochs": 12,
    "lr": 0.01,
    "batch_size": 64,
    "seed": 0,
    "patience": 6,
    "width": 16,
    "size": 8,
    "threads": 1,
    "train_samples": 1000,
    "variants": 2,
}
search = {"lr": [0.001, 0.03], "batch_size": [32, 64, 128], "width": [8, 16, 24]}
student = {"width": 8}


class Block(nn.Module):
    """Two 3x3 convolutions with a shortcut."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outside)
        self.second = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outside)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inside != outside:
            self.shortcut = nn.Conv2d(inside, outside, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shape (n, inside, h, w) to (n, outside, h / stride, w / stride)."""
        y = functional.relu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y))
        return functional.relu(y + self.shortcut(x))


class Classifier(nn.Module):
    """Stem, three blocks of growing width, average pooling, one linear layer."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.scale = size // 8
        self.stem = nn.Conv2d(1, width, 3, 1, 1, bias=False)
        self.stem_norm = nn.BatchNorm2d(width)
        self.blocks = nn.Sequential(
            Block(width, width, 1), Block(width, 2 * width, 2), Block(2 * width, 4 * width, 2)
        )
        self.head = nn.Linear(4 * width, len(labels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shape (n, 1, 8, 8) to logits of shape (n, 10)."""
        if self.scale > 1:
            x = functional.interpolate(x, scale_factor=float(self.scale), mode="nearest")
        x = functional.relu(self.stem_norm(self.stem(x)))
        return self.head(self.blocks(x).mean((2, 3)))


def build(params: dict[str, Any]) -> nn.Module:
    """The untrained network."""
    return Classifier(int(params["width"]), int(params["size"]))


def data(split: str, params: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of ``train`` (1000), ``validation`` (150) or ``test`` (647).

    ``unlabelled`` are ``variants`` distorted copies of each training image, for a teacher to label.
    """
    if split == "unlabelled" and params["variants"]:
        images, targets = data("train", params)
        copies = np.repeat(images, int(params["variants"]), axis=0)
        return _distorted(copies), np.zeros(len(copies), dtype=np.int64)
    images, targets = _digits()
    order = np.random.default_rng(1797).permutation(len(images))
    first, last = {"train": (0, 1000), "validation": (1000, 1150), "test": (1150, 1797)}[split]
    if split == "train":
        last = min(last, int(params["train_samples"]))
    chosen = order[first:last]
    return images[chosen], targets[chosen]


def _distorted(images: np.ndarray) -> np.ndarray:
    """Each image turned by up to 12 degrees, scaled by up to 10 % and shifted by up to a pixel."""
    rng = np.random.default_rng(8)
    angle, scale = rng.uniform(-0.2, 0.2, len(images)), rng.uniform(0.9, 1.1, len(images))
    across, down = rng.uniform(-0.25, 0.25, (2, len(images)))  # of the half width
    sine, cosine = scale * np.sin(angle), scale * np.cos(angle)
    rows = [[cosine, -sine, across], [sine, cosine, down]]
    turn = torch.from_numpy(np.array(rows, dtype=np.float32).transpose(2, 0, 1).copy())
    grid = functional.affine_grid(turn, list(images.shape), align_corners=False)
    return functional.grid_sample(torch.from_numpy(images), grid, align_corners=False).numpy()


def _digits() -> tuple[np.ndarray, np.ndarray]:
    # Reading the bundled table directly spares the second that importing scikit-learn costs.
    package = find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("the digits are bundled with scikit-learn, which is not installed")
    table = Path(package.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
    with gzip.open(table) as rows:
        values = np.loadtxt(rows, delimiter=",", dtype=np.float32)
    return values[:, :64].reshape(-1, 1, 8, 8) / 16.0, values[:, 64].astype(np.int64)
