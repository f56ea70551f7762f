"""What a model is called, what goes in and what comes out: all that the protocol needs to know."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

__all__ = ["DATATYPE", "ITEM_BYTES", "ITEM_TYPE", "Port", "Signature"]

DATATYPE = "FP32"
"""The protocol's name for what all models of Winnow take and give."""
ITEM_TYPE, ITEM_BYTES = "<f4", 4
"""On the wire: little-endian."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or an output."""

    name: str
    row_shape: tuple[int, ...]
    """Without the first dimension, which counts rows."""

    @property
    def row_items(self) -> int:
        """Numbers of one row."""
        return math.prod(self.row_shape)

    def describe(self) -> dict[str, Any]:
        """As model metadata says it; -1 stands for any number of rows."""
        return {"name": self.name, "datatype": DATATYPE, "shape": [-1, *self.row_shape]}


@dataclass(frozen=True, slots=True)
class Signature:
    """One served model."""

    model: str
    version: str
    input: Port
    output: Port
    max_rows: int
    """Of one request."""

    @property
    def paths(self) -> frozenset[str]:
        """Of inference."""
        model = f"/v2/models/{self.model}"
        return frozenset({f"{model}/infer", f"{model}/versions/{self.version}/infer"})

    def describe(self) -> dict[str, Any]:
        """The protocol's model metadata."""
        return {
            "name": self.model,
            "versions": [self.version],
            "platform": "onnxruntime_onnx",
            "inputs": [self.input.describe()],
            "outputs": [self.output.describe()],
        }
