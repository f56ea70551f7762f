"""Searched nets as torch modules: shapes, rebuilding, equal functions, students."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.architectures import GRAY, dataset, planned, trained_looking
from tests.support.examples import examples
from winnow_contract.models.nets import CellNode, CnnNet, Stage
from winnow_contract.models.settings import SettingError
from winnow_trainer.architectures import (
    Architecture,
    Model,
    count_parameters,
    layer_map,
    sizes_of,
    student_of,
    student_with,
)
from winnow_trainer.architectures.cells import CellNetwork
from winnow_trainer.architectures.description import net_of
from winnow_trainer.architectures.mlp import SkipMlp

NETS = [
    ("MLP", "linear"),
    ("MLP", "16-32:tanh:batch-8:gelu"),
    ("MLP", "16-16+1-8-16+2 relu layer"),
    ("CNN", "conv3 | 8"),
    ("CNN", "max3 conv3@0 separable5+0 conv1@1+3 | 8 16/2 8/2"),
    ("CNN", "avg3 conv1+0 | 4/2 8"),
    ("Transformer", "16 | h2x32 h4x8"),
    ("Transformer", "12 | h3"),
]


def searched(family: str, net: str, **given: Any) -> Architecture:
    return planned(family, dataset(54, image=GRAY), architecture=net, **given)


@pytest.mark.parametrize(("family", "net"), NETS)
def test_a_searched_net_gives_its_outputs_and_is_rebuilt_from_its_description(
    family: str, net: str
) -> None:
    architecture = searched(family, net)
    model = trained_looking(architecture)
    rows = torch.randn(3, 54)

    again = Architecture.from_json(json.loads(json.dumps(architecture.to_json())))
    copy = Model(again).eval()
    copy.load_state_dict(model.state_dict())

    assert model(rows).shape == (3, 3)
    assert torch.equal(copy(rows), model(rows))
    owners = {name.rpartition(".")[0] for name, _ in model.named_parameters()}
    assert owners == set(sizes_of(model))


@pytest.mark.parametrize(
    ("family", "net", "parameters"),
    [
        ("MLP", "7-4", (54 * 7 + 7) + (7 * 4 + 4) + (4 * 3 + 3)),
        ("MLP", "7-7+1 relu batch", (54 * 7 + 7) + (7 * 7 + 7) + 2 * 2 * 7 + (7 * 3 + 3)),
        ("CNN", "conv3 max3 | 4", (9 * 4 + 4) + (9 * 4 * 4 + 4) + (4 * 3 + 3)),
        ("CNN", "separable3 | 4", (9 * 4 + 4) + 9 * 4 + (4 * 4 + 4) + (4 * 3 + 3)),
    ],
)
def test_a_searched_net_has_the_parameters_that_its_sizes_give(
    family: str, net: str, parameters: int
) -> None:
    assert count_parameters(searched(family, net)) == parameters


def test_a_net_like_its_settings_is_the_same_model() -> None:
    by_settings = planned("MLP", dataset(54, image=GRAY), widths="16-8", activation="tanh")
    by_net = searched("MLP", "16-8 tanh")
    one, other = trained_looking(by_settings), trained_looking(by_net)
    rows = torch.randn(3, 54)

    assert torch.equal(one(rows), other(rows))


def test_a_skip_adds_what_an_earlier_layer_has_given() -> None:
    model = trained_looking(searched("MLP", "8-8+1"))
    rows = torch.randn(3, 54)
    body = model.body
    assert isinstance(body, SkipMlp)
    first, second = body.layers
    features = model.standardize(model.rows(rows)).flatten(1)

    once = first(features)

    assert torch.equal(model(rows), body.head(second(once) + once))


@st.composite
def cells(draw: st.DrawFn) -> CnnNet:
    """Any cell, with nodes that may lead nowhere."""
    kinds = st.sampled_from([("conv", 1), ("conv", 3), ("max", 3), ("avg", 3), ("separable", 3)])
    nodes = []
    for place in range(draw(st.integers(1, 4))):
        earlier = st.integers(0, place)
        nodes.append(CellNode(*draw(kinds), draw(earlier), draw(st.none() | earlier)))
    return CnnNet(tuple(nodes), (Stage(4), Stage(4, 2)))


@settings(max_examples=examples(1))
@given(cells())
def test_a_cell_and_its_canonical_form_are_one_function(cell: CnnNet) -> None:
    architecture = searched("CNN", "conv3 | 4")
    images = torch.randn(2, 1, 9, 6)

    one, other = (
        alike(CellNetwork(architecture, (1, 1, 1), net)) for net in (cell, cell.canonical())
    )

    torch.testing.assert_close(one(images), other(images))


def alike(network: CellNetwork) -> CellNetwork:
    """With weights that depend on their shape alone, so that the order of nodes does not matter."""
    for parameter in network.parameters():
        random = torch.Generator().manual_seed(zlib.crc32(repr(parameter.shape).encode()))
        parameter.data.normal_(std=0.5, generator=random)
    return network.eval()


@pytest.mark.parametrize(
    ("family", "net", "width", "depth", "expected"),
    [
        ("MLP", "64-32:tanh-32:relu:batch+2-16", 0.5, 1, "32-16:tanh-16:relu:batch+2-8"),
        ("MLP", "64-64+1-64+2-64+1", 1, 0.5, "64-64"),
        ("MLP", "64-32-64+1", 1, 0.67, "64-32"),
        ("CNN", "max3 conv3@0+1 | 16 32/2", 0.5, 1, "max3 conv3@0+1 | 8 16/2"),
        ("CNN", "conv3 | 16 16 32/2 32", 1, 0.5, "conv3 | 16 32/2"),
        ("Transformer", "32 | h2x64 h4x32", 0.5, 1, "16 | h1x32 h2x16"),
        ("Transformer", "32 | h2x64 h4x32 h2x8", 1, 0.4, "32 | h2x64"),
    ],
)
def test_a_student_of_a_searched_net_is_smaller_and_starts_from_it(
    family: str, net: str, width: float, depth: float, expected: str
) -> None:
    teacher = searched(family, net)

    student = student_of(teacher, width, depth)

    assert student.settings["architecture"] == expected
    pairs = dict(layer_map(teacher, student))
    assert set(pairs) == set(sizes_of(Model(student))) - {"standardize", "rescale"}


def test_a_student_of_a_very_wide_net_is_one_that_can_be_written() -> None:
    """The setting `feedforward` gives its layers more units than a net can name."""
    student = student_of(searched("Transformer", "4096 | h4", feedforward=4), 0.5, 1)

    assert student.settings["architecture"] == "2048 | h2x4096"
    assert net_of(student.settings) is not None


def test_settings_that_a_net_replaces_are_refused_for_its_student() -> None:
    with pytest.raises(SettingError, match="setting width has no say in the searched net '16-8'"):
        student_with(searched("MLP", "16-8"), {"width": 4})


def test_a_student_may_have_a_net_of_its_own() -> None:
    student = student_with(searched("MLP", "16-8"), {"architecture": "8-4 gelu"})

    assert student.settings["architecture"] == "8-4 gelu"


def test_a_net_of_another_family_is_refused() -> None:
    with pytest.raises(SettingError, match="a net of family MLP, allowed are nets of family CNN"):
        searched("CNN", "16-8")
