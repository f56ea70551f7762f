"""What is found to belong together in each family, and what is left alone."""

from __future__ import annotations

import pytest
import torch

from tests.support.architectures import dataset, planned, small, trained_looking
from winnow_trainer.architectures import output_layer
from winnow_trainer.compress.pruning.couplings import Coupling, find_couplings, member_of
from winnow_trainer.compress.pruning.slicing import cut

ROWS = torch.zeros(4, 54)


def couplings_of(family: str, **given: object) -> dict[str, Coupling]:
    model = trained_looking(small(family, **given))
    return {coupling.name: coupling for coupling in find_couplings(model, ROWS)}


def units(couplings: dict[str, Coupling]) -> dict[str, int]:
    return {name: coupling.units for name, coupling in couplings.items()}


def places(coupling: Coupling) -> set[tuple[str, int]]:
    return {(member.tensor, member.dim) for member in coupling.members}


def test_a_neuron_lies_in_its_row_its_norm_and_the_next_columns() -> None:
    found = couplings_of("MLP", widths="7-5", norm="batch")

    assert units(found) == {"body.1": 7, "body.4": 5}
    assert places(found["body.1"]) == {
        ("body.1.weight", 0),
        ("body.1.bias", 0),
        ("body.2.weight", 0),
        ("body.2.bias", 0),
        ("body.2.running_mean", 0),
        ("body.2.running_var", 0),
        ("body.4.weight", 1),
    }


def test_a_channel_that_is_flattened_lies_in_all_its_pixels() -> None:
    found = couplings_of("CNN", channels="3-4", norm="none")  # 9x6 is halved to 4x3, then to 2x1

    head = next(m for m in found["body.3"].members if m.dim == 1)
    assert units(found) == {"body.0": 3, "body.3": 4}
    assert head.positions.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_channels_that_a_resnet_adds_up_are_one_coupling_per_stage() -> None:
    found = couplings_of("ResNet", channels="8-16", blocks="2-1")

    assert units(found) == {
        "body.stem.0": 8,
        "body.stages.0.0.conv1": 8,
        "body.stages.0.1.conv1": 8,
        "body.stages.1.0.conv1": 16,
        "body.stages.1.0.conv2": 16,
    }
    assert {unit.unit for unit in found.values()} == {"channels"}
    stage = places(found["body.stages.1.0.conv2"])
    assert {("body.stages.1.0.shortcut.0.weight", 0), ("body.head.weight", 1)} <= stage


@pytest.mark.parametrize("summary", ["mean", "token"])
def test_a_transformer_loses_whole_heads_hidden_units_or_numbers_of_its_tokens(
    summary: str,
) -> None:
    found = couplings_of("Transformer", width=8, heads=2, depth=2, summary=summary)

    layers = [f"body.layers.{layer}" for layer in (0, 1)]
    assert units(found) == {
        "body.embed": 8,
        **{f"{layer}.attention.query": 2 for layer in layers},
        **{f"{layer}.expand": 16 for layer in layers},
    }
    heads = found["body.layers.1.attention.query"]
    assert heads.unit == "heads"
    assert places(heads) == {
        *((f"body.layers.1.attention.{name}.weight", 0) for name in ("query", "key", "value")),
        *((f"body.layers.1.attention.{name}.bias", 0) for name in ("query", "key", "value")),
        ("body.layers.1.attention.out.weight", 1),
    }
    assert heads.members[0].positions.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert ("body.positions.weight", 2) in places(found["body.embed"])
    assert ("body.class_token.weight", 2) in places(found["body.embed"]) or summary == "mean"


def test_a_transformer_over_the_columns_of_a_table_can_be_cut_too() -> None:
    architecture = planned("Transformer", dataset(5), width=8, heads=2, depth=1)
    model, rows = trained_looking(architecture), torch.randn(6, 5)

    found = find_couplings(model, rows)
    half = [torch.arange(coupling.units // 2) for coupling in found]
    smaller, _ = cut(model, architecture, found, half)

    assert [(coupling.name, coupling.units) for coupling in found] == [
        ("body.layers.0.attention.query", 2),
        ("body.layers.0.attention.out", 8),
        ("body.layers.0.expand", 32),
    ]
    assert ("body.embed.weight", 2) in places(found[1])
    assert smaller(rows).shape == (6, 3)


@pytest.mark.parametrize("family", ["MLP", "CNN", "ResNet", "Transformer"])
def test_outputs_are_never_cut_and_no_place_belongs_to_two(family: str) -> None:
    model = trained_looking(small(family))

    found = find_couplings(model, ROWS)

    listed = [place for coupling in found for place in places(coupling)]
    assert len(listed) == len(set(listed))
    assert member_of(found, f"{output_layer(model)}.weight", 0) is None
    assert member_of(found, f"{output_layer(model)}.weight", 1) is not None


def test_a_model_without_hidden_layers_has_nothing_to_cut() -> None:
    assert couplings_of("MLP", widths="", depth=0) == {}


def test_looking_for_couplings_changes_nothing() -> None:
    model = trained_looking(small("ResNet"))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    find_couplings(model, ROWS)

    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
