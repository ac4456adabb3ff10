"""Pruning with recovery: remove, tune what is left, evaluate on data that chose nothing.

Without tuning, half the channels gone is a guess at random; tuning is part of the operation. The
criterion (and, with a target, the amount) is chosen on validation data, the gate uses test data.
"""

# pyright: reportUnknownMemberType=false
# torch's own annotations leave members untyped.
from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tools.errors import Failed
from tools.models import pruning
from tools.models.distillation import softened, taught
from tools.models.job_worker import Work
from tools.models.kind_runtime import Kind
from tools.models.operations.output import finish, kind_of, loaded
from tools.models.speed import torch_to_onnx_latency
from tools.models.torch_runtime import device_of, join, predict, save_whole
from tools.models.training_loop import Examples, Fit
from tools.models.weights import parent_network, shaped

if TYPE_CHECKING:
    import numpy as np
    import torch

RAMP = 0.6
"""Share of the tuning over which sparsity rises (Zhu & Gupta, 2017)."""
LADDER = (1.0, 0.85, 0.7, 0.5, 0.35)
"""Shares of ``amount`` tried, largest first, until the loss allowed is kept."""


def run(work: Work) -> None:
    """Prune the parent by the job's method and leave the tuned result."""
    began, kind, parent = time.time(), kind_of(work), None
    join(work.world, work.training)
    device_of(work.training, work.rank)
    parent = parent_network(kind, work.spec)
    amount, method = float(work.options["amount"]), str(work.options["method"])
    allowed = work.options.get("max_loss")
    inputs, targets = kind.data("validation")
    before = float(kind.score(predict(parent, inputs), targets).mean())
    for attempt, share in enumerate(_amounts(work, kind, parent, amount, method, inputs)):
        work.tracker.leg(attempt)
        place = work.folder.root / f"checkpoint-{share:.3f}.pt"
        model, fit, said = _recovered(work, kind, parent, share, method, place)
        lost = 100 * (before - fit.progress.best_score)
        work.tracker.event("tried", amount=share, lost_points=lost)
        if allowed is None or lost <= float(allowed):
            break
    else:
        raise Failed(
            f"no amount up to {amount:.0%} keeps the loss within {allowed} points; "
            "allow more, or quantise instead",
            f"在 {amount:.0%} 以内没有能把损失控制在 {allowed} 个点的比例；请放宽或改用量化",
        )
    if work.rank:
        return
    finish(
        work,
        kind,
        model,
        technique=f"prune {method} {share:.0%}",
        metrics={
            "validation_accuracy": fit.progress.best_score,
            "amount": share,
            "seconds": time.time() - began,
        },
        lineage={"pruning": {"method": method, "amount": share, **said}},
    )


def _amounts(
    work: Work,
    kind: Kind,
    parent: torch.nn.Module,
    amount: float,
    method: str,
    inputs: np.ndarray,
) -> Iterator[float]:
    """Which amounts to try: one; a falling ladder to a loss; the least that is fast enough."""
    wanted = work.options.get("speed_up")
    if wanted is not None and method == "structured":
        yield _fast_enough(kind, parent, amount, float(wanted), inputs)
    elif work.options.get("max_loss") is not None:
        yield from (amount * step for step in LADDER)
    else:
        yield amount


def _fast_enough(
    kind: Kind, parent: torch.nn.Module, amount: float, wanted: float, inputs: np.ndarray
) -> float:
    base, best = torch_to_onnx_latency(parent, inputs), 0.0
    steps = max(2, math.ceil(amount / 0.1))
    for index in range(1, steps + 1):
        share = amount * index / steps
        slim = pruning.narrowed(kind, parent, share, "l2", inputs)
        best = max(best, base / torch_to_onnx_latency(slim, inputs))
        if best >= wanted:
            return share
    raise Failed(
        f"pruning {amount:.0%} makes it only {best:.1f} times faster, not {wanted:g}; "
        "prune more, or quantise as well",
        f"剪枝 {amount:.0%} 只快 {best:.1f} 倍，达不到 {wanted:g} 倍；请加大比例或同时量化",
    )


