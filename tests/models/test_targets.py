"""Pruning to a target: the least that is as fast as asked, and a sentence where nothing is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from tests.models.lab import DIGITS
from tools.errors import Failed
from tools.models.kind_runtime import Kind, load
from tools.models.operations import prune


@pytest.fixture(scope="module")
def image() -> tuple[Kind, torch.nn.Module]:
    torch.set_num_threads(1)
    # Wide enough that ninety percent less is ten times faster, however busy the machine is.
    kind = load("digits", DIGITS / "model.py", {"width": 48, "size": 28, "train_samples": 100})
    return kind, kind.build().eval()


def test_the_least_share_that_is_fast_enough_is_taken(image: tuple[Kind, torch.nn.Module]):
    kind, network = image
    inputs, _ = kind.data("validation")
    share = prune._fast_enough(kind, network, 0.9, 1.3, inputs)  # pyright: ignore[reportPrivateUsage]
    assert 0 < share <= 0.9
    slim = prune.pruning.narrowed(kind, network, share, "l2", inputs)
    before, after = (sum(p.numel() for p in n.parameters()) for n in (network, slim))
    assert after < before


def test_a_speed_that_no_share_reaches_is_said_with_what_was_reached(
    image: tuple[Kind, torch.nn.Module],
):
    kind, network = image
    inputs, _ = kind.data("validation")
    with pytest.raises(Failed) as caught:
        prune._fast_enough(kind, network, 0.2, 500.0, inputs)  # pyright: ignore[reportPrivateUsage]
    assert re.search(r"pruning 20% makes it only \d+\.\d times faster, not 500", caught.value.en)
    assert "quantise as well" in caught.value.en


@pytest.mark.parametrize(
    ("width", "amount", "left"),
    [(48, 0.7, (16, 32, 64)), (48, 0.5, (24, 48, 96)), (16, 0.5, (8, 16, 32))],
)
def test_what_stays_fills_the_blocks_that_kernels_work_on(
    width: int, amount: float, left: tuple[int, ...]
):
    kind = load("digits", DIGITS / "model.py", {"width": width, "size": 8, "train_samples": 10})
    inputs, _ = kind.data("validation")
    slim = prune.pruning.narrowed(kind, kind.build().eval(), amount, "l2", inputs)
    convolutions = [m for m in slim.modules() if isinstance(m, torch.nn.Conv2d)]
    assert {layer.out_channels for layer in convolutions} == set(left)


def test_patience_waits_for_the_epochs_that_may_be_kept(tmp_path: Path):
    """Sparsity still rises in the first epochs: stopping there would leave nothing to keep."""
    from tools.models.job_folder import JobFolder
    from tools.models.job_tracker import Tracker
    from tools.models.kinds import TRAINING
    from tools.models.training_loop import Examples, Fit

    params = {"width": 4, "size": 8, "train_samples": 64}
    training = {**TRAINING, "epochs": 6, "patience": 1, "batch_size": 64, "threads": 1}
    kind = load("digits", DIGITS / "model.py", {**training, **params})
    tracker = Tracker(JobFolder(tmp_path), quiet=True)
    fit = Fit(kind, kind.build(), training, tracker, judge_from=4)
    done = fit.run(Examples(*kind.data("train")), Examples(*kind.data("validation")))
    assert done.best_epoch >= 4
    assert done.best
