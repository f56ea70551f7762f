"""A model that was cut is rebuilt from its description alone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from tests.support.architectures import dataset, planned, small, trained_looking
from winnow_contract.models.settings import FAMILIES
from winnow_trainer.architectures import (
    Architecture,
    Model,
    cut_architecture,
    resize,
    sizes_of,
)

CUTS: dict[str, dict[str, tuple[int, ...]]] = {
    "MLP": {"body.1": (20, 54), "body.2": (20,), "body.4": (16, 20)},
    "CNN": {"body.4": (5, 8), "body.5": (5,), "body.8": (8, 5)},
    "ResNet": {
        "body.stages.1.1.conv1": (3, 16),
        "body.stages.1.1.norm1": (3,),
        "body.stages.1.1.conv2": (16, 3),
    },
    "Transformer": {
        "body.layers.1.attention.query": (8, 32),
        "body.layers.1.attention.key": (8, 32),
        "body.layers.1.attention.value": (8, 32),
        "body.layers.1.attention.out": (32, 8),
        "body.layers.2.expand": (5, 32),
        "body.layers.2.contract": (32, 5),
    },
}
"""Sizes as a cut leaves them: what reads a layer has as many inputs as are left of it."""


@pytest.mark.parametrize("family", FAMILIES)
def test_a_cut_model_is_rebuilt_from_its_description(family: str) -> None:
    plain = small(family)
    cut = trained_looking(replace(plain, sizes=CUTS[family]))
    rows = torch.randn(4, 54)

    described = cut_architecture(plain, cut)
    again = Architecture.from_json(json.loads(json.dumps(described.to_json())))
    copy = Model(again).eval()
    copy.load_state_dict(cut.state_dict())

    assert described.sizes == CUTS[family]
    assert again == described
    assert cut.parameter_count < Model(plain).parameter_count
    assert torch.equal(copy(rows), cut(rows))


def test_a_model_is_cut_after_it_was_cut() -> None:
    once = replace(small("MLP"), sizes=CUTS["MLP"])
    twice = Model(once)
    resize(twice, {"body.4": (9, 20), "body.5": (9,), "body.7": (24, 9)})

    sizes = cut_architecture(once, twice).sizes

    assert sizes == {**CUTS["MLP"], "body.4": (9, 20), "body.5": (9,), "body.7": (24, 9)}


def test_learnt_vectors_are_cut_with_the_width_of_the_tokens() -> None:
    plain = small("Transformer", depth=0, width=8)
    narrow = small("Transformer", depth=0, width=5)
    model = Model(plain)
    resize(model, sizes_of(Model(narrow)))

    assert model(torch.randn(2, 54)).shape == (2, 3)
    assert cut_architecture(plain, model).sizes["body.positions"] == (1, 10, 5)


def test_the_vectors_of_columns_are_cut_with_the_width_of_the_tokens() -> None:
    plain, narrow = (planned("Transformer", dataset(7), depth=0, width=width) for width in (8, 5))
    model = Model(plain)
    resize(model, sizes_of(Model(narrow)))

    assert model(torch.randn(2, 7)).shape == (2, 3)
    assert cut_architecture(plain, model).sizes["body.embed"] == (1, 7, 5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_that_was_not_cut_has_no_sizes_of_its_own(family: str) -> None:
    architecture = small(family)

    assert cut_architecture(architecture, Model(architecture)) == architecture
    assert "sizes" not in architecture.to_json()


@pytest.mark.parametrize(
    ("name", "sizes"), [("body.99", (4, 4)), ("body", (4, 4)), ("body.1", (4,))]
)
def test_sizes_that_fit_no_module_are_refused(name: str, sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=f"sizes names {name} "):
        Model(replace(small("MLP"), sizes={name: sizes}))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_belongs_to_a_module_with_sizes(family: str) -> None:
    model = Model(small(family))

    owners = {name.rpartition(".")[0] for name, _ in model.named_parameters()}

    assert owners == set(sizes_of(model))
