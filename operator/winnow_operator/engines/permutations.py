"""Seeded permutations of range(size) without any memory.

A Feistel network with cycle walking (Black and Rogaway, "Ciphers with Arbitrary Finite Domains",
CT-RSA 2002): each place is computed by itself, whatever the size.
"""

from __future__ import annotations

from winnow_operator.engines.seeds import derived

ROUNDS = 6


def permuted(index: int, size: int, seed: int) -> int:
    """Where a seeded permutation of range(size) puts this index."""
    half = half_bits(size)
    while True:  # cycle walking
        index = _encrypt(index, half, seed)
        if index < size:
            return index


def half_bits(size: int) -> int:
    """Bits of half a block of the cipher, whose domain is at most four times the size."""
    return max(1, ((size - 1).bit_length() + 1) // 2)


def scrambled(seed: int, turn: int, right: int, half: int) -> int:
    """What a round of the cipher adds to the left half."""
    return derived(seed, "permutation", turn, right) & ((1 << half) - 1)


def _encrypt(index: int, half: int, seed: int) -> int:
    mask = (1 << half) - 1
    left, right = index >> half, index & mask
    for turn in range(ROUNDS):
        left, right = right, left ^ scrambled(seed, turn, right, half)
    return left << half | right
