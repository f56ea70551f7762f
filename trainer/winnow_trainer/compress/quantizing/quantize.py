"""The step `quantize`: layers compute in integers, in the torch form and in the graph that is served.

mode PostTraining   `post_training`: ranges are found on rows of the training split
mode Dynamic        `dynamic`: ranges are found in each request, for linear layers
mode Aware          `aware`: the model is trained with what integers do to it

It is always the last step of a chain: what it makes is a graph, and no model that could be trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from winnow_measure.quality import Measured, measure
from winnow_trainer.architectures import LayerKind, compute_layers
from winnow_trainer.compress.delivery import Delivery, Quantized
from winnow_trainer.compress.quantizing.folding import folded
from winnow_trainer.compress.quantizing.integer_report import integer_report
from winnow_trainer.compress.quantizing.quantization import Asked, Found
from winnow_trainer.compress.quantizing.sensitivity import Limit
from winnow_trainer.compress.workshop import Work, Workshop
from winnow_trainer.errors import TrialError
from winnow_trainer.quiet import quiet
from winnow_trainer.training import outputs_of

INTEGER_TOLERANCE: Mapping[str, float] = {"absolute": 1e-6, "relative": 0.05}
"""Integer kernels round sums in another order, which now and then moves a number to the next
integer, and what follows with it. Seen are up to 0.013 of the largest output, over all families."""
FLOAT_BYTES = 4
SAVED = 0.98
"""A file smaller than this share of the weights in 32 bits has been made smaller for sure."""
IMPORTING = "torch.utils._pytree"
"""Logger in which torch warns torchao, when that is imported, of what a later torch will refuse."""


def quantize(
    work: Work, options: Mapping[str, Any], workshop: Workshop, reference: float | None = None
) -> Quantized:
    """Quantize a model as a resolved step says.

    Args:
        work: what the chain has made so far; it stays as it is.
        options: mode, layers, maxDrop, and as the mode has them calibrationRows, epochs and
            learningRate.
        workshop: data, settings and seed.
        reference: the metric of the source, from which maxDrop counts; by default that of `work`.

    Raises:
        TrialError: if there is nothing to quantize or to calibrate with, or a number is not finite.
        Stopping: when the watch says so.
    """
    layers = _chosen(work, options)
    before = workshop.quality(work.model)
    model = folded(work.model, workshop.training.features)
    counted_from = before[0] if reference is None else reference
    limit = Limit(workshop.metric, counted_from, options["maxDrop"], start=before[0])
    asked = Asked(model, layers, options, workshop, limit)
    found = _mode(options["mode"])(asked)
    after = _quality(found, workshop)
    is_smaller = len(found.content) < SAVED * FLOAT_BYTES * work.model.parameter_count
    delivery = Delivery(found.content, found.run, INTEGER_TOLERANCE, is_integer=True)
    return Quantized(
        delivery,
        integer_report(asked, found, (before, after), is_smaller=is_smaller),
        {
            "integerLayers": sorted({str(kind) for kind in layers.values()}),
            "excluded": len(found.excluded),
            "smallerThanParent": is_smaller,
        },
    )


def _chosen(work: Work, options: Mapping[str, Any]) -> dict[str, LayerKind]:
    wanted = options["layers"]
    all_layers = compute_layers(work.model)
    chosen = {name: kind for name, kind in all_layers.items() if str(kind) in wanted}
    if not chosen:
        has = ", ".join(sorted({str(kind) for kind in all_layers.values()}))
        raise TrialError(
            "NotSupported", f"quantize.layers is {', '.join(wanted)}, the model has only {has}"
        )
    return chosen


def _mode(mode: str) -> Callable[[Asked], Found]:
    # Each mode imports what it needs alone: torchao takes seconds.
    with quiet(IMPORTING):
        if mode == "PostTraining":
            from winnow_trainer.compress.quantizing.post_training import post_training

            return post_training
        if mode == "Aware":
            from winnow_trainer.compress.quantizing.aware import aware

            return aware
        from winnow_trainer.compress.quantizing.dynamic import dynamic

        return dynamic


def _quality(found: Found, workshop: Workshop) -> Measured:
    part = workshop.validation
    outputs = outputs_of(found.run, part.features.cpu())
    return measure(workshop.kind, workshop.metric, outputs, part.targets.cpu().numpy())
