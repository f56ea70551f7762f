"""Statistics of batch normalisation found anew, for a model whose layers have just changed.

What a layer gives after a cut or a copy no longer has the mean and spread that its normalisation
remembers; without this step such a model answers at random, however good its weights are. No
gradient and no target is used.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

BATCH_ROWS = 256
"""Rows of one forward pass."""


@torch.no_grad()
def settle_norms(model: nn.Module, features: Tensor) -> None:
    """Set means and variances to those of some rows; a model without batch norms stays as it is.

    Args:
        model: ends in evaluation mode.
        features: raw rows of the training split.
    """
    model.eval()
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches, each counted alike
    for rows in torch.split(features, BATCH_ROWS) if norms else ():
        if len(rows) > 1:
            model(rows)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.eval()
