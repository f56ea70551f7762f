"""The steps of a candidate as a user writes them: quantize, prune, distill.

Options, defaults and limits are those of `winnow_contract.steps.options`, which a test holds
against these models. An option whose meaning depends on another has no default, so that one which
was given for nothing can be told from one that was filled in.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import ConfigDict, Field

from winnow_operator.api.compressionjob_rules import (
    DISTILL_RULES,
    ONE_STEP,
    PRUNE_RULES,
    QUANTIZE_RULES,
    STUDENT_RULES,
)
from winnow_operator.api.fields import ApiModel, DecimalString
from winnow_operator.api.rules import named_list, rules, set_list
from winnow_operator.api.task import Setting


class QuantizeMode(StrEnum):
    """How a layer becomes integer."""

    POST_TRAINING = "PostTraining"
    DYNAMIC = "Dynamic"
    AWARE = "Aware"


class LayerKind(StrEnum):
    """Kinds of layers that can become integer."""

    LINEAR = "Linear"
    CONVOLUTION = "Convolution"


class Quantize(ApiModel):
    """Weights and activations of 8 bits, in integer kernels."""

    model_config = ConfigDict(json_schema_extra=rules(*QUANTIZE_RULES))

    mode: QuantizeMode = QuantizeMode.POST_TRAINING
    """PostTraining calibrates ranges on rows of the training split. Dynamic finds them in each
    request, for fully connected layers. Aware trains with the quantized parameters and keeps the
    best epoch."""
    layers: tuple[LayerKind, ...] | None = Field(
        default=None, min_length=1, max_length=2, json_schema_extra=set_list()
    )
    """Layers that become integer: Linear (fully connected) and Convolution; by default both, with
    mode Dynamic only Linear. What a family does not have is left out."""
    max_drop: DecimalString | None = None
    """How much worse than the source's the first quality metric may be before the most sensitive
    layers stay as they are; by default what the goals allow."""
    calibration_rows: int | None = Field(default=None, ge=1, le=1_000_000)
    """Rows of the training split on which ranges are found, 256 by default; not with Dynamic."""
    epochs: int | None = Field(default=None, ge=1, le=10_000)
    """Epochs of the training with quantized parameters, 3 by default; only with Aware."""
    learning_rate: DecimalString | None = None
    """Highest learning rate of that training, 0.0002 by default; only with Aware."""


class PruneUnit(StrEnum):
    """What is cut."""

    WEIGHT = "Weight"
    NEURON = "Neuron"


class PruneScope(StrEnum):
    """Whether layers are ranked together."""

    GLOBAL = "Global"
    LAYER = "Layer"


class Importance(StrEnum):
    """What goes first."""

    MAGNITUDE = "Magnitude"
    TAYLOR = "Taylor"
    RANDOM = "Random"


class PruneSchedule(StrEnum):
    """In how many cuts."""

    ONE_SHOT = "OneShot"
    ITERATIVE = "Iterative"


class Prune(ApiModel):
    """Less weights or less neurons, and training after the cut."""

    model_config = ConfigDict(json_schema_extra=rules(*PRUNE_RULES))

    unit: PruneUnit = PruneUnit.NEURON
    """Weight sets single weights to zero: the model gets neither smaller nor faster. Neuron cuts
    neurons or channels with all that depends on them: tensors shrink."""
    amount: DecimalString = "0.5"
    """Share that goes, between 0 and 1: of the weights, or of the neurons and channels."""
    scope: PruneScope = PruneScope.GLOBAL
    """Global ranks all layers together, so that some lose more; Layer takes the same share of
    each."""
    importance: Importance = Importance.MAGNITUDE
    """What goes first: the smallest weights (Magnitude), those with the least effect on the loss
    (Taylor), or any (Random, the control)."""
    schedule: PruneSchedule = PruneSchedule.ONE_SHOT
    """OneShot cuts all at once; Iterative in rounds, with training after each, and keeps the most
    pruned round whose quality is within one standard error of the best round's."""
    rounds: int | None = Field(default=None, ge=2, le=50)
    """Rounds of an iterative cut, 3 by default; only with Iterative."""
    epochs: int = Field(default=6, ge=1, le=10_000)
    """Epochs of retraining in all; rounds share them."""
    learning_rate: DecimalString = "0.001"
    """Highest learning rate of the retraining."""


class Transfer(StrEnum):
    """What a student gets from its teacher."""

    OUTPUTS = "Outputs"
    PARAMETERS = "Parameters"


class Student(ApiModel):
    """The smaller network: shares of the teacher's sizes, or settings of its own."""

    model_config = ConfigDict(json_schema_extra=rules(*STUDENT_RULES))

    width: DecimalString | None = None
    """Share of the teacher's units or channels in each layer, above 0 to 1; 1 by default."""
    depth: DecimalString | None = None
    """Share of the teacher's layers, above 0 to 1; 1 by default."""
    settings: tuple[Setting, ...] | None = Field(
        default=None, min_length=1, max_length=32, json_schema_extra=named_list("name")
    )
    """Settings of the family instead of shares, such as width and depth of its own; what is left
    out is as the teacher has it."""


class Distill(ApiModel):
    """A student learns from the source model, its teacher."""

    model_config = ConfigDict(json_schema_extra=rules(*DISTILL_RULES))

    student: Student | None = None
    """The smaller network that learns, only in the first step of a chain. Without it, the model of
    the chain so far learns."""
    transfer: tuple[Transfer, ...] | None = Field(
        default=None, min_length=1, max_length=2, json_schema_extra=set_list()
    )
    """Outputs learns the teacher's softened outputs; Parameters starts the student from the
    teacher's parameters. By default a student has both, without one it is Outputs."""
    temperature: DecimalString | None = None
    """Softens the outputs of teacher and student, 2 by default; only with Outputs."""
    alpha: DecimalString | None = None
    """Share of the teacher's outputs in the loss, 0.5 by default; only with Outputs."""
    epochs: int = Field(default=10, ge=1, le=10_000)
    """Epochs of training."""
    learning_rate: DecimalString = "0.002"
    """Highest learning rate of the training."""


class Step(ApiModel):
    """One step of a chain: exactly one of `quantize`, `prune` and `distill`."""

    model_config = ConfigDict(json_schema_extra=rules(ONE_STEP))

    quantize: Quantize | None = None
    """Weights and activations of 8 bits; the last step of a chain."""
    prune: Prune | None = None
    """Less weights or less neurons, and training after the cut."""
    distill: Distill | None = None
    """A student learns from the source model."""
