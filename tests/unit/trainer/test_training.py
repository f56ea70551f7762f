"""The training loop: what it learns, repeats, keeps and gives up on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from winnow_contract.models.settings import resolve_settings
from winnow_contract.program import Stopping
from winnow_contract.rungbook import TrialStopped
from winnow_trainer.architectures import Model, plan
from winnow_trainer.data.dataset import Dataset
from winnow_trainer.determinism import make_deterministic, seed_everything
from winnow_trainer.errors import TrialError
from winnow_trainer.task import DataKind
from winnow_trainer.training import (
    Epoch,
    Part,
    Training,
    TrainingPlan,
    plain_loss,
    predict,
    train,
)

CLASSES, VALUES = DataKind.CLASSIFICATION, DataKind.REGRESSION


class Recorder:
    """A watch that keeps what it is told, and stops after some batches."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.epochs: list[Epoch] = []
        self.batches = 0
        self._stop_after = stop_after

    def before_batch(self) -> None:
        """Count, and stop when asked to."""
        if self.batches == self._stop_after:
            raise Stopping
        self.batches += 1

    def after_epoch(self, epoch: Epoch) -> None:
        """Keep."""
        self.epochs.append(epoch)


def rings(rows: int = 200) -> Dataset:
    random = np.random.Generator(np.random.PCG64(0))
    features = random.normal(size=(rows, 2)).astype(np.float32)
    targets = (np.square(features).sum(axis=1) > 1.4).astype(np.int64)
    return Dataset(features, targets, CLASSES, "", ("in", "out"))


def slope(rows: int = 200) -> Dataset:
    random = np.random.Generator(np.random.PCG64(0))
    features = (random.normal(size=(rows, 3)) * [1, 10, 100] + 50).astype(np.float32)
    targets = (features @ [5.0, 0.5, 0.05] + 1e4).astype(np.float32)
    return Dataset(features, targets, VALUES, "")


def run(
    dataset: Dataset, recorder: Recorder | None = None, seed: int = 1, **given: Any
) -> tuple[Model, Training, Recorder]:
    make_deterministic(1)
    recorder = recorder or Recorder()
    settings = resolve_settings("MLP", {"width": 16, "epochs": 5, "batch_size": 32, **given})
    random = seed_everything(seed)
    model = Model(plan("MLP", settings, dataset))
    features, targets = torch.from_numpy(dataset.features), torch.from_numpy(dataset.targets)
    model.fit_scales(features, targets)
    metric = "accuracy" if dataset.kind is CLASSES else "r2"
    parts = Part(features, targets), Part(features, targets)
    training = train(model, parts, TrainingPlan(dataset.kind, settings, metric), random, recorder)
    return model, training, recorder


def test_classes_are_learnt() -> None:
    _, training, recorder = run(rings(), epochs=20, learning_rate=0.02)

    assert recorder.epochs[-1].value > 0.95
    assert training.epochs == 20
    assert training.seconds == pytest.approx(training.epoch_seconds * 20)


def test_values_are_learnt_in_their_own_unit() -> None:
    dataset = slope()

    model, _, recorder = run(dataset, epochs=20, learning_rate=0.02)

    assert recorder.epochs[-1].value > 0.98
    outputs = predict(model, Part(torch.from_numpy(dataset.features), torch.zeros(200)))
    assert outputs.mean() == pytest.approx(dataset.targets.mean(), rel=0.01)


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    (first, *_), (again, *_), (other, *_) = (
        run(rings(), seed=seed, dropout=0.3, norm="batch", schedule="cosine") for seed in (1, 1, 2)
    )

    states = [model.state_dict() for model in (first, again, other)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["body.0.weight"], states[2]["body.0.weight"])


def test_every_row_is_seen_once_in_an_epoch_but_for_a_last_one_alone() -> None:
    _, _, whole = run(rings(64), batch_size=32, epochs=1)
    _, _, part = run(rings(70), batch_size=32, epochs=1)
    _, _, single = run(rings(65), batch_size=32, epochs=1, norm="batch")

    assert [recorder.batches for recorder in (whole, part, single)] == [2, 3, 2]


