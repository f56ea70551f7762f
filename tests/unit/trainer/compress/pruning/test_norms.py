"""Batch norms settled on data, and nothing else changed."""

from __future__ import annotations

import torch
from torch import nn

from tests.support.architectures import small, trained_looking
from winnow_trainer.compress.pruning.norms import settle_norms

ROWS = torch.randn(300, 54, generator=torch.Generator().manual_seed(1)) * 3 + 2


def test_settled_statistics_are_those_of_what_a_norm_gets() -> None:
    model = trained_looking(small("MLP"))
    norm = model.get_submodule("body.2")
    seen: list[torch.Tensor] = []
    norm.register_forward_pre_hook(lambda _, given: seen.append(given[0]))

    settle_norms(model, ROWS)
    seen.clear()
    model(ROWS[:256])

    state = norm.state_dict()
    # The second batch of 44 rows counts like the first of 256.
    torch.testing.assert_close(state["running_mean"], seen[0].mean(0), rtol=0.3, atol=0.5)
    assert (state["running_var"] / seen[0].var(0)).log().abs().max() < 0.5


def test_only_batch_norms_change_and_dropout_stays_off() -> None:
    model = trained_looking(small("CNN", dropout=0.5))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    momenta = [m.momentum for m in model.modules() if isinstance(m, nn.BatchNorm2d)]

    settle_norms(model, ROWS)
    first = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    settle_norms(model, ROWS)

    changed = {name for name, tensor in first.items() if not torch.equal(tensor, before[name])}
    assert {name.rpartition(".")[2] for name in changed} == {
        "running_mean",
        "running_var",
        "num_batches_tracked",
    }
    assert all(torch.equal(tensor, first[name]) for name, tensor in model.state_dict().items())
    assert not any(module.training for module in model.modules())
    assert [m.momentum for m in model.modules() if isinstance(m, nn.BatchNorm2d)] == momenta


def test_a_model_without_batch_norms_stays_as_it_is() -> None:
    model = trained_looking(small("Transformer"))
    before = model(ROWS)

    settle_norms(model, ROWS)

    assert torch.equal(model(ROWS), before)
