"""Encoders: tokens, attention, and heads that are cut as wholes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.support.architectures import GRAY, dataset, planned
from winnow_trainer.architectures import Model, count_parameters
from winnow_trainer.architectures.transformer import Attention, Transformer
from winnow_trainer.data.dataset import ImageShape, Layout

MNIST = dataset(784, image=ImageShape(28, 28, 1, Layout.HWC), classes=10)


def body_of(data: Any, **given: Any) -> Transformer:
    body = Model(planned("Transformer", data, **given)).body
    assert isinstance(body, Transformer)
    return body


def test_an_encoder_has_the_parameters_that_its_sizes_give() -> None:
    attention, feedforward, norms = 4 * (8 * 8 + 8), (8 * 16 + 16) + (16 * 8 + 8), 2 * 2 * 8
    layer = attention + feedforward + norms
    around = (6 * 8 + 8) + 9 * 8 + 2 * 8 + (8 * 3 + 3)
    data = dataset(54, image=GRAY)

    small = planned("Transformer", data, width=8, heads=2, feedforward=2, depth=3)
    token = planned("Transformer", data, width=8, heads=2, feedforward=2, summary="token")

    assert count_parameters(small) == 3 * layer + around
    assert count_parameters(token) == 2 * layer + around + 2 * 8


def test_four_layers_of_width_256_have_three_million_parameters() -> None:
    architecture = planned("Transformer", MNIST, width=256, depth=4)

    assert count_parameters(architecture) == pytest.approx(3.18e6, rel=0.01)


@pytest.mark.parametrize(
    ("data", "given", "tokens"),
    [
        (MNIST, {}, 28),
        (MNIST, {"summary": "token"}, 29),
        (dataset(13), {}, 13),
        (dataset(54), {"shape": "9x6x1"}, 9),
        (dataset(3, 5, 4, image=ImageShape(5, 4, 3)), {}, 5),
    ],
)
def test_tokens_are_lines_of_an_image_or_columns_of_a_table(
    data: Any, given: dict[str, Any], tokens: int
) -> None:
    body = body_of(data, width=8, heads=2, **given)

    assert body.positions.weight.shape == (1, tokens, 8)


def test_a_token_is_one_line_of_the_image() -> None:
    image = torch.arange(54.0).reshape(1, 1, 9, 6)

    lines = body_of(dataset(54, image=GRAY), width=8).tokens(image)

    assert torch.equal(lines[0, 2], image[0, 0, 2])


def test_a_column_of_a_table_becomes_a_vector_of_its_own() -> None:
    body = body_of(dataset(3), width=8)
    rows = torch.tensor([[1.0, 0, 0], [3.0, 0, 0], [0, 1.0, 0]])

    first, triple, other = body.embed(body.tokens(rows)).sum(1)

    torch.testing.assert_close(triple, 3 * first)
    assert not torch.allclose(first, other)


def test_attention_is_what_torch_makes_of_the_same_matrices() -> None:
    torch.manual_seed(0)
    attention = Attention(12, 3)
    tokens = torch.randn(2, 5, 12)
    query, key, value = (
        layer(tokens).reshape(2, 5, 3, 4).transpose(1, 2)
        for layer in (attention.query, attention.key, attention.value)
    )

    mixed = functional.scaled_dot_product_attention(query, key, value)

    expected = attention.out(mixed.transpose(1, 2).reshape(2, 5, 12))
    torch.testing.assert_close(attention(tokens), expected)


@pytest.mark.parametrize(("width", "heads", "size"), [(8, 4, 2), (9, 4, 3), (2, 4, 1), (7, 1, 7)])
def test_any_width_goes_with_any_number_of_heads(width: int, heads: int, size: int) -> None:
    attention = Attention(width, heads)

    assert attention.head_size == size
    assert attention.heads == heads
    assert attention(torch.randn(2, 3, width)).shape == (2, 3, width)


def test_what_is_left_of_an_attention_after_a_cut_is_its_other_heads() -> None:
    torch.manual_seed(0)
    whole = Attention(12, 3)
    with torch.no_grad():  # the second head gives nothing
        whole.out.weight[:, 4:8] = 0
    kept = [0, 1, 2, 3, 8, 9, 10, 11]
    cut = Attention(12, 3)
    for name in ("query", "key", "value"):
        layer: nn.Linear = getattr(whole, name)
        getattr(cut, name).weight = nn.Parameter(layer.weight[kept])
        getattr(cut, name).bias = nn.Parameter(layer.bias[kept])
    cut.out.weight = nn.Parameter(whole.out.weight[:, kept])
    cut.out.bias = whole.out.bias
    tokens = torch.randn(2, 5, 12)

    torch.testing.assert_close(cut(tokens), whole(tokens))


def test_the_order_of_the_lines_counts() -> None:
    torch.manual_seed(0)
    model = Model(planned("Transformer", dataset(54, image=GRAY), width=16)).eval()
    rows = torch.randn(2, 9, 6)

    first, turned = model(rows.reshape(2, 54)), model(rows.flip(1).reshape(2, 54))

    assert first.sub(turned).abs().max() > 1e-4
