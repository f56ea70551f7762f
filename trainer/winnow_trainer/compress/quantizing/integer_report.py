"""What a quantize step reports: figures, and sentences for whoever reads the model card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from winnow_measure.quality import Measured
from winnow_trainer.compress.quantizing.quantization import Asked, Found


def integer_report(
    asked: Asked, found: Found, quality: tuple[Measured, Measured], *, is_smaller: bool
) -> dict[str, Any]:
    """The report, JSON.

    Args:
        asked: what was to become integer.
        found: what has become of it.
        quality: on the validation split, in 32 bits and in integers.
        is_smaller: whether the file is.
    """
    metric, (before, after) = asked.workshop.metric, quality
    return {
        f"before_{metric}": before[0],
        f"after_{metric}": after[0],
        "standardError": after[1],
        **found.figures,
        "excluded": list(found.excluded),
        "layers": list(_layers(asked, found)),
        "sentences": [
            _what(asked, found),
            f"{metric} was {before[0]:.4g} in 32 bits and is {after[0]:.4g} in integers.",
            *found.sentences,
            *_limits(asked, found, is_smaller=is_smaller),
        ],
    }


def _layers(asked: Asked, found: Found) -> Iterator[dict[str, Any]]:
    for layer, kind in asked.layers.items():
        damage = {"damage": found.damages[layer]} if layer in found.damages else {}
        yield {
            "layer": layer,
            "kind": str(kind),
            "integer": layer not in found.excluded,
            **damage,
        }


def _what(asked: Asked, found: Found) -> str:
    counts = " and ".join(
        f"{sum(layer not in found.excluded for layer in layers)} of {len(layers)} {kind}"
        for kind in sorted(set(asked.layers.values()))
        if (layers := [layer for layer, its in asked.layers.items() if its == kind])
    )
    return (
        f"{counts} layers compute in integers: weights of 7 bits with a scale for each output "
        "channel, activations of 8 bits. The eighth bit of a weight would overflow on processors "
        "without VNNI instructions."
    )


def _limits(asked: Asked, found: Found, *, is_smaller: bool) -> Iterator[str]:
    metric, limit = asked.workshop.metric, asked.limit
    if found.excluded:
        yield (
            f"{', '.join(found.excluded)} stay in 32 bits, because they move the outputs most: with "
            f"all layers in integers {metric} was {found.first:.4g}, {limit.lost(found.first):.3g} "
            f"worse than the source's, and {limit.most:g} is allowed."
        )
    if limit.start is not None and not limit.is_reachable:
        yield (
            f"In 32 bits the model had lost {limit.lost(limit.start):.3g} already, and {limit.most:g} "
            "is allowed: no choice of layers could mend that, so none was made."
        )
    elif not found.is_allowed:
        yield (
            f"No choice of layers loses as little as {limit.most:g}: what lost least is kept, and "
            "the goals decide."
        )
    if not is_smaller:
        yield (
            "The file is no smaller for it: in a model this small, scales and operators weigh as "
            "much as weights."
        )
