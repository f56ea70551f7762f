"""Masks: weights that stay zero through a training, under every optimiser."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.support.architectures import small, trained_looking
from winnow_contract.models.settings import resolve_settings
from winnow_trainer.architectures import Model
from winnow_trainer.compress.pruning.amounts import Scope, kept_weights
from winnow_trainer.compress.pruning.importance import prunable_weights
from winnow_trainer.compress.pruning.masks import held, masks_of, with_gone_first, zero_share
from winnow_trainer.task import DataKind
from winnow_trainer.training import Epoch, Part, TrainingPlan, train


class NoWatch:
    """Takes no note of anything."""

    def before_batch(self) -> None:
        """Never stops."""

    def after_epoch(self, epoch: Epoch) -> None:
        """Keeps nothing."""


def part() -> Part:
    random = torch.Generator().manual_seed(3)
    rows = torch.randn(64, 54, generator=random)
    return Part(rows, torch.randint(0, 3, (64,), generator=random))


def learn(model: Model, family: str = "MLP", **given: Any) -> None:
    settings = resolve_settings(family, {"epochs": 2, "batch_size": 16, **given})
    plan = TrainingPlan(DataKind.CLASSIFICATION, settings, "accuracy")
    train(model, (part(), part()), plan, torch.Generator().manual_seed(0), NoWatch())


def half(model: Model) -> dict[str, torch.Tensor]:
    scores = {name: weight.detach().abs() for name, weight in prunable_weights(model).items()}
    return kept_weights(scores, 0.5, Scope.LAYER)


@pytest.mark.parametrize(
    "given",
    [
        {"optimizer": "sgd", "weight_decay": 0.1},
        {"optimizer": "adam", "weight_decay": 0.1},
        {"optimizer": "adamw", "weight_decay": 0.1, "gradient_clip": 0.5},
        {"optimizer": "rmsprop", "keep": "best"},
    ],
    ids=lambda given: given["optimizer"],
)
def test_masked_weights_stay_zero_while_the_others_learn(given: dict[str, Any]) -> None:
    model = trained_looking(small("MLP"))
    masks = half(model)
    before = {name: weight.detach().clone() for name, weight in prunable_weights(model).items()}

    with held(model, masks):
        learn(model, **given)

    for name, weight in prunable_weights(model).items():
        assert torch.equal(weight[masks[name] == 0], torch.zeros(int((masks[name] == 0).sum())))
        assert not torch.equal(weight * masks[name], before[name] * masks[name])
    assert zero_share(masks_of(model)) == pytest.approx(0.5, abs=0.01)


def test_without_being_held_a_mask_is_lost() -> None:
    model = trained_looking(small("MLP"))
    with held(model, half(model)):
        pass

    learn(model)

    assert zero_share(masks_of(model)) < 0.2  # but for neurons that are dead anyway


def test_a_mask_of_ones_changes_no_bit_of_a_training() -> None:
    plain, free = trained_looking(small("CNN")), trained_looking(small("CNN"))

    learn(plain, "CNN")
    with held(free, masks_of(free)):
        learn(free, "CNN")

    states = plain.state_dict(), free.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_weights_that_are_gone_already_come_before_all_others() -> None:
    model = trained_looking(small("MLP", widths="4"))
    with torch.no_grad():
        model.get_parameter("body.1.weight")[0] = 0
    weights = prunable_weights(model)

    scores = with_gone_first({name: torch.rand(w.shape) for name, w in weights.items()}, model)
    masks = kept_weights(scores, 0.6, Scope.GLOBAL)

    assert not masks["body.1.weight"][0].any()
