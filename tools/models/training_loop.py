"""One training loop for every operation: data parallel, resumable at a step, early stopping.

The batch of a step depends on (seed, epoch) alone and random layers on (seed, step, rank), so a
run that was killed and resumed walks the same path as one that was not. With several processes
each takes every n-th example of the *global* batch, and gradients are summed over it exactly: the
result is that of one process up to rounding (and batch normalisation's own statistics).
"""

# pyright: reportUnknownMemberType=false
# torch's own annotations leave members untyped.
from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import Cancelled
from tools.models import checkpoints
from tools.models.checkpoints import Progress
from tools.models.job_failures import TrainingFailed
from tools.models.job_tracker import Tracker
from tools.models.learning_rate import rate
from tools.models.torch_runtime import data_parallel, device_of, predict

if TYPE_CHECKING:
    import numpy as np
    import torch

    from tools.models.kind_runtime import Kind


@dataclass(frozen=True)
class Examples:
    """What is learnt from; ``extra`` (a teacher's outputs) is cut into batches alongside."""

    inputs: np.ndarray
    targets: np.ndarray
    extra: np.ndarray | None = None


Loss = Callable[["torch.Tensor", "torch.Tensor", "torch.Tensor | None"], "torch.Tensor"]


class Fit:
    """Trains ``model`` in place and leaves it with the weights that validated best.

    ``after_step(step)`` runs after each update; epochs before ``judge_from`` cannot be best.
    """

    def __init__(
        self,
        kind: Kind,
        model: torch.nn.Module,
        training: Mapping[str, Any],
        tracker: Tracker,
        *,
        world: int = 1,
        loss: Loss | None = None,
        checkpoint: Path | None = None,
        after_step: Callable[[int], None] | None = None,
        judge_from: int = 0,
    ) -> None:
        self.kind = kind
        self.model = model
        self.training = training
        self.tracker = tracker
        self.world = world
        self.progress = Progress()
        self._loss: Loss = loss or self._own_loss
        self._checkpoint = checkpoint
        self._after_step = after_step
        self._judge_from = judge_from
        self._device = device_of(training, tracker.rank)

    def run(
        self,
        examples: Examples,
        validation: Examples,
        report: Callable[[int, float], None] | None = None,
    ) -> Progress:
        """Train to the last epoch or until validation stops improving.

        ``report(epoch, score)`` after each epoch may raise to stop the run (a pruned trial).

        Raises:
            TrainingFailed: the loss is not finite.
            Cancelled: a person asked to stop.
        """
        import torch

        self.model.to(self._device)
        wrapped = data_parallel(self.model, self._device) if self.world > 1 else self.model
        optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=float(self.training["lr"]),
            weight_decay=float(self.training["weight_decay"]),
        )
        self._resume(optimizer)
        batches = math.ceil(len(examples.inputs) / int(self.training["batch_size"]))
        total = batches * int(self.training["epochs"])
        self.tracker.begin(self.progress.step, total)
        while self.progress.step < total:
            epoch = self.progress.step // batches
            self._epoch(wrapped, optimizer, examples, epoch, batches, total)
            score, validation_loss = self._validate(validation)
            self._judge(epoch, score, validation_loss)
            self._save(optimizer)
            self.tracker.step(
                self.progress.step, total, validation_loss, force=True, epoch=epoch, accuracy=score
            )
            if report is not None:
                report(epoch, score)
            if self._tired(epoch):
                self.tracker.event("stopped_early", epoch=epoch, best=self.progress.best_epoch)
                break
        self.tracker.phase("finish", self.progress.step)
        self.model.load_state_dict(self.progress.best)
        return self.progress

    def _tired(self, epoch: int) -> bool:
        # Epochs that cannot be best are no reason to stop: nothing would have been kept.
        since = max(self.progress.best_epoch, self._judge_from)
        return 0 < int(self.training["patience"]) <= epoch - since

    def _own_loss(
        self, outputs: torch.Tensor, targets: torch.Tensor, _extra: object
    ) -> torch.Tensor:
        return self.kind.loss(outputs, targets)

    def _epoch(
        self,
        wrapped: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        examples: Examples,
        epoch: int,
        batches: int,
        total: int,
    ) -> None:
        import numpy as np

        wrapped.train()
        seed, size = int(self.training["seed"]), int(self.training["batch_size"])
        order = np.random.default_rng([seed, epoch]).permutation(len(examples.inputs))
        for index in range(self.progress.step % batches, batches):
            self.tracker.phase("load", self.progress.step + 1)
            chosen = order[index * size : (index + 1) * size]
            loss = self._step(wrapped, optimizer, examples, chosen, total)
            self.progress.step += 1
            self.tracker.step(self.progress.step, total, loss)

    def _step(
        self,
        wrapped: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        examples: Examples,
        chosen: np.ndarray,
        total: int,
    ) -> float:
        import torch

        mine = chosen[self.tracker.rank :: self.world]
        inputs, targets, extra = self._batch(examples, mine)
        step = self.progress.step
        self.tracker.phase("compute", step + 1)
        torch.manual_seed(hash((int(self.training["seed"]), step, self.tracker.rank)) & 0xFFFFFFFF)
        for group in optimizer.param_groups:
            group["lr"] = float(self.training["lr"]) * rate(
                str(self.training["schedule"]), step, total
            )
        optimizer.zero_grad(set_to_none=True)
        # Gradients are averaged over processes; weighting by the share makes that the global mean.
        share = len(mine) * self.world / len(chosen)
        with self._lower():
            loss = self._loss(wrapped(inputs), targets, extra) * share
        loss.backward()
        seen, stop = self._agree(float(loss.detach()), self.tracker.wants_stop())
        if not math.isfinite(seen):
            raise TrainingFailed(f"NaN loss at step {step + 1}: lower lr or check the data")
        if stop:
            raise Cancelled("The job was cancelled.", "任务已取消。")
        optimizer.step()
        if self._after_step is not None:
            self._after_step(step + 1)
        return seen

    def _lower(self) -> torch.autocast:
        """bfloat16 products where ``precision`` says so; weights and updates stay fp32."""
        import torch

        wanted = self.training.get("precision", "fp32") == "bf16"
        return torch.autocast(self._device.type, torch.bfloat16, enabled=wanted)

    def _batch(
        self, examples: Examples, mine: np.ndarray
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        import torch

        def here(part: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(part[mine]).to(self._device)

        extra = None if examples.extra is None else here(examples.extra)
        return here(examples.inputs), here(examples.targets), extra

    def _agree(self, loss: float, stop: bool) -> tuple[float, bool]:
        """The global loss, and whether any process wants to stop: all of them act alike."""
        if self.world == 1:
            return loss, stop
        import torch

        both = torch.tensor([loss / self.world, float(stop)], device=self._device)
        torch.distributed.all_reduce(both)
        return float(both[0]), bool(both[1] > 0)

    def _validate(self, validation: Examples) -> tuple[float, float]:
        """Score and loss on validation data, computed by rank 0 and told to all."""
        import torch

        found = torch.zeros(2, device=self._device)
        if self.tracker.rank == 0:
            outputs = predict(self.model, validation.inputs, self._device)
            targets = torch.from_numpy(validation.targets)
            loss = float(self.kind.loss(torch.from_numpy(outputs), targets))
            score = float(self.kind.score(outputs, validation.targets).mean())
            found = torch.tensor([score, loss], device=self._device)
        if self.world > 1:
            torch.distributed.broadcast(found, 0)
        return float(found[0]), float(found[1])

    def _judge(self, epoch: int, score: float, loss: float) -> None:
        now = self.progress
        if epoch < self._judge_from:
            return
        better = score > now.best_score or (score == now.best_score and loss < now.best_loss)
        if better or not now.best:
            now.best_score, now.best_loss, now.best_epoch = score, loss, epoch
            now.best = {k: v.detach().cpu().clone() for k, v in self.model.state_dict().items()}

    def _save(self, optimizer: torch.optim.Optimizer) -> None:
        if self._checkpoint is not None and self.tracker.rank == 0:
            checkpoints.save(self._checkpoint, self.model, optimizer, self.progress)
            self.tracker.event("checkpoint", step=self.progress.step)

    def _resume(self, optimizer: torch.optim.Optimizer) -> None:
        if self._checkpoint is not None and self._checkpoint.exists():
            self.progress = checkpoints.resume(
                self._checkpoint, self.model, optimizer, self._device
            )
