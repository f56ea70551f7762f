"""What a student learns: the teacher's share, the temperature, and nothing at alpha 0."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.support.architectures import dataset, planned, small, trained_looking
from tests.support.examples import examples
from winnow_contract.models.settings import resolve_settings
from winnow_trainer.architectures import Model
from winnow_trainer.compress.distilling.lessons import answers_of, lesson
from winnow_trainer.training import plain_loss

SETTINGS = resolve_settings("MLP", {"label_smoothing": 0.1})
ROWS = torch.tensor([5, 0, 3, 7])


def classes() -> tuple[Model, Tensor, Tensor]:
    features = torch.randn(8, 54, generator=torch.Generator().manual_seed(1))
    return trained_looking(small("MLP")), features, torch.arange(8) % 3


def values() -> tuple[Model, Tensor, Tensor]:
    features = torch.randn(8, 5, generator=torch.Generator().manual_seed(1))
    targets = features.sum(1) * 100 + 1000
    model = trained_looking(planned("MLP", dataset(5, classes=0)))
    model.fit_scales(features, targets)
    return model, features, targets


def gradient(model: Model, loss: Tensor) -> Tensor:
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])


@pytest.mark.parametrize("make", [classes, values])
def test_at_alpha_0_gradients_are_those_of_the_plain_loss_bit_by_bit(make: object) -> None:
    model, features, targets = make()  # type: ignore[operator] # one of the two above
    answers = torch.randn(8, 3 if model.rescale is None else 1)
    outputs = model(features[ROWS])
    learnt = lesson(model, SETTINGS, answers, temperature=3, alpha=0)(outputs, targets[ROWS], ROWS)
    plain = plain_loss(model, SETTINGS)(model(features[ROWS]), targets[ROWS])

    assert torch.equal(gradient(model, learnt), gradient(model, plain))


@pytest.mark.parametrize("make", [classes, values])
def test_at_alpha_1_a_student_that_answers_like_its_teacher_has_nothing_to_learn(
    make: object,
) -> None:
    model, features, targets = make()  # type: ignore[operator] # one of the two above
    answers = answers_of(model, features)

    loss = lesson(model, SETTINGS, answers, temperature=2, alpha=1)(
        model(features[ROWS]), targets[ROWS], ROWS
    )

    assert float(loss.detach()) == pytest.approx(0, abs=1e-5)
    assert gradient(model, loss).abs().max() < 1e-4


@settings(max_examples=examples(1.2))
@given(st.floats(0.5, 20), st.floats(0, 1))
def test_the_loss_is_the_formula(temperature: float, alpha: float) -> None:
    model, features, targets = classes()
    answers = torch.randn(8, 3, generator=torch.Generator().manual_seed(2))
    outputs = model(features[ROWS]).detach()

    loss = lesson(model, SETTINGS, answers, temperature=temperature, alpha=alpha)(
        outputs, targets[ROWS], ROWS
    )

    teacher = torch.softmax(answers[ROWS] / temperature, 1)
    student = torch.softmax(outputs / temperature, 1)
    divergence = (teacher * (teacher.log() - student.log())).sum(1).mean()
    hard = plain_loss(model, SETTINGS)(outputs, targets[ROWS])
    expected = (1 - alpha) * hard + alpha * temperature**2 * divergence
    torch.testing.assert_close(loss, expected, rtol=1e-3, atol=1e-4)


def test_the_size_of_the_teachers_gradient_hardly_depends_on_the_temperature() -> None:
    model, features, targets = classes()
    answers = torch.randn(8, 3, generator=torch.Generator().manual_seed(2))

    sizes = [
        gradient(
            model,
            lesson(model, SETTINGS, answers, temperature=t, alpha=1)(
                model(features), targets, torch.arange(8)
            ),
        ).norm()
        for t in (20, 100)
    ]

    assert float(sizes[0] / sizes[1]) == pytest.approx(1, rel=0.2)


def test_a_regression_is_taught_in_the_unit_of_the_targets_spread() -> None:
    model, features, targets = values()
    scale = targets.std(correction=0)
    outputs = model(features).detach()

    loss = lesson(model, SETTINGS, outputs + scale, temperature=9, alpha=1)(
        outputs, targets, torch.arange(8)
    )

    assert float(loss) == pytest.approx(1, rel=1e-3)
