"""Which techniques are compared with what, on which models.

The sides of a contest start from the same trained model, or learn from it, and have the same data,
epochs, rate and seed; the last side is the control.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.compressing.technique_sources import Bench, Source
from winnow_contract.steps.chains import resolve_step
from winnow_trainer.compress.distilling.distil import distil
from winnow_trainer.compress.pruning.prune import prune
from winnow_trainer.compress.quantizing import quantizer
from winnow_trainer.compress.quantizing.quantize import quantize
from winnow_trainer.compress.workshop import Made, Work


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a side has reached; accuracies on the test split but for `start`."""

    value: float
    start: float | None = None
    """On the validation split, before the first step of training; None where there is none."""


Side = Callable[[Bench], Outcome]


@dataclass(frozen=True, slots=True)
class Contest:
    """Some techniques beside one control."""

    name: str
    about: str
    """What is done, in words."""
    source: Source
    sides: Mapping[str, Side]
    """By name; the last is the control."""

    @property
    def control(self) -> str:
        """The side that the others are compared with."""
        return list(self.sides)[-1]


def _source(family: str, **settings: object) -> Source:
    given = {"schedule": "cosine", **settings}
    return Source(family, tuple((name, str(value)) for name, value in given.items()))


BOTH = ["Outputs", "Parameters"]
MLP = _source("MLP", width=64, depth=2, epochs=20)
CNN = _source("CNN", width=16, depth=2, norm="batch", epochs=15, learning_rate=0.005)
WIDE_CNN = _source("CNN", width=32, depth=2, norm="batch", epochs=15, learning_rate=0.005)
RESNET = _source("ResNet", width=8, depth=2, epochs=8, learning_rate=0.005)
TRANSFORMER = _source("Transformer", width=32, depth=4, heads=4, epochs=12)
THIN_CNN = _source("CNN", channels="4-6", norm="batch", epochs=20, learning_rate=0.01)
THIN_MLP = _source("MLP", widths="12-12", norm="batch", epochs=20, learning_rate=0.01)


def contests() -> tuple[Contest, ...]:
    """All of them."""
    return (*_neurons(), *_weights(), *_teachers(), *_parameters(), *_integers())


def _neurons() -> Iterator[Contest]:
    for source, amount in ((MLP, "0.5"), (CNN, "0.6"), (RESNET, "0.5"), (TRANSFORMER, "0.4")):
        about = f"{float(amount):.0%} of all neurons cut out at once, 2 epochs"
        options = {"unit": "Neuron", "amount": amount, "epochs": 2, "learningRate": "0.002"}
        yield Contest(f"neurons {source.family}", about, source, _importances(options))


def _weights() -> Iterator[Contest]:
    for source in (MLP, CNN):
        options = {"unit": "Weight", "amount": "0.9", "epochs": 3, "learningRate": "0.002"}
        about = "90% of all weights masked at once, 3 epochs"
        yield Contest(f"weights {source.family}", about, source, _importances(options))


def _importances(options: Mapping[str, Any]) -> dict[str, Side]:
    def side(importance: str) -> Side:
        def run(bench: Bench) -> Outcome:
            step = _options("prune", {**options, "importance": importance})
            made = prune(bench.work, step, bench.workshop)
            return Outcome(bench.accuracy(made.model), made.report["cut_accuracy"])

        return run

    return {name.lower(): side(name) for name in ("Magnitude", "Taylor", "Random")}


def _teachers() -> Iterator[Contest]:
    eighth = {"width": "0.125", "depth": "1"}
    cases = (("random", ["Outputs"], 5), ("random", ["Outputs"], 30), ("inherited", BOTH, 5))
    for start, transfer, epochs in cases:
        given = {
            "student": eighth,
            "epochs": epochs,
            "learningRate": "0.004",
            "transfer": transfer,
        }
        yield Contest(
            f"teacher {start} {epochs}",
            f"a CNN of 1/8 width, its start {start}, {epochs} epochs, beside its plain twin",
            WIDE_CNN,
            {
                "T=2 alpha=0.5": _taught(given, 0.5, 2),
                "T=4 alpha=0.9": _taught(given, 0.9, 4),
                "twin": _taught(given, 0, 1),
            },
        )


def _parameters() -> Iterator[Contest]:
    cases = (
        (MLP, "0.25", "1"),
        (WIDE_CNN, "0.125", "1"),
        (TRANSFORMER, "0.5", "1"),
        (TRANSFORMER, "1", "0.5"),
        (RESNET, "1", "0.5"),
    )
    for source, width, depth in cases:
        given = {
            "student": {"width": width, "depth": depth},
            "epochs": 3,
            "learningRate": "0.004",
        }
        part = f"width {width}" if depth == "1" else f"depth {depth}"
        yield Contest(
            f"parameters {source.family} {part}",
            f"a student of {part} that starts from its teacher, 3 epochs of cross-entropy",
            source,
            {
                "inherited": _taught({**given, "transfer": BOTH}, 0, 1),
                "random": _taught({**given, "transfer": ["Outputs"]}, 0, 1),
            },
        )


def _taught(given: Mapping[str, Any], alpha: float, temperature: float) -> Side:
    """A student; with alpha 0 it learns on cross-entropy alone, bit by bit as a twin does."""

    def run(bench: Bench) -> Outcome:
        # No user can ask for alpha 0, so it is set behind the check of options.
        options = {**_options("distill", given), "alpha": alpha, "temperature": temperature}
        made: Made = distil(bench.work, bench.work, options, bench.workshop)
        return Outcome(bench.accuracy(made.model), made.report["initial_accuracy"])

    return run


def _integers() -> Iterator[Contest]:
    for source, levels in ((THIN_CNN, None), (THIN_CNN, 3), (THIN_MLP, 3)):
        grid = "7 bits, as served" if levels is None else f"{2 * levels + 1} levels, not served"
        yield Contest(
            f"integers {source.family} {'served' if levels is None else 'coarse'}",
            f"a thin net with weights of {grid}; 5 epochs of training, with rounding or before it",
            source,
            {"aware": _aware(levels), "post-training": _post_training(levels)},
        )


def _aware(levels: int | None) -> Side:
    def run(bench: Bench) -> Outcome:
        options = _options("quantize", {"mode": "Aware", "epochs": 5, "learningRate": "0.002"})
        with _grid(levels):
            made = quantize(bench.work, options, bench.workshop)
        return Outcome(bench.accuracy_of(made.delivery.run), made.report["untrained_accuracy"])

    return run


def _post_training(levels: int | None) -> Side:
    """Quantized after as much training in 32 bits: what awareness has, but for the rounding."""

    def run(bench: Bench) -> Outcome:
        model = copy.deepcopy(bench.work.model)
        bench.workshop.retrain(model, 5, 0.002)
        work = Work(model, bench.work.architecture)
        with _grid(levels):
            made = quantize(work, _options("quantize", {}), bench.workshop)
        return Outcome(bench.accuracy_of(made.delivery.run))

    return run


@contextmanager
def _grid(levels: int | None) -> Iterator[None]:
    """Round weights to fewer integers within the block: -levels to levels."""
    served = quantizer.WEIGHT_MOST
    quantizer.WEIGHT_MOST = levels or served
    try:
        yield
    finally:
        quantizer.WEIGHT_MOST = served


def _options(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    resolved: dict[str, Any] = resolve_step({kind: given})[kind]
    return resolved
