"""Students: how small they are, and which of the teacher's layers they start from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.architectures import GRAY, dataset, planned, small
from tests.support.examples import examples
from winnow_contract.models.settings import FAMILIES, SettingError
from winnow_trainer.architectures import (
    Architecture,
    Model,
    count_parameters,
    layer_map,
    sizes_of,
    student_of,
    student_with,
)
from winnow_trainer.architectures.students import evenly

SHARES = st.floats(0.01, 1)


@settings(max_examples=examples(1))
@given(st.sampled_from(FAMILIES), SHARES, SHARES)
def test_a_student_fits_into_its_teacher_and_can_be_built(
    family: str, width: float, depth: float
) -> None:
    teacher = small(family)

    student = student_of(teacher, width, depth)

    assert Model(student).eval()(torch.zeros(2, 54)).shape == (2, 3)
    if family != "CNN":  # with fewer blocks the image that its last layer reads is larger
        assert count_parameters(student) <= count_parameters(teacher)
    again = Architecture.from_json(student.to_json())
    assert count_parameters(again) == count_parameters(student)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_student_of_full_width_and_depth_is_the_teacher(family: str) -> None:
    assert student_of(small(family), 1, 1) == small(family)


@pytest.mark.parametrize(
    ("family", "given", "width", "depth", "expected"),
    [
        ("MLP", {"widths": "512-512"}, 0.5, 1, {"widths": (256, 256)}),
        ("MLP", {"widths": "100-50-30-8"}, 0.5, 0.5, {"widths": (48, 16), "depth": 2}),
        ("MLP", {"widths": "", "depth": 3, "width": 20}, 0.1, 0.3, {"widths": (2,), "depth": 1}),
        ("CNN", {"channels": "16-32-64"}, 0.25, 1, {"channels": (4, 8, 16)}),
        (
            "ResNet",
            {"width": 64, "channels": "", "blocks": ""},
            0.25,
            0.5,
            {"channels": (16, 32, 64, 128), "blocks": (1, 1, 1, 1)},
        ),
        ("ResNet", {"channels": "8-16", "blocks": "3-4"}, 1, 0.5, {"blocks": (2, 2)}),
        (
            "Transformer",
            {"width": 256, "depth": 4},
            0.5,
            0.5,
            {"width": 128, "heads": 2, "depth": 2, "feedforward": 2.0},
        ),
        ("Transformer", {"width": 256}, 0.1, 1, {"width": 24, "heads": 1}),
    ],
)
def test_widths_are_scaled_in_eights_and_layers_in_ones(
    family: str, given: dict[str, Any], width: float, depth: float, expected: dict[str, Any]
) -> None:
    student = student_of(small(family, **given), width, depth)

    assert {name: student.settings[name] for name in expected} == expected


def test_the_student_of_a_cut_teacher_is_a_share_of_what_is_left() -> None:
    mlp = replace(small("MLP"), sizes={"body.1": (16, 54), "body.2": (16,), "body.4": (16, 16)})
    encoder = small("Transformer", depth=1, width=64, feedforward=4)
    encoder = replace(
        encoder, sizes={"body.layers.0.expand": (64, 64), "body.layers.0.contract": (64, 64)}
    )

    assert student_of(mlp, 0.5, 1).settings["widths"] == (8, 8, 16)
    assert student_of(encoder, 0.5, 1).settings["feedforward"] == 1
    assert student_of(mlp, 1, 1).settings["widths"] == (16, 16, 24)
    assert student_of(mlp, 1, 1).sizes == {}


@pytest.mark.parametrize(("width", "depth", "name"), [(0, 1, "width"), (1, 1.5, "depth")])
def test_a_share_out_of_range_is_refused(width: float, depth: float, name: str) -> None:
    with pytest.raises(SettingError, match=f"student.{name} is .*, allowed are shares"):
        student_of(small("MLP"), width, depth)


@pytest.mark.parametrize(
    ("family", "given", "expected"),
    [
        ("MLP", {"width": 8}, {"widths": (8, 8, 8)}),
        ("MLP", {"depth": "1"}, {"widths": (32,)}),
        ("MLP", {"depth": 0}, {"widths": (), "depth": 0}),
        ("CNN", {"width": 2, "depth": 2}, {"channels": (2, 4)}),
        ("ResNet", {"width": 4}, {"channels": (4, 8), "blocks": (2, 3)}),
        ("ResNet", {"depth": 1}, {"channels": (8, 16), "blocks": (1, 1)}),
        ("Transformer", {"width": 16, "heads": 2}, {"width": 16, "heads": 2, "depth": 3}),
    ],
)
def test_settings_of_its_own_replace_what_the_teacher_lists(
    family: str, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    student = student_with(small(family), given)

    assert {name: student.settings[name] for name in expected} == expected
    assert Model(student).eval()(torch.zeros(2, 54)).shape == (2, 3)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"epochs": 3}, "setting 'epochs' does not shape a ResNet, allowed for a student: depth"),
        ({"heads": 3}, "setting 'heads' does not shape a ResNet"),
        ({"stem": "tiny"}, "setting stem is 'tiny', allowed: small, large"),
        ({"blocks": "1-1-1"}, "setting channels names 2 stages and setting blocks 3"),
    ],
)
def test_a_student_with_impossible_settings_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        student_with(small("ResNet"), given)


@pytest.mark.parametrize(
    ("count", "kept", "places"), [(4, 2, [0, 2]), (5, 3, [0, 1, 3]), (3, 1, [0]), (0, 0, [])]
)
def test_kept_layers_are_evenly_spaced_and_the_first_is_among_them(
    count: int, kept: int, places: list[int]
) -> None:
    assert evenly(count, kept) == places


@given(st.integers(1, 40), st.data())
def test_kept_layers_are_different_ones_in_their_order(count: int, data: st.DataObject) -> None:
    kept = data.draw(st.integers(1, count))

    places = evenly(count, kept)

    assert places == sorted(set(places))
    assert places[0] == 0
    assert places[-1] < count
    assert len(places) == kept


@pytest.mark.parametrize("family", FAMILIES)
def test_the_student_that_is_the_teacher_starts_from_each_of_its_layers(family: str) -> None:
    teacher = small(family)

    pairs = layer_map(teacher, teacher)

    assert pairs == [(name, name) for name in sizes_of(Model(teacher))]


def test_a_shallow_student_starts_from_every_second_layer() -> None:
    teacher = planned("Transformer", dataset(54, image=GRAY), depth=4, width=16)

    pairs = dict(layer_map(teacher, student_of(teacher, 1, 0.5)))

    assert pairs["body.layers.0.attention.query"] == "body.layers.0.attention.query"
    assert pairs["body.layers.1.expand"] == "body.layers.2.expand"
    assert pairs["body.head"] == "body.head"
    assert "body.layers.2.expand" not in pairs


@pytest.mark.parametrize("family", FAMILIES)
def test_every_layer_of_a_student_starts_from_one_of_its_kind(family: str) -> None:
    teacher = small(family)
    student = student_of(teacher, 0.5, 0.4)

    pairs = layer_map(teacher, student)

    ours, theirs = Model(student), Model(teacher)
    assert [name for name, _ in pairs] == list(sizes_of(ours))
    for name, other in pairs:
        assert type(ours.get_submodule(name)) is type(theirs.get_submodule(other))


def test_the_output_of_a_shallow_mlp_starts_from_the_output_of_its_teacher() -> None:
    teacher = small("MLP", norm="none", widths="8-8-8")

    pairs = layer_map(teacher, student_of(teacher, 1, 0.4))

    assert pairs == [("body.1", "body.1"), ("body.3", "body.7")]


def test_a_student_of_another_family_is_refused() -> None:
    with pytest.raises(SettingError, match="a CNN of 2 parts cannot start from a MLP of 2"):
        layer_map(small("MLP"), small("CNN"))
    with pytest.raises(SettingError, match="and a ResNet of as many stages"):
        layer_map(small("ResNet"), small("ResNet", channels="8-8-8", blocks=""))
