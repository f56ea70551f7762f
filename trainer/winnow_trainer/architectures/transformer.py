"""Transformer: an encoder over the lines of an image, or over the columns of a table.

After "Attention Is All You Need" (arXiv 1706.03762), with the normalisation before each part
(arXiv 2002.04745), which trains without a warm-up. Attention is written out in plain linear layers
and matrix products, because those can be exported, quantized and cut like any others.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from typing_extensions import override

from winnow_contract.models.nets import Encoder, TransformerNet
from winnow_trainer.architectures.description import Architecture, net_of
from winnow_trainer.architectures.layers import Settings, activation, dropout, number, whole

SPREAD = 0.3
"""Standard deviation of learnt vectors at the start: about that of what they are added to. With the
0.02 of ViT (arXiv 2010.11929) a short training does not find out in time where a token stands."""


class Transformer(nn.Module):
    """Images or table rows in, outputs out."""

    def __init__(self, architecture: Architecture, features: tuple[int, ...]) -> None:
        super().__init__()
        settings, image = architecture.settings, architecture.image
        width, encoders = encoders_of(settings)
        self.tokens = Columns() if image is None else Lines()
        count = features[0] if image is None else image.height
        self.embed = (
            Scales(count, width)
            if image is None
            else nn.Linear(image.channels * image.width, width)
        )
        has_token = settings["summary"] == "token"
        self.class_token = ClassToken(1, width) if has_token else nn.Identity()
        self.positions = Positions(count + has_token, width)
        self.dropout = dropout(settings) or nn.Identity()
        self.layers = nn.Sequential(*(EncoderLayer(settings, width, one) for one in encoders))
        self.norm = nn.LayerNorm(width)
        self.summary = First() if has_token else Mean()
        self.head = nn.Linear(width, architecture.outputs)

    @override
    def forward(self, values: Tensor) -> Tensor:
        tokens = self.class_token(self.embed(self.tokens(values)))  # (rows, tokens, width)
        tokens = self.layers(self.dropout(self.positions(tokens)))
        return cast("Tensor", self.head(self.summary(self.norm(tokens))))


class EncoderLayer(nn.Module):
    """Attention between the tokens, then two linear layers on each of them."""

    def __init__(self, settings: Settings, width: int, encoder: Encoder) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, encoder.heads)
        self.norm2 = nn.LayerNorm(width)
        self.expand = nn.Linear(width, encoder.hidden)
        self.activation = activation(settings)
        self.contract = nn.Linear(encoder.hidden, width)
        self.dropout = dropout(settings) or nn.Identity()

    @override
    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.dropout(self.attention(self.norm1(tokens)))
        hidden = self.activation(self.expand(self.norm2(tokens)))
        return cast("Tensor", tokens + self.dropout(self.contract(hidden)))


class Attention(nn.Module):
    """Multi-head attention. Whole heads may be cut away: how many there are is not stored."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.head_size = head_size(width, heads)
        """Numbers of a head; never changes, so that what is left after a cut is whole heads."""
        inner = heads * self.head_size
        self.query = nn.Linear(width, inner)
        self.key = nn.Linear(width, inner)
        self.value = nn.Linear(width, inner)
        self.out = nn.Linear(inner, width)

    @property
    def heads(self) -> int:
        """How many heads there are now."""
        return self.query.out_features // self.head_size

    @override
    def forward(self, tokens: Tensor) -> Tensor:
        query = self._heads(self.query(tokens)) / math.sqrt(self.head_size)
        key, value = self._heads(self.key(tokens)), self._heads(self.value(tokens))
        weights = torch.softmax(query @ key.transpose(2, 3), dim=-1)  # (rows, heads, to, from)
        mixed = (weights @ value).transpose(1, 2).flatten(2)  # (rows, tokens, heads * size)
        return cast("Tensor", self.out(mixed))

    def _heads(self, values: Tensor) -> Tensor:
        """(rows, tokens, heads * size) -> (rows, heads, tokens, size)."""
        return torch.unflatten(values, 2, (-1, self.head_size)).transpose(1, 2)


class Lines(nn.Module):
    """Each line of an image is a token: (rows, channels, height, width) -> (rows, height, ...)."""

    @override
    def forward(self, images: Tensor) -> Tensor:
        return images.transpose(1, 2).flatten(2)


class Columns(nn.Module):
    """Each column of a table is a token of one number: (rows, columns) -> (rows, columns, 1)."""

    @override
    def forward(self, rows: Tensor) -> Tensor:
        return rows.unsqueeze(2)


class Vectors(nn.Module):
    """Learnt vectors, (1, count, width)."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, count, width) * SPREAD)


class ClassToken(Vectors):
    """Puts a learnt token before the others."""

    @override
    def forward(self, tokens: Tensor) -> Tensor:
        return torch.cat((self.weight.expand(tokens.shape[0], -1, -1), tokens), dim=1)


class Positions(Vectors):
    """Adds to each token a learnt vector of its place."""

    @override
    def forward(self, tokens: Tensor) -> Tensor:
        return tokens + self.weight


class Scales(Vectors):
    """Multiplies the number of each column with a learnt vector of that column.

    After the numerical features of FT-Transformer (arXiv 2106.11959); its biases are the positions.
    """

    @override
    def forward(self, tokens: Tensor) -> Tensor:
        return tokens * self.weight


class Mean(nn.Module):
    """The mean of all tokens: (rows, tokens, width) -> (rows, width)."""

    @override
    def forward(self, tokens: Tensor) -> Tensor:
        return tokens.mean(1)


class First(nn.Module):
    """The first token: (rows, tokens, width) -> (rows, width)."""

    @override
    def forward(self, tokens: Tensor) -> Tensor:
        return tokens[:, 0]


def head_size(width: int, heads: int) -> int:
    """Numbers of one head; heads that do not divide the width evenly are a little larger."""
    return math.ceil(width / heads)


def encoders_of(settings: Settings) -> tuple[int, tuple[Encoder, ...]]:
    """The width of a token, and the layers: of the searched net, or all alike."""
    net = net_of(settings)
    if isinstance(net, TransformerNet):
        layers = (
            Encoder(one.heads, one.hidden or _hidden(settings, net.width)) for one in net.layers
        )
        return net.width, tuple(layers)
    width = whole(settings, "width")
    layer = Encoder(whole(settings, "heads"), _hidden(settings, width))
    return width, (layer,) * whole(settings, "depth")


def _hidden(settings: Settings, width: int) -> int:
    """Units of the feed-forward part of each layer."""
    return max(1, round(width * number(settings, "feedforward")))
