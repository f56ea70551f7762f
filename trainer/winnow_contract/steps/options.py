"""The steps of a compression chain in one table: kinds, options, defaults, allowed values.

docs/steps.md is written from it; `steps` reads what a user wrote with it. No option is read
that does not stand here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = [
    "CONVOLUTION",
    "DISTILL",
    "LAYERS",
    "LINEAR",
    "OPTIONS",
    "PRUNE",
    "QUANTIZE",
    "Option",
    "OptionKind",
]

LINEAR, CONVOLUTION = "Linear", "Convolution"
LAYERS = (LINEAR, CONVOLUTION)

_DECIMAL = re.compile(r"^-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,2})?$")


class OptionKind(StrEnum):
    """What values an option takes."""

    INT = "whole number"
    NUMBER = "number"
    WORD = "word"
    WORDS = "list of words"
    STUDENT = "student"


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a step."""

    name: str
    kind: OptionKind
    default: str
    """As text, words joined by ','; empty: none, the option is then null."""
    doc: str
    """A sentence for people."""
    minimum: float = 0
    maximum: float = math.inf
    excludes_minimum: bool = False
    """The value must be above the minimum."""
    excludes_maximum: bool = False
    """The value must be below the maximum."""
    words: tuple[str, ...] = ()
    only: tuple[str, tuple[str, ...]] | None = None
    """The option that must have one of these words for this one to have a meaning."""

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.kind is OptionKind.STUDENT:
            return "width and depth, or settings"
        if self.kind is OptionKind.WORD:
            return ", ".join(self.words)
        if self.kind is OptionKind.WORDS:
            return f"a list without repeats of {', '.join(self.words)}"
        low, high = f"{self.minimum:g}", f"{self.maximum:.10g}"
        start = f"above {low}" if self.excludes_minimum else f"from {low}"
        end = f"and below {high}" if self.excludes_maximum else f"to {high}"
        return f"{self.kind}s {start} {end}"

    def parse(self, value: object) -> Any:
        """The value in its own type.

        Raises:
            ValueError, OverflowError: if it is not allowed.
        """
        if self.kind is OptionKind.WORD:
            return self.words[self.words.index(str(value))]
        if self.kind is OptionKind.WORDS:
            return self._listed(value)
        number = _decimal(value)
        if self.kind is OptionKind.INT:
            if not number.is_integer():
                raise ValueError(value)
            return int(self._in_range(number))
        return self._in_range(number)

    def _listed(self, value: object) -> list[str]:
        given = value if isinstance(value, list | tuple) else [None]
        if not given or len(set(given)) < len(given) or not set(given) <= set(self.words):
            raise ValueError(value)
        return [word for word in self.words if word in given]

    def _in_range(self, number: float) -> float:
        above = number > self.minimum if self.excludes_minimum else number >= self.minimum
        below = number < self.maximum if self.excludes_maximum else number <= self.maximum
        if not (above and below):  # NaN is in no range
            raise ValueError(number)
        return number


def _decimal(value: object) -> float:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(value)


_INT, _NUMBER, _WORD, _WORDS = (
    OptionKind.INT,
    OptionKind.NUMBER,
    OptionKind.WORD,
    OptionKind.WORDS,
)
_MODES = ("PostTraining", "Dynamic", "Aware")
_CALIBRATED = ("mode", ("PostTraining", "Aware"))
_AWARE = ("mode", ("Aware",))
_OUTPUTS = ("transfer", ("Outputs",))


def _epochs(default: str, doc: str, only: tuple[str, tuple[str, ...]] | None = None) -> Option:
    return Option("epochs", _INT, default, doc, 1, 10_000, only=only)


def _learning_rate(default: str, only: tuple[str, tuple[str, ...]] | None = None) -> Option:
    doc = "Highest learning rate of the training."
    return Option("learningRate", _NUMBER, default, doc, 0, 10, excludes_minimum=True, only=only)