def _recovered(
    work: Work, kind: Kind, parent: torch.nn.Module, share: float, method: str, place: Any
) -> tuple[torch.nn.Module, Fit, dict[str, Any]]:
    """Prune by ``share`` and tune; a restart continues with the same structure."""
    inputs, targets = loaded(work, kind, "train")
    half = max(1, math.ceil(int(work.training["epochs"]) / 2))
    training = {
        **work.training,
        "epochs": int(work.training["recovery_epochs"]) or half,
        "lr": float(work.training["lr"]) * 0.5,
    }
    examples, loss = Examples(inputs, targets), None
    if float(training["kd_alpha"]) > 0:
        examples, loss = taught(kind, parent, inputs, targets), softened(kind, training)
    after: Callable[[int], None] | None = None
    said: dict[str, Any] = {}
    if method == "structured":
        model, criterion = _narrow(work, kind, parent, share, place)
        said = {"criterion": criterion}
    else:
        model = copy.deepcopy(parent)
        each = math.ceil(len(examples.inputs) / int(training["batch_size"]))
        after = _Masker(kind, model, method, share, inputs, each * int(training["epochs"]))
    fit = Fit(
        kind,
        model,
        training,
        work.tracker,
        world=work.world,
        loss=loss,
        checkpoint=place,
        after_step=after,
        # Before the ramp's end the network is not as sparse as it has to be.
        judge_from=math.ceil(RAMP * int(training["epochs"])) - 1 if method == "magnitude" else 0,
    )
    fit.run(examples, Examples(*kind.data("validation")))
    if isinstance(after, _Masker):
        after.settle()
    return model, fit, said


def _narrow(
    work: Work, kind: Kind, parent: torch.nn.Module, share: float, place: Any
) -> tuple[torch.nn.Module, str]:
    """The criterion that hurts validation least before tuning; scoring all costs a second."""
    import torch

    shape = place.with_suffix(".shape")
    if shape.exists():
        saved: dict[str, Any] = torch.load(shape, weights_only=True)
        return shaped(kind.name, kind.build(), saved["model"]), str(saved["criterion"])
    inputs, targets = kind.data("validation")
    tried: list[tuple[float, str, torch.nn.Module]] = []
    fault: Exception | None = None
    for criterion in pruning.CRITERIA:
        try:
            slim = pruning.narrowed(kind, parent, share, criterion, inputs)
        except Exception as error:  # noqa: BLE001  one criterion may not apply; the last one counts
            fault = fault or error
            continue
        score = float(kind.score(predict(slim, inputs), targets).mean())
        tried.append((score, criterion, slim))
    if not tried:
        raise fault or Failed("nothing could be pruned")
    _, criterion, model = max(tried, key=lambda found: found[0])
    if work.rank == 0:
        save_whole(shape, {"model": model.state_dict(), "criterion": criterion})
    return model, criterion


class _Masker:
    """Keeps masks imposed; for magnitude, sparsity rises along a cubic curve."""

    def __init__(
        self,
        kind: Kind,
        model: torch.nn.Module,
        method: str,
        amount: float,
        inputs: np.ndarray,
        steps: int,
    ) -> None:
        self._kind, self._model, self._method = kind, model, method
        self._amount, self._inputs, self._ramp = amount, inputs, max(1, int(steps * RAMP))
        self._masks = self._fresh(amount if method != "magnitude" else 0.0)
        pruning.impose(model, self._masks)

    def _fresh(self, amount: float) -> pruning.Masks:
        if self._method == "2:4":
            return pruning.two_of_four(self._kind, self._model, amount)
        if self._method == "wanda":
            return pruning.wanda(self._kind, self._model, amount, self._inputs)
        return pruning.magnitude(self._model, amount) if amount > 0 else {}

    def __call__(self, step: int) -> None:
        """After update number ``step``."""
        if self._method == "magnitude" and step <= self._ramp:
            left = 1 - step / self._ramp
            self._masks = self._fresh(self._amount * (1 - left**3))
        pruning.impose(self._model, self._masks)

    def settle(self) -> None:
        """Mask the weights that are kept once more: a resumed run knows no earlier mask."""
        if self._method == "magnitude":
            self._masks = self._fresh(self._amount)
        pruning.impose(self._model, self._masks)
