"""Students that start from their teacher: which weights they get, and what that is worth."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.architectures import small, trained_looking
from tests.support.examples import examples
from winnow_contract.models.settings import FAMILIES, SettingError, resolve_settings
from winnow_trainer.architectures import Architecture, Model, sizes_of, student_of, student_with
from winnow_trainer.compress.distilling.students import Inheritance, inherit, random_student
from winnow_trainer.compress.pruning.couplings import find_couplings
from winnow_trainer.compress.pruning.importance import Evidence
from winnow_trainer.compress.pruning.slicing import cut
from winnow_trainer.training import Part, plain_loss

ROWS = torch.randn(40, 54, generator=torch.Generator().manual_seed(1))


def evidence(teacher: Model, family: str) -> Evidence:
    targets = teacher(ROWS).argmax(1)
    loss = plain_loss(teacher, resolve_settings(family, {}))
    return Evidence(Part(ROWS, targets), loss, torch.Generator().manual_seed(0))


def inherited(family: str, student: Architecture, **given: Any) -> tuple[Model, Inheritance]:
    architecture = small(family, **given)
    teacher = trained_looking(architecture)
    smaller = Model(student)
    return teacher, inherit((teacher, architecture), (smaller, student), evidence(teacher, family))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_student_as_large_as_its_teacher_answers_like_it(family: str) -> None:
    given = {"norm": "none"} if family != "Transformer" else {}

    teacher, got = inherited(family, small(family, **given), **given)

    assert got.left == ()
    torch.testing.assert_close(got.student(ROWS), teacher(ROWS))


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=examples(0.2))
@given(st.floats(0.1, 1), st.floats(0.1, 1))
def test_a_student_of_any_width_and_depth_gets_what_fits(
    family: str, width: float, depth: float
) -> None:
    student = student_of(small(family), width, depth)

    teacher, got = inherited(family, student)

    with_weights = set(sizes_of(got.student))
    assert set(got.taken) | set(got.left) == with_weights
    assert set(got.taken.values()) <= set(sizes_of(teacher))
    assert torch.isfinite(got.student(ROWS)).all()
    state = got.student.state_dict()
    assert torch.equal(state["standardize.mean"], teacher.state_dict()["standardize.mean"])


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=examples(0.2))
@given(st.floats(0.2, 0.9))
def test_a_narrower_student_gets_every_layer(family: str, width: float) -> None:
    _, got = inherited(family, student_of(small(family), width, 1))

    assert got.left == ()
    assert all(mine == theirs for mine, theirs in got.taken.items())


def test_the_most_important_neurons_are_taken_in_their_order() -> None:
    architecture = small("MLP", widths="6", norm="none")
    teacher = trained_looking(architecture)
    with torch.no_grad():  # nothing reads neurons 0, 2 and 3
        teacher.get_parameter("body.3.weight")[:, [0, 2, 3]] = 0
    student = student_with(architecture, {"widths": "3"})

    got = inherit((teacher, architecture), (Model(student), student), evidence(teacher, "MLP"))

    kept, state = [1, 4, 5], teacher.state_dict()
    mine = got.student.state_dict()
    assert torch.equal(mine["body.1.weight"], state["body.1.weight"][kept])
    assert torch.equal(mine["body.1.bias"], state["body.1.bias"][kept])
    assert torch.equal(mine["body.3.weight"], state["body.3.weight"][:, kept])
    torch.testing.assert_close(got.student(ROWS), teacher(ROWS))


def test_layers_are_taken_evenly_spaced_the_first_always() -> None:
    student = student_of(small("Transformer", depth=4), 1, 0.5)

    _, got = inherited("Transformer", student, depth=4)

    assert got.taken["body.layers.0.expand"] == "body.layers.0.expand"
    assert got.taken["body.layers.1.expand"] == "body.layers.2.expand"
    assert got.left == ()


def test_smaller_heads_see_products_as_large_as_those_of_the_teacher() -> None:
    architecture = small("Transformer", width=32, heads=2)
    teacher = trained_looking(architecture)
    student = student_with(architecture, {"width": 16, "heads": 2})

    got = inherit(
        (teacher, architecture), (Model(student), student), evidence(teacher, "Transformer")
    )

    name = "body.layers.0.attention.query.weight"
    mine, theirs = got.student.state_dict()[name], teacher.state_dict()[name]
    # Every other number of each head, some of the columns, all scaled alike.
    expected = theirs[::2] * math.sqrt(8 / 16)
    is_same = torch.isclose(expected.unsqueeze(2), mine.unsqueeze(1)).all(0)  # (theirs, mine)
    assert is_same.sum(0).tolist() == [1] * 16
    places = is_same.float().argmax(0)
    assert places.tolist() == sorted(places.tolist())


def test_a_layer_whose_sizes_do_not_allow_a_copy_stays_random_and_is_named() -> None:
    architecture = small("CNN", channels="4-8-8", norm="none")
    # With one block less the image that the last layer reads is four times as large.
    student = student_of(architecture, 1, 0.3)

    _, got = inherited("CNN", student, channels="4-8-8", norm="none")

    assert got.left == ("body.4",)
    assert set(got.taken) == {"body.0"}


def test_a_teacher_that_was_cut_hands_down_what_it_has_left() -> None:
    architecture = small("ResNet")
    teacher = trained_looking(architecture)
    couplings = find_couplings(teacher, ROWS)
    half = [torch.arange(coupling.units // 2) for coupling in couplings]
    smaller, cut_architecture = cut(teacher, architecture, couplings, half)
    smaller.eval()
    student = student_of(cut_architecture, 0.5, 1)

    got = inherit(
        (smaller, cut_architecture), (Model(student), student), evidence(smaller, "ResNet")
    )

    assert got.left == ()
    assert got.student.parameter_count < smaller.parameter_count


def test_another_number_of_stages_is_refused() -> None:
    student = student_with(small("ResNet"), {"channels": "8", "blocks": "1"})

    with pytest.raises(SettingError, match="as many stages"):
        inherited("ResNet", student)


def test_the_random_control_reads_rows_like_its_teacher_and_knows_nothing_else() -> None:
    architecture = small("MLP")
    teacher = trained_looking(architecture)
    torch.manual_seed(9)
    student = Model(architecture)
    before = copy.deepcopy(student.state_dict())

    control = random_student(teacher, student, ROWS)

    state = control.state_dict()
    assert torch.equal(state["standardize.scale"], teacher.state_dict()["standardize.scale"])
    assert torch.equal(state["body.1.weight"], before["body.1.weight"])
