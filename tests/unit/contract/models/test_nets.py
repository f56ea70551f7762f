"""Nets as text and as JSON, and their canonical form."""

from __future__ import annotations

import pytest

from winnow_contract.errors import SettingError
from winnow_contract.models.nets import (
    CellNode,
    CnnNet,
    Layer,
    MlpNet,
    Stage,
    net_from_json,
    read_net,
)


@pytest.mark.parametrize(
    "text",
    [
        "64-32-16",
        "64-32-16 relu",
        "64-32 tanh batch",
        "64:relu-64:tanh:batch+1-8:gelu",
        "linear",
        "conv3 | 16",
        "max3 conv3@0 separable5+0 conv1@1+3 | 16 32/2",
        "32 | h2x64 h4x64",
        "32 | h2 h4x16",
    ],
)
def test_a_net_reads_back_from_its_text_and_from_its_json(text: str) -> None:
    net = read_net(text)

    assert net.text == text
    assert net_from_json(net.to_json()) == net


def test_words_of_all_layers_are_written_once() -> None:
    net = MlpNet((Layer(64, "relu"), Layer(64, "relu", skip=1)))

    assert net.text == "64-64+1 relu"
    assert read_net("64:relu-64:relu+1") == net


def test_nodes_that_lead_nowhere_are_dropped() -> None:
    assert read_net("conv3 max3@0 avg3 conv5@1 | 8").text == "conv3 conv5 | 8"


def test_the_order_in_which_a_cell_is_written_does_not_matter() -> None:
    one = read_net("conv3 max3@0 conv5@1+2 | 8")
    other = read_net("max3 conv3@0 conv5@2+1 | 8")

    assert one == other


def test_what_is_worked_on_is_not_what_is_added() -> None:
    assert read_net("conv3 max3@0 conv5@1+2 | 8") != read_net("conv3 max3@0 conv5@2+1 | 8")


def test_a_cell_as_json_says_what_each_node_reads() -> None:
    net = CnnNet((CellNode("conv", 3, 0), CellNode("max", 3, 0, 1)), (Stage(16), Stage(32, 2)))

    assert net.to_json() == {
        "family": "CNN",
        "cell": [
            {"operation": "conv", "kernel": 3, "input": 0},
            {"operation": "max", "kernel": 3, "input": 0, "skip": 1},
        ],
        "stages": [{"width": 16, "stride": 1}, {"width": 32, "stride": 2}],
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has the layer ''"),
        ("64-", "has the layer ''"),
        ("64-0", "width 0, allowed are 1 to 4096"),
        ("9999", "width 9999"),
        ("64 sin", "has the words 'sin'"),
        ("64 batch relu", "has the words 'batch relu'"),
        ("64:relu-32 tanh", "of single layers and of all of them"),
        ("64+1", "adds layer 1 to layer 1"),
        ("64-32+1", "one of another width"),
        ("conv3 |", "lacks a part beside |"),
        ("| 16", "lacks a part beside |"),
        ("conv4 | 16", "node 'conv4'"),
        ("max1 | 16", "node 'max1'"),
        ("sin3 | 16", "node 'sin3'"),
        ("conv3@2 | 16", "node 1 of a cell reads node 2"),
        ("conv3+1 | 16", "node 1 of a cell reads node 1"),
        ("conv3 | 16/3", "stage '16/3'"),
        ("32 | x4", "layer 'x4'"),
        ("32 | h0", "layer 'h0'"),
        ("64-" * 90 + "64", "has 272 characters, allowed are at most 256"),
    ],
)
def test_a_text_that_is_no_net_is_refused_with_what_is_allowed(text: str, words: str) -> None:
    with pytest.raises(SettingError) as caught:
        read_net(text)

    assert words in str(caught.value)


def _cell(last: dict[str, object], width: object = 8) -> dict[str, object]:
    """A CNN whose second node is this one."""
    first = {"operation": "max", "kernel": 3, "input": 0}
    return {"family": "CNN", "cell": [first, last], "stages": [{"width": width, "stride": 1}]}


@pytest.mark.parametrize(
    "document",
    [
        {"family": "ResNet"},
        {"family": "MLP", "layers": [{"width": 0}]},
        {"family": "CNN", "cell": [{"operation": "conv", "kernel": 3, "input": 1}], "stages": []},
        _cell({"operation": "conv", "kernel": 3, "input": -1}),
        _cell({"operation": "conv", "kernel": 3, "input": 0, "skip": -2}),
        _cell({"operation": "conv", "kernel": "3", "input": 0}),
        _cell({"operation": "conv", "kernel": 3, "input": 0}, width="8"),
        {"family": "MLP", "layers": [{"width": "64"}]},
        {"family": "MLP", "layers": [{"width": 64}, {"width": 64, "skip": "1"}]},
        {"family": "Transformer", "width": "32", "layers": [{"heads": 2}]},
    ],
)
def test_json_that_is_no_net_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        net_from_json(document)
