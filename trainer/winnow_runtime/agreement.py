"""Whether a model computes in ONNX Runtime what it computed where it was built.

The golden batch of its artifact holds a few rows and the outputs of its torch form; the manifest
states how far the runtime's may lie from them. An exporter that drops a layer is found here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from winnow_contract.manifests import Committed
from winnow_runtime.artifacts import GOLDEN, read_tensors
from winnow_runtime.errors import ModelError
from winnow_runtime.sessions import Session, outputs_of

__all__ = ["Agreement", "check_agreement"]


MOST = 1e30
"""A tolerance beyond is none, nor is one that is not a number (NaN is below nothing)."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the outputs of the two forms lie apart."""

    rows: int
    largest: float
    """The largest difference of any output."""
    allowed: float


def check_agreement(artifact: Committed, session: Session) -> Agreement:
    """Compare the runtime's outputs with the recorded ones.

    Raises:
        ModelError: with cause OutputsDiffer, if they lie too far apart; with BadArtifact, if
            there is nothing to compare with.
        OSError: if the storage cannot be read.
    """
    inputs, wanted = read_tensors(artifact.folder / GOLDEN, "inputs", "outputs")
    if not len(inputs):
        raise ModelError("BadArtifact", f"{GOLDEN} has no rows to compare")
    outputs = outputs_of(session, inputs, at_once=len(inputs))
    if outputs.shape != wanted.shape:
        raise ModelError(
            "OutputsDiffer",
            f"outputs in ONNX Runtime have shape {outputs.shape}, recorded are {wanted.shape}",
        )
    largest = float(np.abs(outputs - wanted).max())
    allowed = _allowed(artifact.document.get("tolerance"), float(np.abs(wanted).max()))
    if largest > allowed:
        raise ModelError(
            "OutputsDiffer",
            f"outputs in ONNX Runtime differ from the recorded ones of torch by up to {largest:.3g}, "
            f"allowed is {allowed:.3g}: the exported model is not the one that was built",
        )
    return Agreement(len(inputs), largest, allowed)


def _allowed(tolerance: Any, scale: float) -> float:
    """The stated tolerance: a number, or `{"absolute", "relative"}` to the largest output."""
    parts = tolerance if isinstance(tolerance, dict) else {"absolute": tolerance}
    absolute, relative = (parts.get(name, 0.0) for name in ("absolute", "relative"))
    for part in (absolute, relative):
        is_number = isinstance(part, int | float) and not isinstance(part, bool)
        if not is_number or not 0 <= part < MOST:
            raise ModelError(
                "BadArtifact",
                f"tolerance of the manifest is {str(tolerance)[:80]!r}, it must say how far outputs "
                "may differ: a number from 0, or an object of absolute and relative",
            )
    return float(absolute) + float(relative) * scale
