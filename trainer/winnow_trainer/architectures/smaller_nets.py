"""Searched nets with a share of their width and layers, as students of what was searched.

A skip is left out where the layer that it adds is, or has another width then; the cell of a CNN stays
as it is, in fewer and narrower stages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import nn

from winnow_contract.models.nets import (
    MAX_UNITS,
    CnnNet,
    Encoder,
    Layer,
    MlpNet,
    Net,
    Stage,
    TransformerNet,
)
from winnow_trainer.architectures.description import Architecture, Sizes
from winnow_trainer.architectures.inventory import compute_layers
from winnow_trainer.architectures.model import outline
from winnow_trainer.architectures.parts import Part, parts_of
from winnow_trainer.architectures.sizes import sizes_of
from winnow_trainer.architectures.transformer import encoders_of, head_size

Scale = Callable[[int], int]
"""From a size to the student's."""
Keep = Callable[[int], list[int]]
"""From a number of layers to the places of those that the student keeps."""


def smaller_net(architecture: Architecture, net: Net, scale: Scale, keep: Keep) -> Net:
    """The student's net; of a teacher that was cut, what is scaled are the sizes that it really has.

    Args:
        architecture: the teacher's.
        net: its net.
        scale: of widths.
        keep: of hidden layers, stages or encoders.
    """
    model = outline(architecture)
    sizes = sizes_of(model)
    match net:
        case MlpNet():
            hidden, _ = parts_of(model)
            return _smaller_mlp(net, [sizes[part["0"]][0] for part in hidden], scale, keep)
        case CnnNet():
            widths = [
                _widest(model, f"body.stages.{place}.", sizes) for place in range(len(net.stages))
            ]
            stages = (Stage(scale(widths[p]), net.stages[p].stride) for p in keep(len(widths)))
            return CnnNet(net.cell, tuple(stages))
        case TransformerNet():
            _, layers, _ = parts_of(model)
            return _smaller_transformer(architecture, sizes, layers, scale, keep)


def _smaller_mlp(net: MlpNet, widths: list[int], scale: Scale, keep: Keep) -> MlpNet:
    made: list[Layer] = []
    numbers: dict[int, int] = {}
    for place in keep(len(net.layers)):
        old, width = net.layers[place], scale(widths[place])
        skip = numbers.get(old.skip, 0)
        if skip and made[skip - 1].width != width:
            skip = 0
        made.append(Layer(width, old.activation, old.norm, skip))
        numbers[place + 1] = len(made)
    return MlpNet(tuple(made))


def _widest(model: nn.Module, prefix: str, sizes: Mapping[str, Sizes]) -> int:
    """The most channels that a convolution below a prefix gives."""
    return max(sizes[name][0] for name in compute_layers(model) if name.startswith(prefix))


def _smaller_transformer(
    architecture: Architecture,
    sizes: Mapping[str, Sizes],
    layers: Sequence[Part],
    scale: Scale,
    keep: Keep,
) -> TransformerNet:
    width, encoders = encoders_of(architecture.settings)
    after = scale(sizes["body.positions"][2])
    made: list[Encoder] = []
    for place in keep(len(encoders)):
        # Heads stay as large as they were, so that they can be taken over whole.
        size = min(head_size(width, encoders[place].heads), after)
        # What the setting `feedforward` gives a wide layer may be more than a net can name.
        hidden = min(scale(sizes[layers[place]["0.expand"]][0]), MAX_UNITS)
        made.append(Encoder(-(-after // size), hidden))
    return TransformerNet(after, tuple(made))
