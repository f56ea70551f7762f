"""Optimisers over all parameters of a model at once, laid out as one long tensor.

The update rules are those of torch.optim, and a test holds them against it. They are written out
because torch's own import a compiler when they are made (over a second and 150 MB per pod), and
because a step over one long tensor costs a handful of operations however many layers there are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from winnow_contract.models.settings import SettingValue

EPSILON = 1e-8
BETA1, BETA2 = 0.9, 0.999
"""Decay of Adam's averages of the gradient and of its square (Kingma and Ba, 2015)."""
SQUARE_DECAY = 0.99
"""Decay of RMSprop's average of the squared gradient."""
CLIP_EPSILON = 1e-6
"""Keeps the factor finite where the gradient is zero."""


class FlatParameters:
    """The parameters of a model as one tensor, and their gradient as another.

    The model's own tensors become views of these two, so a backward pass fills `gradient` and a
    change of `values` changes the model. Its gradient must be set to zero, never to None.
    """

    def __init__(self, model: nn.Module) -> None:
        parameters = list(model.parameters())
        self.values = torch.cat([parameter.detach().reshape(-1) for parameter in parameters])
        self.gradient = torch.zeros_like(self.values)
        sizes = [parameter.numel() for parameter in parameters]
        views = zip(parameters, self.values.split(sizes), self.gradient.split(sizes), strict=True)  # type: ignore[no-untyped-call] # torch gives split no types
        for parameter, values, gradient in views:
            parameter.data = values.view_as(parameter)
            parameter.grad = gradient.view_as(parameter)

    def clip_gradient(self, longest: float) -> None:
        """Shorten the gradient to a norm, if it is longer."""
        factor = longest / (self.gradient.norm() + CLIP_EPSILON)
        self.gradient.mul_(factor.clamp(max=1.0))


class Optimizer(Protocol):
    """Changes parameters by their gradient."""

    def step(self, rate: float) -> None:
        """Make one step with this learning rate."""


class Sgd:
    """Stochastic gradient descent with heavy-ball momentum."""

    def __init__(self, parameters: FlatParameters, momentum: float, decay: float) -> None:
        self._parameters = parameters
        self._momentum = momentum
        self._decay = decay
        self._velocity = torch.zeros_like(parameters.values)

    def step(self, rate: float) -> None:
        """Make one step with this learning rate."""
        values = self._parameters.values
        gradient = _with_decay(self._parameters, self._decay)
        self._velocity.mul_(self._momentum).add_(gradient)
        values.add_(self._velocity, alpha=-rate)


class Adam:
    """Adam, or AdamW if the weight decay is decoupled (Loshchilov and Hutter, 2019)."""

    def __init__(self, parameters: FlatParameters, decay: float, *, decoupled: bool) -> None:
        self._parameters = parameters
        self._decay = decay
        self._decoupled = decoupled
        self._mean = torch.zeros_like(parameters.values)
        self._square = torch.zeros_like(parameters.values)
        self._steps = 0

    def step(self, rate: float) -> None:
        """Make one step with this learning rate."""
        values, gradient = self._parameters.values, self._parameters.gradient
        if self._decoupled:
            values.mul_(1 - rate * self._decay)
        else:
            gradient = _with_decay(self._parameters, self._decay)
        self._steps += 1
        self._mean.lerp_(gradient, 1 - BETA1)
        self._square.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
        spread = self._square.sqrt().div_(math.sqrt(1 - BETA2**self._steps)).add_(EPSILON)
        values.addcdiv_(self._mean, spread, value=-rate / (1 - BETA1**self._steps))


class RmsProp:
    """RMSprop with momentum."""

    def __init__(self, parameters: FlatParameters, momentum: float, decay: float) -> None:
        self._parameters = parameters
        self._momentum = momentum
        self._decay = decay
        self._velocity = torch.zeros_like(parameters.values)
        self._square = torch.zeros_like(parameters.values)

    def step(self, rate: float) -> None:
        """Make one step with this learning rate."""
        values = self._parameters.values
        gradient = _with_decay(self._parameters, self._decay)
        self._square.mul_(SQUARE_DECAY).addcmul_(gradient, gradient, value=1 - SQUARE_DECAY)
        spread = self._square.sqrt().add_(EPSILON)
        self._velocity.mul_(self._momentum).addcdiv_(gradient, spread)
        values.add_(self._velocity, alpha=-rate)


def _with_decay(parameters: FlatParameters, decay: float) -> Tensor:
    if decay == 0:
        return parameters.gradient
    return parameters.gradient.add(parameters.values, alpha=decay)


def make_optimizer(parameters: FlatParameters, settings: Mapping[str, SettingValue]) -> Optimizer:
    """The optimiser that the settings name."""
    decay, momentum = (cast("float", settings[name]) for name in ("weight_decay", "momentum"))
    match settings["optimizer"]:
        case "sgd":
            return Sgd(parameters, momentum, decay)
        case "rmsprop":
            return RmsProp(parameters, momentum, decay)
        case name:
            return Adam(parameters, decay, decoupled=name == "adamw")
