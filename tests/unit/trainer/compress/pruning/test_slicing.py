"""Cut models: smaller in every tensor, the same function where it should be, rebuilt exactly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.support.architectures import small, trained_looking
from tests.support.examples import examples
from winnow_contract.models.settings import FAMILIES
from winnow_trainer.architectures import Architecture, Model, count_parameters
from winnow_trainer.compress.pruning.couplings import Coupling, find_couplings
from winnow_trainer.compress.pruning.slicing import cut, rebuilt

ROWS = torch.randn(5, 54, generator=torch.Generator().manual_seed(1))
EMBEDDING = "body.embed"
"""The one coupling that a layer norm mixes: leaving units out changes the others."""


@cache
def units_of(family: str) -> tuple[Coupling, ...]:
    """Of a small model; found once, because hypothesis asks often."""
    return find_couplings(trained_looking(small(family)), ROWS)


def chosen(draw: st.DataObject, couplings: Sequence[Coupling]) -> list[Tensor]:
    picked = [
        draw.draw(st.sets(st.integers(0, coupling.units - 1), min_size=1)) for coupling in couplings
    ]
    return [torch.tensor(sorted(units)) for units in picked]


def everything(coupling: Coupling) -> Tensor:
    return torch.arange(coupling.units)


def silence(model: Model, coupling: Coupling, kept: Tensor) -> None:
    """Let nothing read the units that go."""
    gone = [unit for unit in range(coupling.units) if unit not in kept.tolist()]
    for member in coupling.members:
        if member.is_reader:
            weight = model.state_dict()[member.tensor]
            weight[:, member.positions[gone].flatten()] = 0


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=examples(0.3))
@given(st.data())
def test_cutting_what_nothing_reads_changes_no_output(family: str, data: st.DataObject) -> None:
    architecture = small(family)
    model = trained_looking(architecture)
    couplings = units_of(family)
    kept = chosen(data, couplings)
    kept = [
        everything(coupling) if coupling.name == EMBEDDING else units
        for coupling, units in zip(couplings, kept, strict=True)
    ]
    for coupling, units in zip(couplings, kept, strict=True):
        silence(model, coupling, units)

    smaller, _ = cut(model, architecture, couplings, kept)

    torch.testing.assert_close(smaller.eval()(ROWS), model(ROWS), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=examples(0.3))
@given(st.data())
def test_a_cut_model_is_rebuilt_bit_by_bit_from_json_and_its_tensors(
    family: str, data: st.DataObject
) -> None:
    architecture = small(family)
    model = trained_looking(architecture)
    couplings = units_of(family)

    smaller, description = cut(model, architecture, couplings, chosen(data, couplings))
    again = Architecture.from_json(json.loads(json.dumps(description.to_json())))
    copy = rebuilt(again, smaller.state_dict(), torch.device("cpu"))

    assert torch.equal(copy.eval()(ROWS), smaller.eval()(ROWS))
    assert count_parameters(again) == smaller.parameter_count


@pytest.mark.parametrize("family", FAMILIES)
def test_half_of_all_units_leaves_about_a_quarter_of_the_inner_parameters(family: str) -> None:
    architecture = small(family)
    model = trained_looking(architecture)
    couplings = find_couplings(model, ROWS)
    half = [torch.arange(coupling.units // 2) for coupling in couplings]

    smaller, _ = cut(model, architecture, couplings, half)

    tensors = smaller.state_dict()
    for coupling in couplings:
        for member in coupling.members:
            whole = model.state_dict()[member.tensor].shape[member.dim]
            assert tensors[member.tensor].shape[member.dim] == whole // 2
    assert smaller.parameter_count < 0.5 * model.parameter_count


def test_a_cut_model_can_be_cut_again() -> None:
    architecture = small("ResNet")
    model = trained_looking(architecture)
    for _ in range(2):
        couplings = find_couplings(model, ROWS)
        half = [torch.arange(coupling.units // 2) for coupling in couplings]
        model, architecture = cut(model, architecture, couplings, half)

    again = Architecture.from_json(json.loads(json.dumps(architecture.to_json())))
    copy = rebuilt(again, model.state_dict(), torch.device("cpu"))

    assert [c.units for c in find_couplings(model, ROWS)][:2] == [2, 2]
    assert torch.equal(copy.eval()(ROWS), model.eval()(ROWS))


def test_the_model_that_is_cut_stays_as_it_is() -> None:
    architecture = small("MLP")
    model = trained_looking(architecture)
    before = model(ROWS)
    couplings = find_couplings(model, ROWS)

    cut(model, architecture, couplings, [torch.tensor([0])] * len(couplings))

    assert torch.equal(model(ROWS), before)
