"""The optimisers, held against torch.optim step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from winnow_contract.models.settings import resolve_settings
from winnow_trainer.optimizers import FlatParameters, make_optimizer

RATE = 0.05
Make = Callable[[Iterator[nn.Parameter]], torch.optim.Optimizer]


def network() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2))


def losses(model: nn.Module) -> Iterator[Tensor]:
    random = torch.Generator().manual_seed(4)
    for _ in range(12):
        rows = torch.randn(16, 5, generator=random)
        yield (model(rows) - rows[:, :2].sin()).square().mean()


def by_torch(make: Make) -> nn.Sequential:
    model = network()
    optimizer = make(model.parameters())
    for loss in losses(model):
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch gives it no types
        optimizer.step()
    return model


def by_winnow(**given: Any) -> nn.Sequential:
    model = network()
    parameters = FlatParameters(model)
    optimizer = make_optimizer(parameters, resolve_settings("MLP", given))
    for loss in losses(model):
        parameters.gradient.zero_()
        loss.backward()  # type: ignore[no-untyped-call] # torch gives it no types
        optimizer.step(RATE)
    return model


@pytest.mark.parametrize(
    ("settings", "make"),
    [
        (
            {"optimizer": "sgd", "momentum": 0},
            lambda p: torch.optim.SGD(p, RATE),
        ),
        (
            {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.1},
            lambda p: torch.optim.SGD(p, RATE, momentum=0.9, weight_decay=0.1),
        ),
        (
            {"optimizer": "adam", "weight_decay": 0.1},
            lambda p: torch.optim.Adam(p, RATE, weight_decay=0.1),
        ),
        (
            {"optimizer": "adamw", "weight_decay": 0.1},
            lambda p: torch.optim.AdamW(p, RATE, weight_decay=0.1),
        ),
        (
            {"optimizer": "rmsprop", "momentum": 0.5, "weight_decay": 0.01},
            lambda p: torch.optim.RMSprop(p, RATE, momentum=0.5, weight_decay=0.01),
        ),
    ],
    ids=["sgd", "sgd-momentum-decay", "adam", "adamw", "rmsprop"],
)
def test_an_optimiser_goes_where_that_of_torch_goes(settings: dict[str, Any], make: Make) -> None:
    ours, theirs = by_winnow(**settings), by_torch(make)

    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        # Rounding alone differs: one long tensor is added up in another order.
        torch.testing.assert_close(mine, other, rtol=2e-4, atol=2e-6)


def test_the_model_and_the_long_tensor_are_the_same_numbers() -> None:
    model = network()
    before = torch.cat([p.detach().reshape(-1).clone() for p in model.parameters()])

    parameters = FlatParameters(model)
    assert torch.equal(parameters.values, before)
    parameters.values.fill_(0.5)

    assert all(bool((parameter == 0.5).all()) for parameter in model.parameters())


@pytest.mark.parametrize("longest", [0.01, 1e6])
def test_a_gradient_is_clipped_as_torch_does(longest: float) -> None:
    ours, theirs = network(), network()
    parameters = FlatParameters(ours)
    next(losses(ours)).backward()  # type: ignore[no-untyped-call] # torch gives it no types
    next(losses(theirs)).backward()  # type: ignore[no-untyped-call] # torch gives it no types

    parameters.clip_gradient(longest)
    nn.utils.clip_grad_norm_(theirs.parameters(), longest)

    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad)
