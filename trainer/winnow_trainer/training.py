"""The training loop.

It reads top to bottom in `train`; everything around it (settings, data, artifact, result) is
somebody else's job.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from winnow_contract.models.settings import SettingValue
from winnow_contract.rungbook import TrialStopped
from winnow_measure.quality import HIGHER_IS_BETTER, Array, measure
from winnow_trainer.architectures import Rescale
from winnow_trainer.errors import TrialError
from winnow_trainer.optimizers import FlatParameters, make_optimizer
from winnow_trainer.schedules import rate_factor
from winnow_trainer.task import DataKind

Batches = Sequence[tuple[int, int]]
"""First row of each batch, and the row after its last."""
EVALUATION_ROWS = 4096
"""Rows of one forward pass outside of training; bounds its memory."""


@dataclass(frozen=True, slots=True)
class Part:
    """One split on the device."""

    features: Tensor
    """(rows, ...) float32"""
    targets: Tensor
    """(rows,) int64 class indices, or float32 values"""


Loss = Callable[[Tensor, Tensor], Tensor]
"""Loss of a batch, from outputs (rows, outputs) and targets (rows,)."""
RowLoss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""The same, told besides which rows of the training split (rows,) the batch holds."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What the loop needs besides model and data."""

    kind: DataKind
    settings: Mapping[str, SettingValue]
    watched_metric: str
    """Quality metric that is reported after each epoch, and that `keep: best` goes by."""
    lesson: RowLoss | None = None
    """What is learnt in place of `plain_loss`: a teacher's outputs, say."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """What is known after an epoch."""

    number: int
    count: int
    loss: float
    value: float
    """The watched metric on the validation split."""
    seconds: float
    steps: int = 0
    """Of the optimizer, since the training began."""


@dataclass(frozen=True, slots=True)
class Training:
    """What is known after the last one."""

    loss: float
    seconds: float
    epoch_seconds: float
    """Mean over the epochs, evaluation left out."""
    epochs: int


class Watch(Protocol):
    """Who follows a training."""

    def before_batch(self) -> None:
        """Raise Stopping if the training is to end now."""

    def after_epoch(self, epoch: Epoch) -> None:
        """Take note of an epoch."""


def train(
    model: nn.Module,
    data: tuple[Part, Part],
    plan: TrainingPlan,
    random: torch.Generator,
    watch: Watch,
) -> Training:
    """Train a model in place.

    Args:
        model: with fitted scales, on the device of the data.
        data: training and validation split.
        plan: settings and what is watched.
        random: orders the batches.
        watch: is told of every batch and epoch.

    Raises:
        TrialError: with cause NaN if the loss is not finite.
        TrialStopped: with cause Diverged if the loss has grown beyond the setting `divergence`.
        Stopping: when the watch says so.
    """
    training, validation = data
    settings = plan.settings
    epochs, batch_size = cast("int", settings["epochs"]), cast("int", settings["batch_size"])
    batches = list(_batches(len(training.targets), batch_size))
    stepper = _Stepper(model, plan, epochs * len(batches))
    best, best_weights, patience = -math.inf, None, _Patience(settings)
    seconds, loss_value, number = 0.0, math.nan, 0
    for number in range(1, epochs + 1):
        started = time.perf_counter()
        model.train()
        order = torch.randperm(len(training.targets), generator=random)
        loss_value = _run_epoch(stepper, training, order, batches, watch)
        if not math.isfinite(loss_value):
            raise TrialError("NaN", f"the training loss is {loss_value} in epoch {number}")
        patience.check_loss(loss_value, number)
        took = time.perf_counter() - started
        seconds += took
        value, _ = measure(
            plan.kind, plan.watched_metric, predict(model, validation), _targets(validation)
        )
        watch.after_epoch(Epoch(number, epochs, loss_value, value, took, number * len(batches)))
        score = value if plan.watched_metric in HIGHER_IS_BETTER else -value
        if settings["keep"] == "best" and score > best:
            best, best_weights = score, _copy(model)
        if patience.is_over(score, number):
            break
    if best_weights is not None:
        model.load_state_dict(best_weights)
    return Training(loss_value, seconds, seconds / number, number)


def _run_epoch(
    stepper: _Stepper, training: Part, order: Tensor, batches: Batches, watch: Watch
) -> float:
    """Learn from every batch once; gives the mean loss."""
    order = order.to(training.targets.device)
    total = torch.zeros((), device=training.targets.device)
    for start, end in batches:
        watch.before_batch()
        total += stepper.step(training, order[start:end]) * (end - start)
    return float(total) / batches[-1][1]  # the one wait for the device per epoch


def _batches(rows: int, size: int) -> Iterator[tuple[int, int]]:
    for start in range(0, rows, size):
        end = min(start + size, rows)
        # A last batch of one row has no spread to normalise by, and its gradient is mostly noise.
        if end - start > 1 or rows == 1 or size == 1:
            yield start, end


class _Patience:
    """Ends a training that gets no better, or whose loss runs away."""

    def __init__(self, settings: Mapping[str, SettingValue]) -> None:
        self._epochs = cast("int", settings["patience"])
        self._factor = cast("float", settings["divergence"])
        self._lowest = math.inf
        self._best = -math.inf
        self._best_epoch = 0

    def check_loss(self, loss: float, epoch: int) -> None:
        """Take note of the mean loss of an epoch, counted from 1.

        Raises:
            TrialStopped: if it is more than `divergence` times the lowest before.
        """
        if self._factor and loss > self._factor * self._lowest:
            raise TrialStopped(
                "Diverged",
                f"the training loss is {loss:.4g} in epoch {epoch}, more than {self._factor:g} times "
                f"the {self._lowest:.4g} that it had been at (setting divergence)",
            )
        self._lowest = min(self._lowest, loss)

    def is_over(self, score: float, epoch: int) -> bool:
        """Whether the score has not risen for `patience` epochs."""
        if score > self._best:
            self._best, self._best_epoch = score, epoch
        return 0 < self._epochs <= epoch - self._best_epoch


class _Stepper:
    """Makes one optimiser step after the other, at the rates that the schedule gives."""

    def __init__(self, model: nn.Module, plan: TrainingPlan, steps: int) -> None:
        self._model = model
        self._loss_of = plan.lesson or _without_rows(plain_loss(model, plan.settings))
        self._parameters = FlatParameters(model)
        self._optimizer = make_optimizer(self._parameters, plan.settings)
        self._settings = plan.settings
        self._steps = steps
        self._done = 0

    def step(self, training: Part, rows: Tensor) -> Tensor:
        """Learn from some rows; gives their loss before the step.

        Args:
            training: the split.
            rows: (batch,) indices of its rows.
        """
        self._parameters.gradient.zero_()
        features, targets = training.features[rows], training.targets[rows]
        loss = self._loss_of(self._model(features), targets, rows)
        loss.backward()  # type: ignore[no-untyped-call] # torch gives it no types
        if longest := cast("float", self._settings["gradient_clip"]):
            self._parameters.clip_gradient(longest)
        self._optimizer.step(self._rate())
        self._done += 1
        return loss.detach()

    def _rate(self) -> float:
        settings = self._settings
        schedule, warmup = str(settings["schedule"]), cast("float", settings["warmup"])
        highest = cast("float", settings["learning_rate"])
        return highest * rate_factor(schedule, warmup, self._done / self._steps)


def plain_loss(model: nn.Module, settings: Mapping[str, SettingValue]) -> Loss:
    """Cross-entropy, or for values the squared error in the unit of the target's spread.

    Args:
        model: whose `rescale`, if it has one, says that it gives values, and their spread.
        settings: of its training.
    """
    smoothing = cast("float", settings["label_smoothing"])
    rescale: Rescale | None = getattr(model, "rescale", None)
    if rescale is None:
        return lambda out, target: functional.cross_entropy(out, target, label_smoothing=smoothing)
    scale = rescale.scale
    return lambda out, target: functional.mse_loss(out[:, 0] / scale, target / scale)


def _without_rows(loss: Loss) -> RowLoss:
    return lambda outputs, targets, _: loss(outputs, targets)


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def _targets(part: Part) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    return cast("np.ndarray[tuple[int, ...], np.dtype[np.generic]]", part.targets.cpu().numpy())


def predict(model: nn.Module, part: Part) -> Array:
    """Outputs of a model for a split, in 64 bits.

    Raises:
        TrialError: with cause NaN if one is not finite.
    """
    model.eval()
    return outputs_of(model, part.features)


@torch.no_grad()
def outputs_of(run: Callable[[Tensor], Tensor], features: Tensor) -> Array:
    """Outputs of anything that takes rows, in 64 bits.

    Args:
        run: gives outputs (rows, outputs) of raw rows.
        features: (rows, ...) on the device of what is run.

    Raises:
        TrialError: with cause NaN if one is not finite.
    """
    pieces = [run(rows).double().cpu() for rows in torch.split(features, EVALUATION_ROWS)]
    outputs = torch.cat(pieces).numpy()
    if not np.isfinite(outputs).all():
        raise TrialError("NaN", "the model's outputs are not finite numbers")
    return cast("Array", outputs)
