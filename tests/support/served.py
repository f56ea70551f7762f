"""A graph as ONNX Runtime executes it: kernels and outputs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from winnow_measure.claims import Facts
from winnow_measure.operators import Operators, executed_operators
from winnow_runtime.sessions import Session, outputs_of

Content = bytes


def _saved(content: Content, folder: str) -> Path:
    path = Path(folder) / "model.onnx"
    path.write_bytes(content)
    return path


def operators_of(content: Content, rows: Tensor) -> Operators:
    """The kernels of one run."""
    with tempfile.TemporaryDirectory() as folder:
        return executed_operators(_saved(content, folder), 1, rows.numpy())


def outputs_in_runtime(content: Content, rows: Tensor) -> Tensor:
    """What the runtime makes of some rows that are sent together."""
    with tempfile.TemporaryDirectory() as folder:
        session = Session(_saved(content, folder), 1)
        return torch.from_numpy(outputs_of(session, rows.numpy(), len(rows)))


def facts_of(content: Content, rows: Tensor) -> Facts:
    """What claims are held against."""
    outputs: Any = outputs_in_runtime(content, rows).numpy()
    return Facts(len(content), operators_of(content, rows), np.asarray(outputs))


def distance(content: Content, torch_form: Any, rows: Tensor) -> float:
    """How far the runtime is from torch on some rows, in units of the largest output."""
    wanted = torch_form(rows).double()
    return float((outputs_in_runtime(content, rows) - wanted).abs().max() / wanted.abs().max())
