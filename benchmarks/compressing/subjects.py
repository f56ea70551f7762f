"""What is compressed: two networks of the project's own families, and the candidates of each.

Settings, steps and goals are written as a user writes them in a SearchJob and a CompressionJob.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from winnow_contract.choosing.goals import Goal, parse_goals

BATCH_SIZES = (1,)
"""Rows of a request."""
METRIC = "accuracy"
LATENCY = "latency_p50_seconds"
SIZE = "size_bytes"
INT8 = "int8"
"""The candidate whose weights are integers and which is else the baseline."""

Steps = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """A network, its data, and what is made of it."""

    name: str
    """Start of its figures' names."""
    about: str
    family: str
    settings: Mapping[str, str]
    data: str
    """URI of the data set."""
    test: str
    """Share of the rows that nothing chooses by."""
    validation: str
    """Share of the rows by which epochs are kept and the choice is made."""
    candidates: Mapping[str, Steps]
    """Chains of steps by name."""
    goals: Sequence[Mapping[str, str]]
    """Against the baseline in ONNX Runtime."""

    @property
    def task(self) -> dict[str, Any]:
        """As it stands in a SearchJob."""
        return {
            "model": {"family": self.family, "settings": dict(self.settings)},
            "data": {"uri": self.data},
            "evaluation": {"test": self.test, "validation": self.validation, "seed": 0},
        }

    @property
    def parsed_goals(self) -> tuple[Goal, ...]:
        """As the choice reads them."""
        return parse_goals(self.goals, BATCH_SIZES)


def subjects() -> tuple[Subject, ...]:
    """All of them."""
    return (_resnet(), _transformer())


def _quantize(**options: Any) -> Mapping[str, Any]:
    return {"quantize": options}


def _cut(amount: str, epochs: int, **options: Any) -> Mapping[str, Any]:
    return {
        "prune": {
            "unit": "Neuron",
            "amount": amount,
            "scope": "Layer",
            "epochs": epochs,
            "learningRate": "0.002",
            **options,
        }
    }


def _student(width: str, depth: str, epochs: int, **options: Any) -> Mapping[str, Any]:
    return {
        "distill": {
            "student": {"width": width, "depth": depth},
            "epochs": epochs,
            "learningRate": "0.004",
            **options,
        }
    }


def _resnet() -> Subject:
    quantize = _quantize()
    return Subject(
        name="resnet",
        about="ResNet-18 (width 64, two blocks in each of four stages) on digits of 64x64",
        family="ResNet",
        settings={
            "width": "64",
            "depth": "2",
            "stem": "large",
            "epochs": "10",
            "batch_size": "32",
            "learning_rate": "0.001",
            "schedule": "onecycle",
            "label_smoothing": "0.1",
        },
        data="pvc://data/digits-64x64.npz",
        test="0.2",
        validation="0.2",
        candidates={
            INT8: (quantize,),
            "cut-50-int8": (_cut("0.5", 3), quantize),
            "cut-75-int8": (_cut("0.75", 8), quantize),
            "eighth-shallow-int8": (_student("0.125", "0.5", 20), quantize),
            "sixteenth-shallow-int8": (_student("0.0625", "0.5", 25), quantize),
            # With so few channels, turning numbers into integers costs more than it saves.
            "eighth-shallow": (_student("0.125", "0.5", 20),),
            "sixteenth-shallow": (_student("0.0625", "0.5", 25),),
        },
        goals=(
            {"metric": METRIC, "maxDrop": "0.015"},
            {"metric": SIZE, "maxRatio": "0.02"},
            {"metric": LATENCY, "minSpeedup": "20"},
        ),
    )


def _transformer() -> Subject:
    return Subject(
        name="transformer",
        about="a Transformer of 4 layers, width 256, on mnist5k read as 28 rows",
        family="Transformer",
        settings={
            "width": "256",
            "depth": "4",
            "heads": "4",
            "epochs": "8",
            "batch_size": "32",
            "learning_rate": "0.001",
            "schedule": "onecycle",
            "dropout": "0.1",
        },
        data="builtin://mnist5k",
        test="0.2",
        validation="0.1",
        candidates={
            INT8: (_quantize(),),
            "int8-dynamic": (_quantize(mode="Dynamic"),),
            "half-both-int8": (_student("0.5", "0.5", 8), _quantize()),
            "half-deep-int8": (_student("1", "0.5", 3), _quantize()),
            "cut-50-int8": (_cut("0.5", 4), _quantize()),
        },
        # Half of what may be lost on the test split: 500 rows choose, so a drop that they show is
        # uncertain by about 0.6 points, and that of the candidate which they choose looks too small.
        goals=(
            {"metric": METRIC, "maxDrop": "0.01"},
            {"metric": SIZE, "maxRatio": "0.2"},
            {"metric": LATENCY, "minSpeedup": "3"},
        ),
    )
