"""What counts as important: sizes, effects on the loss, or chance."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.support.architectures import small, trained_looking
from winnow_contract.models.settings import FAMILIES, resolve_settings
from winnow_trainer.architectures import Model
from winnow_trainer.compress.pruning.couplings import find_couplings
from winnow_trainer.compress.pruning.importance import (
    Evidence,
    Importance,
    prunable_weights,
    unit_scores,
    weight_scores,
)
from winnow_trainer.training import Part, plain_loss

MAGNITUDE, TAYLOR, RANDOM = Importance
ROWS = torch.randn(48, 54, generator=torch.Generator().manual_seed(8))


def evidence(model: Model, family: str, seed: int = 0) -> Evidence:
    random = torch.Generator().manual_seed(5)
    rows = torch.randn(48, 54, generator=random)
    targets = torch.randint(0, 3, (48,), generator=random)
    loss = plain_loss(model, resolve_settings(family, {}))
    return Evidence(Part(rows, targets), loss, torch.Generator().manual_seed(seed))


def mlp() -> Model:
    return trained_looking(small("MLP", widths="6-5", norm="none"))


def test_the_magnitude_of_a_neuron_is_all_of_its_weights() -> None:
    model = mlp()
    couplings = find_couplings(model, torch.zeros(2, 54))

    scores = unit_scores(MAGNITUDE, model, couplings, evidence(model, "MLP"))

    first, second = model.get_parameter("body.1.weight"), model.get_parameter("body.3.weight")
    expected = first.square().sum(1) + second.square().sum(0)
    torch.testing.assert_close(scores[0], expected / expected.mean())


def test_taylor_foretells_how_far_the_outputs_move_without_a_neuron() -> None:
    model = trained_looking(small("MLP", widths="12", norm="none", activation="tanh"))
    with torch.no_grad():  # so little that the loss is nearly linear in what a neuron gives
        model.get_parameter("body.3.weight").mul_(0.02)
    seen = evidence(model, "MLP")
    couplings = find_couplings(model, seen.training.features)

    (scores,) = unit_scores(TAYLOR, model, couplings, seen)

    moved = []
    with torch.no_grad():
        whole = model(seen.training.features)
        for neuron in range(12):
            column = model.get_parameter("body.3.weight")[:, neuron]
            before = column.clone()
            column.zero_()
            moved.append((model(seen.training.features) - whole).square().mean())
            column.copy_(before)
    ranks = [values.argsort().argsort().double() for values in (scores, torch.stack(moved))]
    assert torch.corrcoef(torch.stack(ranks))[0, 1] > 0.7


def test_taylor_tells_neurons_apart_in_a_model_that_fits_its_targets_perfectly() -> None:
    model = trained_looking(small("MLP", widths="12", norm="none"))
    with torch.no_grad():
        for name in ("body.3.weight", "body.3.bias"):
            model.get_parameter(name).mul_(1000)  # as sure of its answers as 32 bits allow
    seen = evidence(model, "MLP")
    fitted = replace(seen, training=Part(ROWS, model(ROWS).argmax(1)))

    (scores,) = unit_scores(TAYLOR, model, find_couplings(model, ROWS), fitted)

    assert seen.loss(model(ROWS), fitted.training.targets).detach() < 1e-6
    assert len(set(scores.tolist())) > 8


def test_a_neuron_that_nothing_reads_has_no_taylor_importance() -> None:
    model = mlp()
    with torch.no_grad():
        model.get_parameter("body.3.weight")[:, 2] = 0
    couplings = find_couplings(model, torch.zeros(2, 54))

    scores = unit_scores(TAYLOR, model, couplings, evidence(model, "MLP"))

    assert scores[0][2] == 0
    assert (scores[0] > 0).sum() >= 4


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("importance", Importance)
def test_every_unit_and_weight_of_each_family_has_a_score(
    family: str, importance: Importance
) -> None:
    model = trained_looking(small(family))
    couplings = find_couplings(model, torch.zeros(2, 54))
    seen = evidence(model, family)

    by_unit = unit_scores(importance, model, couplings, seen)
    by_weight = weight_scores(importance, model, seen)

    assert [len(scores) for scores in by_unit] == [coupling.units for coupling in couplings]
    assert {n: s.shape for n, s in by_weight.items()} == {
        n: w.shape for n, w in prunable_weights(model).items()
    }
    assert all(torch.isfinite(scores).all() and (scores >= 0).all() for scores in by_unit)


@pytest.mark.parametrize("importance", Importance)
def test_scores_repeat_with_the_same_seed(importance: Importance) -> None:
    model = mlp()
    couplings = find_couplings(model, torch.zeros(2, 54))

    first, again = (
        unit_scores(importance, model, couplings, evidence(model, "MLP")) for _ in range(2)
    )

    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))


def test_random_follows_its_seed_and_nothing_else() -> None:
    model = mlp()
    couplings = find_couplings(model, torch.zeros(2, 54))

    one, other = (
        unit_scores(RANDOM, model, couplings, evidence(model, "MLP", seed))[0] for seed in (1, 2)
    )
    magnitude = unit_scores(MAGNITUDE, model, couplings, evidence(model, "MLP"))[0]

    assert not torch.equal(one, other)
    assert one.argsort().tolist() != magnitude.argsort().tolist()


def test_importance_leaves_the_model_and_its_gradients_alone() -> None:
    model = trained_looking(small("CNN", norm="batch"))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    weight_scores(TAYLOR, model, evidence(model, "CNN"))

    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_biases_and_normalisations_are_not_masked() -> None:
    model = trained_looking(small("Transformer"))

    names = set(prunable_weights(model))

    kinds = {type(model.get_submodule(name.removesuffix(".weight"))) for name in names}
    assert kinds == {nn.Linear}
    assert "body.head.weight" in names
