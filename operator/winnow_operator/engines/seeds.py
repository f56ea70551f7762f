"""Random numbers that depend on (seed, trial number) alone, the same on every machine."""

from __future__ import annotations

import hashlib
import random


def derived(seed: int, *path: object) -> int:
    """A 63-bit number from a seed and a path of words and numbers."""
    text = "/".join(str(part) for part in (seed, *path))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *path: object) -> random.Random:
    """A generator of its own for this path."""
    return random.Random(derived(seed, *path))  # noqa: S311 -- a search, not a secret


def trial_seed(seed: int, number: int) -> int:
    """The seed that a trial gets for its own randomness, 31 bits."""
    return derived(seed, "trial", number) & 0x7FFF_FFFF
