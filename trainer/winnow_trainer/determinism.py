"""The one place where randomness is seeded and torch is told to be repeatable.

On a CPU the same assignment gives the same bits. On a GPU torch picks deterministic kernels where
there are some, and warns where there are none.
"""

from __future__ import annotations

import os

import torch

MAX_SEED = 2**63 - 1
CUBLAS_WORKSPACE = ":4096:8"
"""cuBLAS is repeatable with this workspace alone; read when CUDA starts."""


def make_deterministic(threads: int) -> None:
    """Set torch up once per process; a sum over several threads depends on their number."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", CUBLAS_WORKSPACE)
    torch.set_num_threads(threads)
    # The same as use_deterministic_algorithms, which besides imports a compiler: 1.3 s, 150 MB.
    torch.set_deterministic_debug_mode("warn" if torch.cuda.is_available() else "error")
    torch.backends.cudnn.benchmark = False


def seed_everything(seed: int) -> torch.Generator:
    """Seed weights and dropout; the generator returned orders the batches."""
    torch.manual_seed(seed % MAX_SEED)
    generator = torch.Generator()
    generator.manual_seed(seed % MAX_SEED)
    return generator
