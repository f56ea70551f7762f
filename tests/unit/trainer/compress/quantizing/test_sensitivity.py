"""Which layers are left out of integers, and when the search ends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from winnow_trainer.compress.quantizing.sensitivity import (
    Limit,
    Search,
    damage_of,
    doubling,
    one_by_one,
    search,
)

DAMAGES = {"a": 0.1, "b": 0.4, "c": 0.2, "d": 0.0}


def searched(
    most: float | None, losses: dict[str, float], metric: str = "accuracy"
) -> tuple[Search[tuple[str, ...]], list[str]]:
    """A model whose layers lose independently of each other."""
    asked: list[str] = []
    sign = 1 if metric == "accuracy" else -1

    def damages(_: tuple[str, ...]) -> dict[str, float]:
        asked.append("damages")
        return losses

    def value(excluded: tuple[str, ...]) -> float:
        return 1 - sign * sum(loss for layer, loss in losses.items() if layer not in excluded)

    limit = Limit(metric, 1.0, most)
    ended = search(tuple, value, damages, limit, one_by_one)
    return ended, asked


def test_layers_are_left_out_from_the_most_damaging_on_until_the_loss_is_allowed() -> None:
    ended, _ = searched(0.15, DAMAGES)

    assert ended.excluded == ("b", "c")
    assert ended.is_allowed
    assert ended.first == pytest.approx(0.3)
    assert ended.tries == 3


def test_nothing_is_ranked_where_nothing_is_lost_or_nothing_was_asked() -> None:
    assert searched(0.7, DAMAGES)[1] == []
    assert searched(None, DAMAGES)[0].excluded == ()
    assert searched(None, DAMAGES)[1] == []


def test_a_loss_is_in_the_worse_direction_of_its_metric() -> None:
    ended, _ = searched(0.15, DAMAGES, metric="rmse")

    assert ended.excluded == ("b", "c")
    assert ended.first == pytest.approx(1.7)


def test_nothing_is_left_out_where_the_steps_before_have_lost_too_much() -> None:
    limit = Limit("accuracy", 1.0, 0.1, start=0.85)

    ended = search(tuple, lambda _: 0.8, lambda _: {"a": 0.2, "b": 0.1}, limit, one_by_one)

    assert (ended.excluded, ended.tries, ended.is_allowed) == ((), 1, False)


def test_what_the_steps_before_have_lost_counts() -> None:
    limit = Limit("accuracy", 1.0, 0.1, start=0.95)

    def value(excluded: tuple[str, ...]) -> float:
        return 0.95 - 0.06 * (2 - len(excluded))

    ended = search(tuple, value, lambda _: {"a": 0.2, "b": 0.1}, limit, one_by_one)

    assert (ended.excluded, ended.is_allowed) == (("a",), False)
    assert limit.lost(value(("a",))) == pytest.approx(0.11)


def test_the_last_layer_stays_integer_and_what_lost_least_is_kept() -> None:
    ended, _ = searched(0.01, {"a": 0.5, "b": 0.4, "c": 0.3})

    assert ended.excluded == ("a", "b")
    assert not ended.is_allowed


def test_of_attempts_that_lose_alike_the_one_with_most_integers_is_kept() -> None:
    ended = search(
        tuple, lambda _: 0.5, lambda _: {"a": 0.2, "b": 0.1}, Limit("f1", 1, 0.1), one_by_one
    )

    assert ended.excluded == ()
    assert not ended.is_allowed


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 0.2), min_size=1),
    st.floats(0, 1),
)
def test_no_search_loses_more_than_the_first_attempt(losses: dict[str, float], most: float) -> None:
    ended, _ = searched(most, losses)

    value = 1 - sum(loss for layer, loss in losses.items() if layer not in ended.excluded)
    limit = Limit("accuracy", 1.0, most)
    assert limit.lost(value) <= limit.lost(ended.first) + 1e-12
    assert ended.is_allowed == limit.allows(value)
    assert len(ended.excluded) < len(losses)


@given(st.integers(1, 200))
def test_few_attempts_are_made_where_each_takes_a_training(layers: int) -> None:
    counts: Sequence[int] = list(doubling(layers))

    assert len(counts) <= 8
    assert all(0 < count < layers for count in counts)
    assert list(one_by_one(layers)) == list(range(1, layers))


def test_damage_is_measured_in_what_outputs_differ_by() -> None:
    wanted = torch.tensor([[0.0], [2.0]])

    assert damage_of(wanted, wanted) == 0
    assert damage_of(wanted + 1, wanted) == pytest.approx(1)
    assert damage_of(100 * (wanted + 1), 100 * wanted) == pytest.approx(1)
    assert damage_of(torch.ones(2, 1), torch.zeros(2, 1)) > 1e30