def test_the_best_epoch_can_be_kept() -> None:
    # A rate this high wanders, so the last epoch is not the best one.
    given: dict[str, Any] = {"learning_rate": 0.5, "optimizer": "sgd", "epochs": 12}
    dataset = rings()
    validation = Part(torch.from_numpy(dataset.features), torch.from_numpy(dataset.targets))

    model, _, recorder = run(dataset, keep="best", **given)
    accuracy = (predict(model, validation).argmax(axis=1) == dataset.targets).mean()

    values = [epoch.value for epoch in recorder.epochs]
    assert max(values) > values[-1]
    assert accuracy == max(values)


def test_a_loss_that_is_no_number_ends_the_trial() -> None:
    with pytest.raises(TrialError, match=r"the training loss is (nan|inf) in epoch") as failure:
        run(slope(), epochs=50, learning_rate=100, optimizer="sgd")

    assert failure.value.cause == "NaN"


def test_outputs_that_are_no_numbers_end_the_trial() -> None:
    model, *_ = run(rings(), epochs=1)
    part = Part(torch.full((1, 2), float("inf")), torch.zeros(1, dtype=torch.int64))

    with pytest.raises(TrialError, match="outputs are not finite"):
        predict(model, part)


def test_a_stop_ends_the_training_between_batches() -> None:
    recorder = Recorder(stop_after=9)

    with pytest.raises(Stopping):
        run(rings(), recorder)

    assert len(recorder.epochs) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"gradient_clip": 0.1},
        {"label_smoothing": 0.2},
        {"weight_decay": 1.0},
        {"warmup": 0.5},
        {"schedule": "onecycle"},
        {"momentum": 0.5, "optimizer": "rmsprop"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_every_setting_of_the_training_changes_what_is_learnt(given: dict[str, Any]) -> None:
    plain, *_ = run(rings(), epochs=1, optimizer=given.get("optimizer", "adamw"))
    changed, *_ = run(rings(), epochs=1, **given)

    assert not torch.equal(
        changed.state_dict()["body.0.weight"], plain.state_dict()["body.0.weight"]
    )


def test_a_lesson_is_told_its_rows_and_one_that_is_the_plain_loss_changes_no_bit() -> None:
    seen: list[torch.Tensor] = []

    def learn(*, plainly: bool) -> dict[str, torch.Tensor]:
        make_deterministic(1)
        dataset = rings(70)
        settings = resolve_settings("MLP", {"width": 16, "epochs": 2, "batch_size": 32})
        random = seed_everything(1)
        model = Model(plan("MLP", settings, dataset))
        part = Part(torch.from_numpy(dataset.features), torch.from_numpy(dataset.targets))
        loss = plain_loss(model, settings)

        def lesson(
            outputs: torch.Tensor, targets: torch.Tensor, rows: torch.Tensor
        ) -> torch.Tensor:
            seen.append(rows)
            assert torch.equal(targets, part.targets[rows])
            return loss(outputs, targets)

        taught = TrainingPlan(CLASSES, settings, "accuracy", None if plainly else lesson)
        train(model, (part, part), taught, random, Recorder())
        return model.state_dict()

    plain, taught = learn(plainly=True), learn(plainly=False)

    assert all(torch.equal(plain[name], taught[name]) for name in plain)
    assert sorted(torch.cat(seen[:3]).tolist()) == list(range(70))


def test_a_training_that_gets_no_better_ends_and_counts_the_epochs_that_it_had() -> None:
    _, training, recorder = run(rings(), epochs=40, learning_rate=0.02, patience=3)

    values = [epoch.value for epoch in recorder.epochs]
    assert training.epochs == len(values) < 40
    assert max(values[:-3]) >= max(values[-3:])
    assert training.epoch_seconds == pytest.approx(training.seconds / len(values))


def test_a_loss_that_runs_away_stops_the_trial() -> None:
    given: dict[str, Any] = {"epochs": 50, "learning_rate": 3, "optimizer": "sgd", "momentum": 0.99}

    with pytest.raises(
        TrialStopped, match=r"more than 2 times the .* \(setting divergence\)"
    ) as stop:
        run(slope(), divergence=2, **given)

    assert stop.value.cause == "Diverged"


def test_each_epoch_says_how_many_steps_there_were() -> None:
    _, _, recorder = run(rings(70), batch_size=32, epochs=3)

    assert [epoch.steps for epoch in recorder.epochs] == [3, 6, 9]
