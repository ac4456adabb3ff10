"""What cannot be worked on is refused in one sentence that says what to do instead."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn

from tools.errors import BadArguments, Failed, Refused
from tools.models import onnx_files, pruning
from tools.models.kind_runtime import Kind
from tools.models.weights import shaped


class Recurrent(nn.Module):
    """Layers that structured pruning cannot follow."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.LSTM(4, 16, batch_first=True)
        self.head = nn.Linear(16, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shape (n, t, 4) to (n, 2)."""
        return self.head(self.inner(x)[0][:, -1])


class Odd(nn.Module):
    """Something no exporter can write."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The values doubled, by way of plain Python."""
        return torch.from_numpy(np.asarray([[2.0 * v for v in row] for row in x.tolist()]))


def kind(network: nn.Module, data: object = None) -> Kind:
    module = ModuleType("team")
    module.build = lambda params: network  # type: ignore[attr-defined]
    module.data = lambda split, params: data  # type: ignore[attr-defined]
    return Kind("team", module, {})


def one_sentence(said: BaseException) -> str:
    assert isinstance(said, Refused | BadArguments | Failed)
    for text in (said.en, said.zh):
        assert text
        assert "\n" not in text
    return said.en


def test_layers_that_cannot_be_followed_are_refused_with_the_alternative():
    inputs = np.zeros((2, 3, 4), "float32")
    network = Recurrent()
    with pytest.raises(Refused) as caught:
        pruning.narrowed(kind(network), network, 0.5, "l2", inputs)
    assert "cannot be pruned as a whole" in one_sentence(caught.value)
    assert "distil it instead" in caught.value.en
    nothing = nn.Sequential(nn.ReLU())
    with pytest.raises(Refused) as caught:
        pruning.narrowed(kind(nothing), nothing, 0.5, "l2", inputs)
    assert "no linear or convolution layer" in one_sentence(caught.value)


def test_a_network_no_exporter_can_write_is_named(tmp_path: Path):
    with pytest.raises(Failed) as caught:
        onnx_files.export(Odd(), np.ones((4, 3), "float32"), tmp_path / "m.onnx", {})
    assert "takes 0 inputs, not one" in one_sentence(caught.value)


def test_shapes_and_numbers_that_do_not_fit_are_named():
    network = nn.Linear(4, 2)
    with pytest.raises(Refused) as caught:
        shaped("team", nn.Linear(4, 2), {"weight": torch.zeros(2, 4), "other": torch.zeros(1)})
    assert "do not fit team" in one_sentence(caught.value)
    bad = {"weight": torch.full((2, 4), float("nan")), "bias": torch.zeros(2)}
    with pytest.raises(Refused) as caught:
        shaped("team", network, bad)
    assert "NaN or infinity in weight" in one_sentence(caught.value)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ((np.zeros((0, 4), "float32"), np.zeros(0, "int64")), "is empty"),
        ((np.zeros((3, 4), "float32"), np.zeros(2, "int64")), "3 inputs but 2 targets"),
        ((np.full((2, 4), np.inf, "float32"), np.zeros(2, "int64")), "NaN or infinite"),
    ],
)
def test_data_that_is_missing_or_broken_is_named(given: object, why: str):
    with pytest.raises(BadArguments, match=why) as caught:
        kind(nn.Linear(4, 2), given).data("train")
    assert "correct data()" in one_sentence(caught.value)
