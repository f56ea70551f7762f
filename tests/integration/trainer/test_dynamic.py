"""A linear layer whose input becomes integers in each request."""

from __future__ import annotations

import torch
from torch import nn

from winnow_trainer.compress.quantizing.dynamic import DynamicLinear


def layer() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(40, 5)


@torch.no_grad()
def test_it_is_near_the_layer_that_it_stands_for() -> None:
    plain, rows = layer(), torch.randn(30, 40)

    error = (DynamicLinear(plain)(rows) - plain(rows)).abs().max()

    assert 0 < error < 0.05


@torch.no_grad()
def test_weights_have_seven_bits_and_every_channel_uses_them() -> None:
    weight = DynamicLinear(layer()).weight

    assert torch.equal(weight, weight.round())
    assert torch.equal(weight.abs().amax(1), torch.full((5,), 64.0))


@torch.no_grad()
def test_the_range_is_that_of_the_rows_that_are_sent_together() -> None:
    made, rows = DynamicLinear(layer()), torch.randn(30, 40)

    alone = made(rows[:1])
    beside_a_large_one = made(torch.cat((rows[:1], 1000 * rows[1:2])))[:1]

    assert (alone - beside_a_large_one).abs().max() > 0.1


@torch.no_grad()
def test_rows_of_zeros_have_a_range_too() -> None:
    plain = layer()

    assert torch.equal(DynamicLinear(plain)(torch.zeros(3, 40)), plain.bias.expand(3, 5))


@torch.no_grad()
def test_an_output_channel_without_weights_gives_its_bias() -> None:
    plain = layer()
    plain.weight[1] = 0

    outputs = DynamicLinear(plain)(torch.randn(3, 40))

    assert torch.equal(outputs[:, 1], plain.bias[1].expand(3))
