"""Layers that several families share, made from the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from torch import nn

from winnow_contract.models.settings import SettingValue

_ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
    "sigmoid": nn.Sigmoid,
}

Settings = Mapping[str, SettingValue]


def activation(settings: Settings) -> nn.Module:
    """The function after a hidden layer."""
    return _ACTIVATIONS[str(settings["activation"])]()


def norm_of_units(settings: Settings, units: int) -> nn.Module | None:
    """Normalisation of (rows, units); None if there is to be none."""
    match settings["norm"]:
        case "batch":
            return nn.BatchNorm1d(units)
        case "layer":
            return nn.LayerNorm(units)
        case _:
            return None


def norm_of_channels(settings: Settings, channels: int) -> nn.Module | None:
    """Normalisation of (rows, channels, height, width); None if there is to be none."""
    match settings["norm"]:
        case "batch":
            return nn.BatchNorm2d(channels)
        case "layer":
            return nn.GroupNorm(1, channels)
        case _:
            return None


def dropout(settings: Settings) -> nn.Module | None:
    """What drops units in training; None if none are to be dropped."""
    rate = number(settings, "dropout")
    return nn.Dropout(rate) if rate > 0 else None


def series(*modules: nn.Module | None) -> nn.Sequential:
    """Modules one after the other, those left out that are None."""
    return nn.Sequential(*(module for module in modules if module is not None))


def whole(settings: Settings, name: str) -> int:
    """The value of a setting that is a whole number."""
    return cast("int", settings[name])


def number(settings: Settings, name: str) -> float:
    """The value of a setting that is a number."""
    return cast("float", settings[name])


def listed(settings: Settings, name: str) -> tuple[int, ...]:
    """The value of a setting that is a list of sizes; empty if there is none."""
    return cast("tuple[int, ...]", settings.get(name, ()))
