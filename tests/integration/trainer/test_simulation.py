"""Models that compute as integers would: what is rounded, and when ranges move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.support.architectures import small, trained_looking
from winnow_trainer.architectures import Model, compute_layers
from winnow_trainer.compress.quantizing.folding import folded
from winnow_trainer.compress.quantizing.post_training import damages_of
from winnow_trainer.compress.quantizing.quantizer import Specs, calibrated, trained
from winnow_trainer.compress.quantizing.simulation import Simulation

ROWS = torch.randn(64, 54, generator=torch.Generator().manual_seed(5))


def model_of(family: str, **given: Any) -> Model:
    return folded(trained_looking(small(family, **given)), ROWS)


def simulated(model: Model, *layers: str, make: Callable[[], Specs] = calibrated) -> Simulation:
    made = Simulation(model, ROWS, layers or tuple(compute_layers(model)), make())
    made.calibrate(ROWS)
    return made


def ranges(simulation: Simulation) -> list[Tensor]:
    return [rounder.scale.clone() for rounder in simulation.rounders]


@torch.no_grad()
@pytest.mark.parametrize("family", ["MLP", "CNN", "ResNet", "Transformer"])
def test_it_is_near_the_model_and_rounds_every_layer(family: str) -> None:
    model = model_of(family)

    simulation = simulated(model)

    wanted = model(ROWS)
    error = (simulation(ROWS) - wanted).abs().max() / wanted.abs().max()
    assert 0 < error < 0.2
    assert list(simulation.layers) == [
        name for name in simulation.layers if name in compute_layers(model)
    ]
    assert len(simulation.layers) == len(compute_layers(model))
    for layer, rounders in simulation.layers.items():
        activation, weight = rounders
        outputs = len(model.get_submodule(layer).get_parameter("weight"))
        assert weight.scale.shape == (outputs,), "a scale for each output channel"
        assert activation.scale.numel() == 1


@torch.no_grad()
def test_rounded_for_no_layer_it_is_the_model_itself() -> None:
    model = model_of("ResNet")
    simulation = simulated(model)

    with simulation.rounded(()):
        torch.testing.assert_close(simulation(ROWS), model(ROWS))
    assert not torch.equal(simulation(ROWS), model(ROWS))


@torch.no_grad()
def test_weights_are_rounded_to_seven_bits() -> None:
    simulation = simulated(model_of("MLP"), "body.1")
    _, weight = simulation.layers["body.1"]

    whole = weight(simulation.get_parameter("graph.body.1.weight")) / weight.scale[:, None]

    torch.testing.assert_close(whole, whole.round(), rtol=0, atol=1e-4)
    assert whole.abs().max() == pytest.approx(64)
    assert len(whole.round().unique()) > 100


def test_layers_that_were_not_chosen_are_not_rounded() -> None:
    simulation = simulated(model_of("MLP"), "body.4")

    assert list(simulation.layers) == ["body.4"]
    # Input, weight, and the output of the ReLU, which the runtime would merge otherwise.
    assert len(simulation.rounders) == 3


def test_sums_of_a_resnet_are_integers_between_its_convolutions() -> None:
    model = model_of("ResNet")
    convolutions = [name for name in compute_layers(model) if "head" not in name]

    assert len(simulated(model, *convolutions).rounders) > 2 * len(convolutions)


@torch.no_grad()
def test_nothing_but_a_training_moves_ranges() -> None:
    simulation = simulated(model_of("MLP"), make=trained)
    before = ranges(simulation)

    simulation.eval()
    simulation(100 * ROWS)
    assert all(map(torch.equal, ranges(simulation), before))

    simulation.train()
    simulation(100 * ROWS)
    assert not all(map(torch.equal, ranges(simulation), before))


@torch.no_grad()
def test_ranges_stay_after_the_epochs_in_which_they_follow() -> None:
    model = model_of("MLP")
    simulation = Simulation(model, ROWS, tuple(compute_layers(model)), trained(), watched_epochs=1)
    simulation.calibrate(ROWS)

    simulation.train()
    simulation(10 * ROWS)
    before = ranges(simulation)
    simulation.eval()
    simulation.train()
    simulation(100 * ROWS)

    assert all(map(torch.equal, ranges(simulation), before))


def test_gradients_pass_by_what_is_rounded() -> None:
    simulation = simulated(model_of("CNN"), make=trained)
    simulation.train()

    simulation(ROWS).square().mean().backward()

    gradients = [p.grad for p in simulation.graph.parameters() if p.requires_grad]
    assert all(g is not None and torch.isfinite(g).all() for g in gradients)
    assert any(g is not None and g.abs().max() > 0 for g in gradients)


@torch.no_grad()
def test_a_layer_whose_weights_do_not_fit_into_integers_does_the_most_damage() -> None:
    model = model_of("MLP", norm="none")
    # One weight per channel on an input that is always the same: the others round to nothing.
    model.get_parameter("body.3.weight")[:, 0] = 1000
    model.get_parameter("body.1.weight")[0] = 0
    model.get_parameter("body.1.bias")[0] = -1

    damages = damages_of(simulated(model), ROWS)

    assert max(damages, key=damages.__getitem__) == "body.3"
    assert damages["body.3"] > 10 * max(v for name, v in damages.items() if name != "body.3")
