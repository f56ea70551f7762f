"""What can be quantized or cut in a model, by name."""

from __future__ import annotations

import pytest
from torch import nn

from tests.support.architectures import small
from winnow_contract.models.settings import FAMILIES
from winnow_contract.steps.chains import layers_of
from winnow_trainer.architectures import LayerKind, Model, attentions, compute_layers, output_layer


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_the_kinds_of_layers_that_the_contract_says(family: str) -> None:
    layers = compute_layers(Model(small(family)))

    assert set(layers.values()) == set(layers_of(family))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_output_layer_has_an_output_for_each_class(family: str) -> None:
    model = Model(small(family))

    layer = model.get_submodule(output_layer(model))

    assert isinstance(layer, nn.Linear)
    assert layer.out_features == 3


def test_layers_come_in_the_order_of_the_model() -> None:
    model = Model(small("ResNet", channels="8", blocks="1"))

    assert compute_layers(model) == {
        "body.stem.0": LayerKind.CONVOLUTION,
        "body.stages.0.0.conv1": LayerKind.CONVOLUTION,
        "body.stages.0.0.conv2": LayerKind.CONVOLUTION,
        "body.head": LayerKind.LINEAR,
    }


def test_attentions_are_found_by_name() -> None:
    found = attentions(Model(small("Transformer")))

    assert list(found) == [f"body.layers.{layer}.attention" for layer in range(3)]
    assert {attention.heads for attention in found.values()} == {4}