_QUANTIZE = (
    Option(
        "mode",
        _WORD,
        "PostTraining",
        "PostTraining calibrates ranges on rows of the training split; Dynamic finds them in each "
        "request, for fully connected layers; Aware trains with the quantized parameters and keeps "
        "the best epoch.",
        words=_MODES,
    ),
    Option(
        "layers",
        _WORDS,
        "Linear,Convolution",
        "Layers that become integer; with mode Dynamic only Linear. What a family does not have "
        "is left out.",
        words=LAYERS,
    ),
    Option(
        "maxDrop",
        _NUMBER,
        "",
        "How much worse than the source's the first quality metric may be before the most sensitive "
        "layers stay as they are; without it, what the job's goals allow.",
        0,
        1e15,
    ),
    Option(
        "calibrationRows",
        _INT,
        "256",
        "Rows of the training split on which ranges are found.",
        1,
        1_000_000,
        only=_CALIBRATED,
    ),
    _epochs("3", "Epochs of the training with quantized parameters.", _AWARE),
    _learning_rate("0.0002", _AWARE),
)

_PRUNE = (
    Option(
        "unit",
        _WORD,
        "Neuron",
        "Weight sets single weights to zero: the model gets neither smaller nor faster. Neuron "
        "cuts neurons or channels with all that depends on them: tensors shrink.",
        words=("Weight", "Neuron"),
    ),
    Option(
        "amount",
        _NUMBER,
        "0.5",
        "Share that goes: of the weights, or of the neurons and channels of each layer.",
        0,
        1,
        excludes_minimum=True,
        excludes_maximum=True,
    ),
    Option(
        "scope",
        _WORD,
        "Global",
        "Global ranks all layers together, so that some lose more (of neurons each keeps two thirds "
        "of what Layer would leave it); Layer takes the same share of each.",
        words=("Global", "Layer"),
    ),
    Option(
        "importance",
        _WORD,
        "Magnitude",
        "What goes first: the smallest weights, those with the least effect on the loss (Taylor), "
        "or any (Random, the control).",
        words=("Magnitude", "Taylor", "Random"),
    ),
    Option(
        "schedule",
        _WORD,
        "OneShot",
        "OneShot cuts all at once; Iterative in rounds, with training after each, and keeps the most "
        "pruned round whose quality is within one standard error of the best round's.",
        words=("OneShot", "Iterative"),
    ),
    Option(
        "rounds", _INT, "3", "Rounds of an iterative cut.", 2, 50, only=("schedule", ("Iterative",))
    ),
    _epochs("6", "Epochs of retraining in all; rounds share them."),
    _learning_rate("0.001"),
)

_DISTILL = (
    Option(
        "student",
        OptionKind.STUDENT,
        "",
        "The smaller network that learns: width and depth as shares of the teacher's, or settings "
        "of the family of its own. Without it, the model of the chain so far learns.",
    ),
    Option(
        "transfer",
        _WORDS,
        "Outputs",
        "Outputs learns the teacher's softened outputs; Parameters starts the student from the "
        "teacher's parameters. A student has both by default.",
        words=("Outputs", "Parameters"),
    ),
    Option(
        "temperature",
        _NUMBER,
        "2",
        "Softens the outputs of teacher and student.",
        0,
        100,
        excludes_minimum=True,
        only=_OUTPUTS,
    ),
    Option(
        "alpha",
        _NUMBER,
        "0.5",
        "Share of the teacher's outputs in the loss; the rest is the true targets'.",
        0,
        1,
        excludes_minimum=True,
        only=_OUTPUTS,
    ),
    _epochs("10", "Epochs of training."),
    _learning_rate("0.002"),
)

QUANTIZE, PRUNE, DISTILL = "quantize", "prune", "distill"

OPTIONS: Mapping[str, tuple[Option, ...]] = {
    QUANTIZE: _QUANTIZE,
    PRUNE: _PRUNE,
    DISTILL: _DISTILL,
}
"""Options by kind of step; an option stands after those that decide whether it has a meaning."""
