"""Seeded permutations of range(size) without any memory.

A Feistel network with cycle walking (Black and Rogaway, "Ciphers with Arbitrary Finite Domains",
CT-RSA 2002): each place is computed by itself, whatever the size.
"""

from __future__ import annotations

from winnow_operator.engines.seeds import derived

ROUNDS = 6


def permuted(index: int, size: int, seed: int) -> int:
    """Where a seeded permutation of range(size) puts this index."""
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    while True:  # cycle walking: the cipher's domain is at most four times the size
        index = _encrypt(index, half, seed)
        if index < size:
            return index


def _encrypt(index: int, half: int, seed: int) -> int:
    mask = (1 << half) - 1
    left, right = index >> half, index & mask
    for turn in range(ROUNDS):
        left, right = right, left ^ (derived(seed, "permutation", turn, right) & mask)
    return left << half | right
