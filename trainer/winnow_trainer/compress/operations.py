"""How much work one row is: multiply-adds of its matrix products and convolutions.

Counted by torch's own counter on a model without memory, so it takes no time whatever the size. An
integer model does the same multiply-adds, each of them cheaper.
"""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from winnow_trainer.architectures import Architecture, outline

FLOPS_OF_ONE = 2
"""A multiplication and an addition."""


def count_operations(architecture: Architecture) -> int:
    """Multiply-adds of one row."""
    model = outline(architecture).eval()
    row = torch.empty((1, *architecture.row_shape), device="meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(row)
    return int(counter.get_total_flops()) // FLOPS_OF_ONE
