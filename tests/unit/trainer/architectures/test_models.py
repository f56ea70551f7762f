"""Models: shapes, sizes, standardisation, and that their description rebuilds them."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.architectures import GRAY, SMALL, dataset, planned, small
from tests.support.examples import examples
from winnow_contract.models.settings import FAMILIES, SETTINGS, SettingError
from winnow_trainer.architectures import Architecture, Model, Standardize, count_parameters
from winnow_trainer.data.dataset import Dataset, ImageShape, Layout


@pytest.mark.parametrize(
    ("given", "parameters"),
    [
        ({"depth": 0}, 5 * 3 + 3),
        ({"depth": 2, "width": 8}, (5 * 8 + 8) + (8 * 8 + 8) + (8 * 3 + 3)),
        ({"widths": "7-4"}, (5 * 7 + 7) + (7 * 4 + 4) + (4 * 3 + 3)),
        ({"widths": "7", "norm": "batch"}, (5 * 7 + 7) + 2 * 7 + (7 * 3 + 3)),
        ({"widths": "7", "norm": "layer", "dropout": 0.5}, (5 * 7 + 7) + 2 * 7 + (7 * 3 + 3)),
    ],
)
def test_an_mlp_has_the_parameters_that_its_sizes_give(
    given: dict[str, Any], parameters: int
) -> None:
    architecture = planned("MLP", dataset(5), **given)

    assert Model(architecture).parameter_count == parameters
    assert count_parameters(architecture) == parameters


@pytest.mark.parametrize(
    ("given", "parameters"),
    [
        # A 9x6 image is halved to 4x3, then to 2x1; a side of one is not halved again.
        ({"width": 4, "depth": 1}, (9 * 4 + 4) + (4 * 4 * 3 * 3 + 3)),
        ({"width": 4, "depth": 2}, (9 * 4 + 4) + (9 * 4 * 8 + 8) + (8 * 2 * 3 + 3)),
        ({"channels": "4-2", "pooling": "none"}, 40 + (9 * 4 * 2 + 2) + (2 * 54 * 3 + 3)),
        ({"channels": "2-2-2-2", "kernel": "1"}, 4 + 3 * 6 + (2 * 2 * 3 + 3)),
    ],
)
def test_a_cnn_has_the_parameters_that_its_sizes_give(
    given: dict[str, Any], parameters: int
) -> None:
    architecture = planned("CNN", dataset(54, image=GRAY), **given)

    assert Model(architecture).parameter_count == parameters


def word(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from(SETTINGS[name].words)


ANY = {"activation": word("activation"), "depth": st.integers(0, 3)}
NORM = {"norm": word("norm")}
CONVOLUTION = {"kernel": word("kernel"), "pooling": word("pooling")}
RESIDUAL = {"stem": word("stem"), "resize": st.sampled_from((0, 12))}
ATTENTION = {
    "heads": st.integers(1, 3),
    "feedforward": st.sampled_from((0.1, 1, 2.5)),
    "summary": word("summary"),
}
DATA = [
    dataset(*row_shape, image=image, classes=classes)
    for row_shape, image in [((54,), GRAY), ((2, 5, 4), ImageShape(5, 4, 2))]
    for classes in (0, 3)
]


CHOICES = {
    "MLP": ANY | NORM,
    "CNN": ANY | NORM | CONVOLUTION,
    "ResNet": ANY | NORM | RESIDUAL,
    "Transformer": ANY | ATTENTION,
}


@settings(max_examples=examples(1))
@given(
    st.one_of(
        [
            st.tuples(st.just(family), st.fixed_dictionaries(choices))
            for family, choices in CHOICES.items()
        ]
    ),
    st.sampled_from(DATA),
)
def test_every_architecture_gives_its_outputs_and_is_rebuilt_from_its_description(
    model_of: tuple[str, dict[str, Any]], data: Dataset
) -> None:
    family, given = model_of
    architecture = planned(family, data, **given, width=2)
    model = Model(architecture).eval()
    rows = torch.randn(3, *data.row_shape)

    again = Architecture.from_json(json.loads(json.dumps(architecture.to_json())))
    copy = Model(again).eval()
    copy.load_state_dict(model.state_dict())

    assert model(rows).shape == (3, len(data.classes) or 1)
    assert torch.equal(copy(rows), model(rows))


@pytest.mark.parametrize("family", ["CNN", "ResNet", "Transformer"])
def test_both_layouts_of_an_image_are_the_same_image(family: str) -> None:
    last = planned(family, dataset(54, image=ImageShape(3, 6, 3, Layout.HWC)), width=2)
    first = planned(family, dataset(3, 3, 6, image=ImageShape(3, 6, 3)), width=2)
    rows = torch.randn(4, 3, 6, 3)  # height, width, channels
    one, other = Model(last).eval(), Model(first).eval()
    other.load_state_dict(one.state_dict())

    torch.testing.assert_close(one(rows.reshape(4, 54)), other(rows.permute(0, 3, 1, 2)))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_is_answered_the_same_alone_and_among_others(family: str) -> None:
    torch.manual_seed(0)
    model = Model(small(family, dropout=0.5)).eval()
    rows = torch.randn(5, 54)

    together, alone = model(rows), torch.cat([model(row) for row in torch.split(rows, 1)])

    torch.testing.assert_close(alone, together)
    assert torch.equal(model(rows), together)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_learns(family: str) -> None:
    torch.manual_seed(0)
    model = Model(small(family))

    model(torch.randn(8, 54)).square().sum().backward()

    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    # A key's bias adds the same to all scores of a token, and softmax takes it away again.
    assert [name for name in still if not name.endswith("attention.key.bias")] == []


def test_there_is_a_small_model_of_every_family() -> None:
    assert tuple(SMALL) == FAMILIES


def test_standardisation_is_part_of_the_model() -> None:
    torch.manual_seed(0)
    rows = torch.randn(200, 3) * torch.tensor([1e-3, 1, 1e3]) + torch.tensor([5, 0, -1e4])
    layer = Standardize((3,))

    layer.fit(rows)

    torch.testing.assert_close(layer(rows).mean(0), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(layer(rows).std(0, correction=0), torch.ones(3), atol=1e-3, rtol=0)


def test_images_are_standardised_by_channel() -> None:
    rows = torch.stack([torch.full((4, 4), 3.0), torch.full((4, 4), 7.0)]).repeat(5, 1, 1, 1)
    rows[:, 1, ::2] = 9.0
    layer = Standardize((2, 1, 1))

    layer.fit(rows)

    assert layer.mean.flatten().tolist() == [3, 8]
    assert layer.scale.flatten().tolist() == [1, 1]


def test_a_column_that_never_changes_does_not_blow_up_later() -> None:
    layer = Standardize((1,))
    layer.fit(torch.full((7, 1), 0.1))

    assert layer(torch.tensor([[0.2]])).abs().item() < 1


def test_a_regression_answers_in_the_unit_of_its_target() -> None:
    model = Model(planned("MLP", dataset(2, classes=0))).eval()
    targets = torch.tensor([1e6, 1e6 + 10, 1e6 + 20])

    model.fit_scales(torch.randn(3, 2), targets)

    assert model(torch.randn(50, 2)).sub(1e6 + 10).abs().max() < 100


@pytest.mark.parametrize(
    ("shape", "data", "words"),
    [
        ("", dataset(54), "family CNN needs images, the data has rows of 54 numbers"),
        ("9x6", dataset(54), "setting shape is '9x6', allowed: HEIGHTxWIDTHxCHANNELS"),
        ("9x5x1", dataset(54), r"shape is 9x5x1 \(45 numbers\), the data has rows of 54 numbers"),
        ("6x9x1", dataset(54, image=GRAY), "is 6x9x1, the data has images of 9x6x1"),
    ],
)
def test_a_shape_that_does_not_fit_is_refused_with_a_sentence(
    shape: str, data: Dataset, words: str
) -> None:
    with pytest.raises(SettingError, match=words):
        planned("CNN", data, shape=shape)


def test_a_resnet_needs_images_too() -> None:
    with pytest.raises(SettingError, match="family ResNet needs images, the data has rows of 54"):
        planned("ResNet", dataset(54))


def test_a_table_can_hold_images() -> None:
    assert planned("CNN", dataset(54), shape="9x6x1").image == GRAY


def test_a_model_beyond_all_memory_is_counted_without_being_made() -> None:
    image = dataset(784, image=ImageShape(28, 28, 1, Layout.HWC))

    assert count_parameters(planned("CNN", image, depth=12)) > 1e11
    assert count_parameters(planned("CNN", image, depth=32)) == math.inf
