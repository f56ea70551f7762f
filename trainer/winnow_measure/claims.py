"""What a candidate claims to be, against what was measured; and whether anything changed at all.

Each technique has a silent way to do nothing: a quantizer that leaves out the convolutions, a
mask that is sold as a cut, an exporter that keeps 32-bit weights. None of them fails by itself, so
the steps write down what must be true of their result (`claims` of the manifest), and here it is
held against the file, the executed kernels and the outputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from winnow_contract.steps.chains import LAYERS
from winnow_measure.operators import Operators
from winnow_measure.quality import Array
from winnow_runtime.errors import ModelError

__all__ = ["Facts", "check_change", "check_claims"]

SAME_SIZE = 0.001
"""Files that differ by less (names, metadata) have the same size."""
SAME_OUTPUTS = 1e-6
"""Outputs that differ by less of the largest are the same: float arithmetic in another order."""
_NOT_KEPT = "ClaimNotKept"


@dataclass(frozen=True, slots=True)
class Facts:
    """What was measured of a model that a claim can be about."""

    size_bytes: int
    """Of model.onnx."""
    operators: Operators
    outputs: Array
    """(rows, outputs) on the validation split."""


def check_claims(claims: Mapping[str, Any], facts: Facts, parent: Facts) -> dict[str, str]:
    """What was found about each claim, a sentence each, by the claim's name.

    Args:
        claims: of the manifest.
        facts: of the candidate.
        parent: of the model that its chain started from, the baseline.

    Raises:
        ModelError: with cause ClaimNotKept, naming the claim and what was found instead.
    """
    found = dict(_integer_layers(claims, facts))
    if claims.get("smallerThanParent") is True:
        found["smallerThanParent"] = _smaller(facts, parent)
    if claims.get("masked") is True:
        found["masked"] = (
            "weights are zero, not gone: size and speed are as before, and no claim is made of them"
        )
    return found


def _integer_layers(claims: Mapping[str, Any], facts: Facts) -> Iterator[tuple[str, str]]:
    claimed = claims.get("integerLayers")
    kinds = [kind for kind in LAYERS if isinstance(claimed, list) and kind in claimed]
    if not kinds:
        return
    excluded = claims.get("excluded", 0)
    allowed = excluded if type(excluded) is int and excluded > 0 else 0
    operators = facts.operators
    integer = {kind: operators.integer.get(kind, 0) for kind in kinds}
    floating = {kind: operators.floating.get(kind, 0) for kind in kinds}
    words = " and ".join(
        f"{integer[kind]} of {integer[kind] + floating[kind]} {kind} layers" for kind in kinds
    )
    if sum(floating.values()) > allowed or not any(integer.values()):
        raise ModelError(
            _NOT_KEPT,
            f"claimed are integer kernels for its {' and '.join(kinds)} layers but {allowed}; ONNX "
            f"Runtime runs {words} in them, the rest in float ({_kernels(operators)})",
        )
    yield "integerLayers", f"{words} run in integer kernels, {allowed} may be left out"


def _smaller(facts: Facts, parent: Facts) -> str:
    sizes = f"model.onnx has {facts.size_bytes} bytes, its parent's {parent.size_bytes}"
    if facts.size_bytes >= parent.size_bytes * (1 - SAME_SIZE):
        raise ModelError(_NOT_KEPT, f"claimed is that it is smaller than its parent, but {sizes}")
    return sizes


def check_change(facts: Facts, parent: Facts) -> None:
    """Fail a candidate whose steps did nothing.

    Raises:
        ModelError: with cause NothingChanged.
    """
    has_same_operators = facts.operators.counts == parent.operators.counts
    difference = abs(facts.size_bytes - parent.size_bytes)
    if not has_same_operators or difference > SAME_SIZE * parent.size_bytes:
        return
    if not _are_same(facts.outputs, parent.outputs):
        return
    raise ModelError(
        "NothingChanged",
        f"the steps changed nothing: ONNX Runtime executes the same {_total(facts)} kernels as for "
        f"the baseline, model.onnx has {facts.size_bytes} bytes (baseline {parent.size_bytes}), "
        f"and the outputs on {len(facts.outputs)} rows are the same",
    )


def _are_same(outputs: Array, others: Array) -> bool:
    if outputs.shape != others.shape:
        return False
    return bool(np.abs(outputs - others).max() <= SAME_OUTPUTS * np.abs(others).max())


def _total(facts: Facts) -> int:
    return sum(facts.operators.counts.values())


def _kernels(operators: Operators) -> str:
    return ", ".join(f"{name} {count}" for name, count in operators.counts.items())[:200]
