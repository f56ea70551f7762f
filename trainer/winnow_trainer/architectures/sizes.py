"""The real sizes of a model's modules, and how a model is built with other ones.

Cutting neurons, channels or heads out of a model leaves sizes that its settings do not say. They
are kept as plain numbers beside the settings, so that a cut model can be rebuilt from model.json
without the library that cut it:

linear, convolution     (outputs, inputs)
normalisation           (features,)
learnt vectors          the shape of their tensor
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from winnow_trainer.architectures.description import Sizes
from winnow_trainer.architectures.transformer import Vectors

SIZED = (
    nn.Linear,
    nn.Conv2d,
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.LayerNorm,
    nn.GroupNorm,
    Vectors,
)
"""Every kind of module that has parameters."""


def sizes_of(model: nn.Module) -> dict[str, Sizes]:
    """The sizes of each module with parameters, by its name, in the order of the model."""
    return {
        name: _sizes(module) for name, module in model.named_modules() if isinstance(module, SIZED)
    }


def resize(model: nn.Module, sizes: Mapping[str, Sizes]) -> None:
    """Put new, untrained modules of other sizes in place of those named.

    Raises:
        ValueError: if a name or the number of its sizes does not fit the model.
    """
    modules = dict(model.named_modules())
    for name, wanted in sizes.items():
        module = modules.get(name)
        if not isinstance(module, SIZED) or len(wanted) != len(_sizes(module)):
            raise ValueError(f"sizes names {name} {list(wanted)}, the model has no such module")
        model.set_submodule(name, _resized(module, wanted))


def _sizes(module: nn.Module) -> Sizes:
    # From the tensor itself: what cuts models does not always mend the attributes.
    shape = tuple(module.get_parameter("weight").shape)
    return shape[:2] if isinstance(module, nn.Conv2d) else shape


def _resized(module: nn.Module, sizes: Sizes) -> nn.Module:
    match module:
        case nn.Linear():
            return nn.Linear(sizes[1], sizes[0], bias=module.bias is not None)
        case nn.Conv2d():
            return _resized_convolution(module, sizes)
        case nn.GroupNorm():
            return nn.GroupNorm(1, sizes[0])
        case nn.BatchNorm1d() | nn.BatchNorm2d() | nn.LayerNorm():
            return type(module)(sizes[0])
        case Vectors():
            return type(module)(sizes[1], sizes[2])
        case _:
            raise TypeError(type(module))


def _resized_convolution(module: nn.Conv2d, sizes: Sizes) -> nn.Conv2d:
    kernel, stride = (module.kernel_size[0], module.kernel_size[1]), module.stride
    is_depthwise = module.groups > 1  # each channel by itself
    return nn.Conv2d(
        sizes[0] if is_depthwise else sizes[1],
        sizes[0],
        kernel,
        groups=sizes[0] if is_depthwise else 1,
        stride=(stride[0], stride[1]),
        padding=(kernel[0] // 2, kernel[1] // 2),
        bias=module.bias is not None,
    )
