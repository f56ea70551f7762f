"""How much goes: exact shares, never a whole layer, the same at the end of any schedule."""

from __future__ import annotations

import itertools
import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from winnow_trainer.compress.pruning.amounts import (
    Scope,
    amounts_of_rounds,
    epochs_of_rounds,
    kept_units,
    kept_weights,
    share_kept,
)

AMOUNTS = st.floats(0.01, 0.99)
LAYERS = st.lists(st.integers(1, 40), min_size=1, max_size=5)


def scores_of(sizes: list[int], seed: int = 0) -> list[torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    return [torch.rand(size, generator=random) for size in sizes]


@given(LAYERS, AMOUNTS)
def test_layer_takes_the_same_share_of_each(sizes: list[int], amount: float) -> None:
    kept = kept_units(scores_of(sizes), sizes, amount, Scope.LAYER)

    assert [len(units) for units in kept] == [share_kept(size, amount) for size in sizes]


@given(LAYERS, AMOUNTS)
def test_global_takes_the_share_of_all_and_leaves_some_of_each(
    sizes: list[int], amount: float
) -> None:
    kept = kept_units(scores_of(sizes), sizes, amount, Scope.GLOBAL)

    floors = [max(1, math.ceil(size * (1 - amount) * 2 / 3)) for size in sizes]
    counts = [len(units) for units in kept]
    assert all(count >= floor - 1 for count, floor in zip(counts, floors, strict=True))
    # Floors are rounded up, so that many small layers may keep more than the share.
    assert (
        share_kept(sum(sizes), amount)
        <= sum(counts)
        <= max(sum(floors), share_kept(sum(sizes), amount))
    )


@given(LAYERS, AMOUNTS, st.sampled_from(Scope))
def test_the_highest_scores_of_a_layer_stay_in_their_order(
    sizes: list[int], amount: float, scope: Scope
) -> None:
    scores = scores_of(sizes)

    for layer, units in zip(scores, kept_units(scores, sizes, amount, scope), strict=True):
        assert units.tolist() == sorted(units.tolist())
        assert set(units.tolist()) == set(layer.argsort(descending=True)[: len(units)].tolist())


def test_global_takes_more_from_the_layer_that_matters_less() -> None:
    scores = [torch.linspace(1, 2, 20), torch.linspace(0, 1.2, 20)]

    kept = kept_units(scores, [20, 20], 0.5, Scope.GLOBAL)

    assert [len(units) for units in kept] == [13, 7]


@given(AMOUNTS, st.integers(1, 9))
def test_rounds_keep_one_share_of_what_is_left_and_end_at_the_amount(
    amount: float, rounds: int
) -> None:
    left = [1.0, *(1 - gone for gone in amounts_of_rounds(amount, rounds))]

    assert left[-1] == 1 - amount
    shares = [later / earlier for earlier, later in itertools.pairwise(left)]
    assert max(shares) - min(shares) < 1e-6


@given(st.integers(1, 60), st.integers(1, 20))
def test_rounds_share_all_epochs(epochs: int, rounds: int) -> None:
    shared = epochs_of_rounds(max(epochs, rounds), rounds)

    assert sum(shared) == max(epochs, rounds)
    assert 1 <= min(shared) <= max(shared) <= min(shared) + 1
    assert list(shared) == sorted(shared)


@given(st.integers(2, 60), AMOUNTS, st.sampled_from(Scope))
def test_a_mask_lets_the_highest_weights_stay(size: int, amount: float, scope: Scope) -> None:
    scores = scores_of([size])[0]

    mask = kept_weights({"only": scores}, amount, scope)["only"]

    assert int(mask.sum()) == share_kept(size, amount)
    assert set(mask.tolist()) <= {0, 1}
    assert scores[mask == 1].min() >= torch.cat([scores[mask == 0], torch.zeros(1)]).max()


def test_a_global_mask_ranks_all_tensors_and_cuts_none_through() -> None:
    scores = {"low": torch.linspace(0, 0.1, 200).view(10, 20), "high": torch.linspace(1, 2, 200)}

    masks = kept_weights(scores, 0.5, Scope.GLOBAL)

    assert masks["low"].shape == (10, 20)
    assert [int(mask.sum()) for mask in masks.values()] == [2, 198]
