"""Batch norms folded away: the same function with fewer layers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tests.support.architectures import small, trained_looking
from winnow_trainer.compress.pruning.masks import masks_of
from winnow_trainer.compress.quantizing.folding import folded

ROWS = torch.randn(16, 54, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize(
    ("family", "given"),
    [
        ("MLP", {"norm": "batch", "dropout": 0.3}),
        ("CNN", {"norm": "batch", "dropout": 0.3}),
        ("ResNet", {"norm": "batch"}),
        ("ResNet", {"norm": "batch", "stem": "large", "blocks": "1-1"}),
        ("MLP", {"norm": "layer"}),
        ("CNN", {"norm": "none"}),
        ("Transformer", {"dropout": 0.1}),
    ],
)
def test_it_computes_the_same_without_batch_norms_and_dropout(
    family: str, given: dict[str, Any]
) -> None:
    model = trained_looking(small(family, **given))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    made = folded(model, ROWS)

    with torch.no_grad():
        torch.testing.assert_close(made(ROWS), model(ROWS), rtol=1e-4, atol=1e-4)
    gone = (nn.BatchNorm1d, nn.BatchNorm2d, nn.Dropout)
    assert not [module for module in made.modules() if isinstance(module, gone)]
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_weight_that_was_pruned_is_still_zero() -> None:
    model = trained_looking(small("MLP", norm="batch"))
    with torch.no_grad():
        model.get_parameter("body.1.weight")[:, ::2] = 0

    made = folded(model, ROWS)

    assert not masks_of(made)["body.1.weight"][:, ::2].any()
