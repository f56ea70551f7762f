"""The step distill: student, twin and control, and what the report says of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.support.compression import source, step, workshop
from winnow_trainer.compress.distilling.distil import distil
from winnow_trainer.compress.pruning.importance import prunable_weights
from winnow_trainer.compress.pruning.prune import prune
from winnow_trainer.compress.workshop import Made, Work
from winnow_trainer.errors import TrialError
from winnow_trainer.task import DataKind

HALF = {"width": "0.5", "depth": "1"}


def options(**given: Any) -> dict[str, Any]:
    return step("distill", **{"epochs": 3, "learningRate": "0.005", **given})


def state(made: Work) -> list[torch.Tensor]:
    return list(made.model.state_dict().values())


def same(one: Work, other: Work) -> bool:
    return all(torch.equal(a, b) for a, b in zip(state(one), state(other), strict=True))


def test_at_alpha_0_the_student_is_its_twin_bit_by_bit() -> None:
    shop = workshop("MLP", dropout=0.2, norm="none")
    teacher = source("MLP", shop)

    taught = distil(teacher, teacher, {**options(student=HALF), "alpha": 0.0}, shop)
    plain = distil(teacher, teacher, options(student=HALF, transfer=["Parameters"]), shop)

    assert taught.report["twin_accuracy"] == taught.report["after_accuracy"]
    assert same(taught, plain)


def test_the_twin_is_what_a_plain_training_from_the_same_start_gives() -> None:
    shop = workshop("MLP")
    teacher = source("MLP", shop)

    made = distil(teacher, teacher, options(student=HALF, alpha="0.9"), shop)
    plain = distil(teacher, teacher, options(student=HALF, transfer=["Parameters"]), shop)

    assert made.report["twin_accuracy"] == plain.report["after_accuracy"]
    assert made.report["initial_accuracy"] == plain.report["initial_accuracy"]
    assert not same(made, plain)
    assert "twin_accuracy" not in plain.report


def test_without_parameters_the_student_starts_as_its_random_control() -> None:
    shop = workshop("MLP")
    teacher = source("MLP", shop)

    random = distil(teacher, teacher, options(student=HALF, transfer=["Outputs"]), shop)
    inherited = distil(teacher, teacher, options(student=HALF), shop)

    assert random.report["initial_accuracy"] == inherited.report["initial_random_accuracy"]
    assert "initial_random_accuracy" not in random.report


def test_without_a_student_the_model_of_the_chain_learns() -> None:
    shop = workshop("MLP")
    teacher = source("MLP", shop)
    given = step("prune", amount="0.6", epochs=1, learningRate="0.001")
    cut = prune(teacher, given, shop)

    made = distil(cut, teacher, options(), shop)

    assert made.architecture == cut.architecture
    assert made.report["initial_accuracy"] == cut.report["after_accuracy"]
    assert made.report["parameters"]["student"] == cut.model.parameter_count
    assert not same(made, cut)
    assert made.claims["smallerThanParent"] is False


def test_a_mask_of_the_chain_is_kept_while_it_learns() -> None:
    shop = workshop("MLP")
    teacher = source("MLP", shop)
    masked = prune(teacher, step("prune", unit="Weight", amount="0.6", epochs=1), shop)

    made = distil(masked, teacher, options(), shop)

    for name, weight in prunable_weights(masked.model).items():
        assert not made.model.get_parameter(name)[weight == 0].any()
    assert made.claims["masked"] is True


def test_a_student_may_have_settings_of_its_own() -> None:
    shop = workshop("MLP")
    teacher = source("MLP", shop)
    settings = [{"name": "widths", "value": "12-8"}]

    made = distil(teacher, teacher, options(student={"settings": settings}), shop)

    assert made.architecture.settings["widths"] == (12, 8)
    assert made.report["layers"] == [
        {"layer": f"body.{mine}", "from": f"body.{theirs}"}
        for mine, theirs in [(1, 1), (2, 2), (4, 4), (5, 5), (7, 10)]
    ]


def test_a_regression_is_distilled_too() -> None:
    shop = workshop("MLP", DataKind.REGRESSION, norm="none")
    teacher = source("MLP", shop)

    made = distil(teacher, teacher, options(student=HALF, epochs=5), shop)

    assert made.report["after_r2"] > 0.5
    assert made.report["initial_r2"] > made.report["initial_random_r2"]
    assert any("no temperature" in words for words in made.report["sentences"])


def test_teacher_and_chain_stay_as_they_are() -> None:
    shop = workshop("MLP")
    teacher = source("MLP", shop)
    before = [tensor.clone() for tensor in state(teacher)]

    distil(teacher, teacher, options(student=HALF), shop)
    distil(teacher, teacher, options(), shop)

    assert all(torch.equal(a, b) for a, b in zip(before, state(teacher), strict=True))


def test_the_same_step_gives_the_same_bits() -> None:
    shop = workshop("CNN")
    teacher = source("CNN", shop)

    first, again = (distil(teacher, teacher, options(student=HALF), shop) for _ in range(2))

    assert isinstance(first, Made)
    assert first.report == again.report
    assert same(first, again)


@pytest.mark.parametrize(
    ("family", "student", "words"),
    [
        (
            "MLP",
            {"settings": [{"name": "widths", "value": "64-64"}]},
            r"distill.student has [0-9]+ parameters, its teacher [0-9]+: make it smaller",
        ),
        (
            "MLP",
            {"settings": [{"name": "kernel", "value": "3"}]},
            "distill.student: setting 'kernel' does not shape a MLP",
        ),
        (
            "ResNet",
            {"settings": [{"name": "channels", "value": "4"}, {"name": "blocks", "value": "1"}]},
            "distill.student: .* as many stages",
        ),
    ],
)
def test_a_student_that_cannot_be_is_refused_with_a_sentence(
    family: str, student: dict[str, Any], words: str
) -> None:
    shop = workshop(family)
    teacher = source(family, shop)

    with pytest.raises(TrialError, match=words) as failure:
        distil(teacher, teacher, options(student=student), shop)

    assert failure.value.cause == "BadParameters"
