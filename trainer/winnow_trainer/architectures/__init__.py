"""The model families as torch modules, built from a description that is plain JSON.

description   what a model is, as model.json has it
planning      from settings and data to a description
rows          the way in and out: raw rows, standardisation
mlp, cnn, resnet, transformer   one family each
layers        what several of them share
cells         searched cells of a CNN
model         a model of any family
sizes         real sizes of a model that was cut, and rebuilding it
inventory     linear layers, convolutions, output and attention of a model
parts         a model as rows of interchangeable parts
students      smaller networks of the same family, and where their layers come from
smaller_nets  the same for searched nets
"""

from __future__ import annotations

from winnow_trainer.architectures.description import ARCHITECTURE_SETTINGS, Architecture, Sizes
from winnow_trainer.architectures.inventory import (
    LayerKind,
    attentions,
    compute_layers,
    output_layer,
)
from winnow_trainer.architectures.model import (
    Model,
    count_parameters,
    cut_architecture,
    outline,
)
from winnow_trainer.architectures.planning import plan
from winnow_trainer.architectures.rows import ImageRows, Rescale, Standardize
from winnow_trainer.architectures.sizes import resize, sizes_of
from winnow_trainer.architectures.students import layer_map, student_of, student_with

__all__ = [
    "ARCHITECTURE_SETTINGS",
    "Architecture",
    "ImageRows",
    "LayerKind",
    "Model",
    "Rescale",
    "Sizes",
    "Standardize",
    "attentions",
    "compute_layers",
    "count_parameters",
    "cut_architecture",
    "layer_map",
    "outline",
    "output_layer",
    "plan",
    "resize",
    "sizes_of",
    "student_of",
    "student_with",
]
