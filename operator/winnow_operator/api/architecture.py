"""Spaces of architectures as a user writes them: which nets a search may try."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from winnow_contract.models.families import CNN, MLP, TRANSFORMER
from winnow_contract.models.nets import MAX_NET_TEXT, MAX_UNITS
from winnow_operator.api.fields import ApiModel
from winnow_operator.api.rules import Rule, rules, said, set_list

MAX_LAYERS = 10
"""Layers of an MLP: the text of a deeper one would not fit a Trial."""
MAX_ENCODERS = 12
MAX_NODES = 6
MAX_STAGES = 6

Units = Annotated[int, Field(ge=1, le=MAX_UNITS)]
Heads = Annotated[int, Field(ge=1, le=128)]
Stride = Annotated[int, Field(ge=1, le=2)]
Operation = Annotated[
    str, Field(pattern="^(conv[13579]|(separable|max|avg)[3579])$", max_length=10)
]
NetText = Annotated[str, Field(min_length=1, max_length=MAX_NET_TEXT)]


class Activation(StrEnum):
    """Functions after a layer, named as the setting `activation` names them."""

    RELU = "relu"
    GELU = "gelu"
    TANH = "tanh"
    SILU = "silu"
    ELU = "elu"
    LEAKY_RELU = "leaky_relu"
    SIGMOID = "sigmoid"


class Norm(StrEnum):
    """Normalisations of a layer, named as the setting `norm` names them."""

    NONE = "none"
    BATCH = "batch"
    LAYER = "layer"


_IN_ORDER = Rule(
    "self.min <= self.max",
    "min must be at most max",
    said("min is %s, it must be at most max, %s", "self.min", "self.max"),
    ".min",
)


class Layers(ApiModel):
    """How many layers an MLP may have."""

    model_config = ConfigDict(json_schema_extra=rules(_IN_ORDER))

    min: int = Field(default=1, ge=0, le=MAX_LAYERS)
    """The fewest."""
    max: int = Field(ge=0, le=MAX_LAYERS)
    """The most."""


class Encoders(ApiModel):
    """How many layers a Transformer may have."""

    model_config = ConfigDict(json_schema_extra=rules(_IN_ORDER))

    min: int = Field(default=1, ge=1, le=MAX_ENCODERS)
    """The fewest."""
    max: int = Field(ge=1, le=MAX_ENCODERS)
    """The most."""


class Stages(ApiModel):
    """How many stages a CNN may have."""

    model_config = ConfigDict(json_schema_extra=rules(_IN_ORDER))

    min: int = Field(default=1, ge=1, le=MAX_STAGES)
    """The fewest."""
    max: int = Field(ge=1, le=MAX_STAGES)
    """The most."""


class MlpArchitectures(ApiModel):
    """MLPs, whose layers may each be another."""

    depth: Layers
    """How many hidden layers."""
    widths: tuple[Units, ...] = Field(min_length=1, max_length=16, json_schema_extra=set_list())
    """Units that a layer may have."""
    activations: tuple[Activation, ...] = Field(
        default=(), max_length=7, json_schema_extra=set_list()
    )
    """Functions that a layer may have; without, all have the setting `activation`."""
    norms: tuple[Norm, ...] = Field(default=(), max_length=3, json_schema_extra=set_list())
    """Normalisations that a layer may have; without, all have the setting `norm`."""
    skips: bool = False
    """Whether a layer may add what an earlier layer of the same width has given."""


_SOME_CONVOLUTION = Rule(
    "self.operations.exists(o, o.startsWith('conv') || o.startsWith('separable'))",
    "operations must name a convolution, as conv3 or separable3",
    path=".operations",
)


class CnnArchitectures(ApiModel):
    """CNNs of one cell, whose nodes are searched, in each of some stages."""

    model_config = ConfigDict(json_schema_extra=rules(_SOME_CONVOLUTION))

    nodes: int = Field(ge=1, le=MAX_NODES)
    """The most nodes that the cell may have."""
    operations: tuple[Operation, ...] = Field(
        min_length=1, max_length=17, json_schema_extra=set_list()
    )
    """What a node may do, with the side of its kernel: `conv3`, `separable5` (depthwise separable
    convolution), `max3` and `avg3` (pooling that keeps the size)."""
    branches: bool = False
    """Whether a node may read any earlier one; if not, each reads the one before it."""
    skips: bool = False
    """Whether a node may add what any earlier one has given."""
    stages: Stages
    """How many stages, each of which is the cell with its own weights."""
    widths: tuple[Units, ...] = Field(min_length=1, max_length=16, json_schema_extra=set_list())
    """Channels that a stage may have."""
    strides: tuple[Stride, ...] = Field(
        default=(1, 2), min_length=1, max_length=2, json_schema_extra=set_list()
    )
    """Strides that a stage may begin with; 2 halves the image."""


class TransformerArchitectures(ApiModel):
    """Transformers, whose layers may each be another."""

    depth: Encoders
    """How many layers."""
    widths: tuple[Units, ...] = Field(min_length=1, max_length=16, json_schema_extra=set_list())
    """Numbers that a token may have; all layers have the same."""
    heads: tuple[Heads, ...] = Field(min_length=1, max_length=16, json_schema_extra=set_list())
    """Attention heads that a layer may have, of which those are tried that divide the width."""
    hidden: tuple[Units, ...] = Field(default=(), max_length=16, json_schema_extra=set_list())
    """Units that a layer's feed-forward part may have; without, all have the setting `feedforward`."""


FAMILY_OF_KIND: Mapping[str, str] = {"mlp": MLP, "cnn": CNN, "transformer": TRANSFORMER}
"""The family that each kind of space is for; `nets` may be of any of them."""
_KINDS = (*FAMILY_OF_KIND, "nets")
_GIVEN = "[" + ", ".join(f"has(self.{kind})" for kind in _KINDS) + "]"
_ONE_KIND = Rule(
    f"{_GIVEN}.exists_one(given, given)",
    "give exactly one of mlp, cnn, transformer and nets",
    said(
        "architecture has %s of mlp, cnn, transformer and nets: give exactly one",
        f"{_GIVEN}.filter(given, given).size()",
    ),
)


class ArchitectureSpace(ApiModel):
    """The nets that are searched: exactly one of `mlp`, `cnn`, `transformer` and `nets`."""

    model_config = ConfigDict(json_schema_extra=rules(_ONE_KIND))

    mlp: MlpArchitectures | None = None
    """For the family MLP."""
    cnn: CnnArchitectures | None = None
    """For the family CNN."""
    transformer: TransformerArchitectures | None = None
    """For the family Transformer."""
    nets: tuple[NetText, ...] | None = Field(
        default=None, min_length=1, max_length=256, json_schema_extra=set_list()
    )
    """These nets and no others, each as text: `64-32-16 relu` is an MLP of three layers; docs/search.md
    says how those of other families are written."""
